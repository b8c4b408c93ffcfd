# gcc as the linker driver of rustc, binutils, and the headers and start files of the C library: the sysroot of clang too.
#
# gcc finds its parts beside itself, but takes the sysroot to be `/`: a two-line script says otherwise. The interpreter and the run path
# of what it links are in its specs file, where gcc decides whether there is to be an interpreter at all (`-static`, `-shared`).
{ tree, libc, busybox }:
tree {
  name = "gcc";
  packages = [
    "gcc-14-x86-64-linux-gnu"
    "cpp-14-x86-64-linux-gnu"
    "gcc-14-base"
    "binutils"
    "binutils-x86-64-linux-gnu"
    "binutils-common"
    "libbinutils"
    "libctf0"
    "libctf-nobfd0"
    "libsframe1"
    "libjansson4"
    "libgmp10"
    "libmpfr6"
    "libmpc3"
    "libisl23"
    "libzstd1"
    "zlib1g"
    "libgomp1"
    "libatomic1"
    "libquadmath0"
    "libgcc-14-dev"
    "libstdc++-14-dev"
    "libc6-dev"
    "linux-libc-dev"
  ];
  # Link-time optimisation by gcc, and profilers.
  without = [
    "libexec/gcc/*/14/lto1"
    "bin/*lto-dump*"
    "bin/*gprofng*"
    "bin/*gp-*"
    "lib/gcc/*/14/plugin"
  ];
  finish = ''
    # The libraries to link with are those that programs will run with.
    for library in ${libc}/usr/lib/$multiarch/*.so*; do
      [ -e usr/lib/$multiarch/$(basename $library) ] || ln -s $library usr/lib/$multiarch/
    done
    [ ! -d ${libc}/usr/lib64 ] || { ln -s ${libc}/usr/lib64 usr/lib64; ln -s usr/lib64 lib64; }

    driver=$(echo $out/usr/bin/*-linux-gnu-gcc-14)
    $driver -dumpspecs > specs
    grep -q '/lib.*/ld-linux-' specs
    sed -e "/^\*link:/{n;s,^,--disable-new-dtags -rpath ${libc}/usr/lib/$multiarch ,}" specs |
      sed -e 's,/lib[0-9]*/ld-linux-[a-z0-9-]*\.so\.[0-9],${libc.interpreter},g' > $(echo usr/lib/gcc/*-linux-gnu/14)/specs
    rm specs
    for name in gcc cc; do
      rm -f usr/bin/$name
      {
        echo '#!${busybox}/bin/sh'
        echo "exec $driver --sysroot=$out -B$out/usr/bin/ \"\$@\""
      } > usr/bin/$name
      chmod +x usr/bin/$name
    done

    # It links, and the result runs.
    printf '#include <stdio.h>\nint main(void) { return puts("linked") < 0; }\n' > /build/probe.c
    usr/bin/cc /build/probe.c -o /build/probe && /build/probe
    usr/bin/cc -static /build/probe.c -o /build/probe && /build/probe
  '';
}
