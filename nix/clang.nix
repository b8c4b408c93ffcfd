# clang and lld. Where the headers, the C library and the run path are is said in clang's own configuration files, which lie beside
# the program: no wrapper, so `clang -v` shows all of it.
{ tree, llvm, curl, gcc, libc }:
tree {
  name = "clang";
  packages = [
    "clang-22"
    "lld-22"
    "libclang-cpp22"
    "libclang1-22"
    "libclang-common-22-dev"
    "libzstd1"
    "zlib1g"
  ];
  uses = [ llvm curl ];
  # The library for analysing code is for editors; scan-deps is for a build system of C++.
  without = [
    "lib/llvm-22/lib/cmake"
    "lib/cmake"
  ];
  finish = ''
    # Options with a dollar are given to the linker only, when there is linking.
    {
      echo "--sysroot=${gcc}"
      echo "--gcc-install-dir=$(echo ${gcc}/usr/lib/gcc/*-linux-gnu/14)"
      echo "--dyld-prefix=${libc}"
      echo "-B${gcc}/usr/bin"
      echo "\$-Wl,--disable-new-dtags,-rpath,${libc}/usr/lib/$multiarch"
    } > usr/lib/llvm-22/bin/clang.cfg
    cp usr/lib/llvm-22/bin/clang.cfg usr/lib/llvm-22/bin/clang++.cfg
    ln -s ../lib/llvm-22/bin/clang usr/bin/clang
    ln -s ../lib/llvm-22/bin/clang++ usr/bin/clang++
    ln -s ../lib/llvm-22/bin/ld.lld usr/bin/ld.lld

    # C and C++, with both linkers; the results run.
    printf '#include <stdio.h>\nint main(void) { return puts("C") < 0; }\n' > /build/probe.c
    printf '#include <iostream>\n#include <vector>\nint main() { std::vector<int> v{1}; std::cout << "C++ " << v.at(0) << "\\n"; }\n' > /build/probe.cc
    export PATH=$out/usr/bin:$PATH
    for linker in bfd lld; do
      clang -fuse-ld=$linker /build/probe.c -o /build/probe && /build/probe
      clang++ -fuse-ld=$linker /build/probe.cc -o /build/probe && /build/probe
    done
    clang -static /build/probe.c -o /build/probe && /build/probe
  '';
}
