# The template: its program and its test, with this toolchain, offline.
{ cargo, toolchain }:
cargo {
  name = "check-template";
  tools = [ toolchain ];
  script = ''
    cp -r ${../../template} ../template
    chmod -R u+w ../template
    cd ../template
    sed -i 's,^oxide-enzyme = .*,oxide-enzyme = { path = "/build/source/crates/oxide-enzyme" },' Cargo.toml
    cargo-enzyme test --offline
    cargo-enzyme run --offline | tee $out
    grep -q -- '\[-215.6, -88.0\]' $out
  '';
}
