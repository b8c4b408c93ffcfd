# `cargo enzyme` itself, and around it what it needs to know here: where the store with the engine is. The variable can be set to
# another store, as everywhere.
{ cargo, dependencies, enzyme, busybox }:
cargo {
  name = "cargo-enzyme";
  script = ''
    # With the times of Nix's store, all the same: cargo builds anew what is older than what it was built from.
    cp -rp ${dependencies} $CARGO_TARGET_DIR
    chmod -R u+w $CARGO_TARGET_DIR
    # Of ours there are only empty ones, which cargo would take for newer than the code.
    for ours in cargo-enzyme enzyme-driver enzyme-toolchain; do
      rm -r $CARGO_TARGET_DIR/release/.fingerprint/$ours-*
    done
    # Our own crates call others that do the work: optimising them costs minutes and gains nothing.
    plain=
    for ours in cargo-enzyme enzyme-driver enzyme-toolchain; do
      plain="$plain --config profile.release.package.$ours.opt-level=0"
    done
    cargo build --release --locked --package cargo-enzyme $plain
    mkdir -p $out/bin $out/libexec
    cp $CARGO_TARGET_DIR/release/cargo-enzyme $out/libexec/cargo-enzyme
    {
      echo '#!${busybox}/bin/sh'
      echo 'export OXIDE_ENZYME_HOME="''${OXIDE_ENZYME_HOME:-${enzyme}/share/oxide-enzyme}"'
      echo "exec $out/libexec/cargo-enzyme \"\$@\""
    } > $out/bin/cargo-enzyme
    chmod +x $out/bin/cargo-enzyme
    $out/bin/cargo-enzyme --version
    [ "$($out/bin/cargo-enzyme toolchain key)" ]
  '';
}
