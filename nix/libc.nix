# What every program of the toolchain, and every program that it makes, needs while it runs: the C library, and the libraries of the
# compilers. A tree of its own, so that a program made here keeps 15 MB alive and not a whole compiler. Its files are Debian's, byte
# for byte.
{ run, debs, system }:
let
  loader =
    {
      x86_64-linux = "lib64/ld-linux-x86-64.so.2";
      aarch64-linux = "lib/ld-linux-aarch64.so.1";
    }
    .${system};
  tree = run {
    name = "libc";
    script = ''
      mkdir -p $out
      for deb in ${toString (debs [ "libc6" "libgcc-s1" "libstdc++6" "gcc-14-base" ])}; do
        dpkg-deb -x $deb $out
      done
      cd $out
      rm -rf etc var usr/bin usr/sbin usr/share/[!d]* usr/share/doc-base usr/lib/*-linux-gnu/gconv
      find usr/share/doc -type f ! -name copyright -exec rm {} +
      for directory in lib lib64; do
        [ ! -e usr/$directory ] || ln -s usr/$directory $directory
      done
      test -x ${loader}
    '';
  };
in
tree // { interpreter = "${tree}/${loader}"; }
