# Gradients in single and double precision, forward and reverse, compiled and run in the sandbox.
{ run, toolchain }:
run {
  name = "check-doctor";
  tools = [ toolchain ];
  script = ''
    export HOME=/build
    cargo-enzyme doctor | tee $out
  '';
}
