# The crates that `cargo enzyme` is made of, compiled, as a target folder to begin with: an edit of ours compiles ours only.
# It sees the manifests and no code. Cargo then takes what it finds for up to date, since vendored crates are known by their checksums.
{ run, crates, compilers }:
let
  manifest = path: builtins.fromTOML (builtins.readFile path);
  # A target that a manifest names must be there, or cargo refuses the manifest.
  example = path: target: ''
    mkdir -p ${path}/examples
    echo 'fn main() {}' > ${path}/examples/${target.name}.rs
  '';
  member = path: ''
    mkdir -p ${path}/src
    cp ${../. + "/${path}/Cargo.toml"} ${path}/Cargo.toml
    sed -i '/^build = /d' ${path}/Cargo.toml
    echo '//! Nothing.' > ${path}/src/lib.rs
    printf '//! Nothing.\nfn main() {}\n' > ${path}/src/main.rs
    ${builtins.concatStringsSep "" (
      map (example path) ((manifest (../. + "/${path}/Cargo.toml")).example or [ ])
    )}
  '';
in
run {
  name = "dependencies";
  tools = compilers;
  script = ''
    export HOME=/build/home CARGO_HOME=/build/cargo CARGO_TARGET_DIR=/build/target CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
    mkdir -p $HOME $CARGO_HOME source
    cp ${crates}/config.toml $CARGO_HOME/
    cd source
    cp ${../Cargo.toml} Cargo.toml
    cp ${../Cargo.lock} Cargo.lock
    ${builtins.concatStringsSep "" (map member (manifest ../Cargo.toml).workspace.members)}
    cargo build --release --locked --package cargo-enzyme
    cp -r $CARGO_TARGET_DIR $out
    rm -rf $out/release/incremental
  '';
}
