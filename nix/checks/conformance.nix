# Whole programs held against analytic derivatives.
{ cargo, toolchain }:
cargo {
  name = "check-conformance";
  tools = [ toolchain ];
  script = ''
    cargo-enzyme test --locked --package conformance | tee $out
  '';
}
