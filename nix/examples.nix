# The examples as programs, each with derivatives inside, and each run once: they compare their own gradients and fail if one is wrong.
# They run on any host, since what the toolchain links has its interpreter and run path in the store.
{ cargo, toolchain }:
cargo {
  name = "examples";
  tools = [ toolchain ];
  script = ''
    programs="linear-algebra neural-network quickstart softmax-cross-entropy"
    packages=
    for program in $programs; do packages="$packages --package $program"; done
    cargo-enzyme build --release --locked $packages
    mkdir -p $out/bin
    for program in $programs; do
      cp $CARGO_TARGET_DIR/enzyme/release/$program $out/bin/
      $out/bin/$program
    done
  '';
}
