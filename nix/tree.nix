# A tree of unpacked Debian packages whose programs run from the store, on any host.
#
# Debian's programs expect their interpreter at /lib64 and their libraries at /usr/lib: neither exists in the sandbox or on NixOS, and
# elsewhere they would be other versions. Both are set here, for programs and libraries, to the trees that are named. It is RPATH rather
# than RUNPATH: it goes ahead of LD_LIBRARY_PATH, so that a cluster's modules cannot slip another LLVM in.
# No maintainer script runs. Where the same library is in two trees it is the same file of the same package.
{ run, debs, patchelf, libc }:
{
  name,
  # Names of packages in the lock.
  packages,
  # Trees whose libraries are used.
  uses ? [ ],
  # Paths below usr/ that nobody needs here.
  without ? [ ],
  # What to do afterwards.
  finish ? "",
}:
run {
  inherit name;
  tools = [ patchelf ];
  script = ''
    mkdir -p $out
    for deb in ${toString (debs packages)}; do
      dpkg-deb -x $deb $out
    done
    cd $out
    # Alternatives and configuration of a whole system.
    rm -rf etc var
    (cd usr/share && rm -rf man info locale lintian bash-completion bug gdb doc-base binfmts)
    find usr/share/doc -type f ! -name copyright -exec rm {} +
    ${builtins.concatStringsSep "\n" (map (path: "rm -rf usr/${path}") without)}
    for directory in bin lib lib64; do
      [ ! -e usr/$directory ] || ln -s usr/$directory $directory
    done

    multiarch=$(basename $(echo usr/lib/*-linux-gnu))
    path=
    for tree in $out ${toString uses} ${libc}; do
      path=$path:$tree/usr/lib/$multiarch
    done
    find usr -type f '(' -perm -100 -o -name '*.so' -o -name '*.so.*' ')' | while read -r file; do
      # Scripts, static programs and linker scripts have nothing to set.
      needed=$(patchelf --print-needed "$file" 2>/dev/null) || continue
      [ -n "$needed" ] || continue
      chmod u+w "$file"
      patchelf --force-rpath --set-rpath "''${path#:}" "$file"
      case $file in *.so | *.so.*) continue ;; esac
      ! patchelf --print-interpreter "$file" >/dev/null 2>&1 ||
        patchelf --set-interpreter ${libc.interpreter} "$file"
    done
    ${finish}

    # Every library is found, and nothing is taken from anywhere but the store.
    find usr -type f '(' -perm -100 -o -name '*.so' -o -name '*.so.*' ')' | while read -r file; do
      needed=$(patchelf --print-needed "$file" 2>/dev/null) || continue
      [ -n "$needed" ] || continue
      ${libc.interpreter} --list "$file" >/build/libraries 2>&1 && ! grep -q 'not found' /build/libraries || {
        cat /build/libraries >&2
        echo "$file: a library is missing; no package of nix/${name}.nix or of the trees that it uses has it" >&2
        exit 1
      }
    done
  '';
}
