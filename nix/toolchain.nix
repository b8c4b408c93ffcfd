# The toolchain: LLVM, clang, lld, rustc, cargo, the linker and `cargo enzyme` with the engine, in one `bin`. Every program
# has its interpreter and its libraries in the store and finds its other parts from its own place, so links are enough.
{ run, llvm, gcc, clang, rustc, cargo-enzyme, enzyme }:
run {
  name = "toolchain";
  script = ''
    mkdir -p $out/bin
    # The later ones win where a name is there twice. LLVM's second folder has its programs without a number in their names.
    for bin in ${llvm}/usr/bin ${llvm}/usr/lib/llvm-22/bin ${gcc}/usr/bin ${clang}/usr/bin ${rustc}/usr/bin ${enzyme}/bin ${cargo-enzyme}/bin; do
      for program in $bin/*; do
        ln -sf $program $out/bin/
      done
    done
    ln -s clang++ $out/bin/c++
    ln -s ${enzyme}/share $out/share
  '';
}
