# LLVM: the shared library that rustc, clang and the plugins share, and LLVM's programs. The headers are for plugins; the static
# libraries (500 MB) are left out, since a plugin must use the LLVM of its host.
{ tree, curl }:
tree {
  name = "llvm";
  packages = [
    "libllvm22"
    "llvm-22"
    "llvm-22-linker-tools"
    "llvm-22-runtime"
    "llvm-22-dev"
    "libedit2"
    "libbsd0"
    "libmd0"
    "libtinfo6"
    "libffi8"
    "libxml2"
    "liblzma5"
    "libz3-4"
    "libgmp10"
    "libzstd1"
    "zlib1g"
    "libpfm4"
  ];
  uses = [ curl ];
  without = [ "lib/llvm-22/lib/*.a" ];
}
