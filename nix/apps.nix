# `nix run`: programs that begin with the toolchain and nothing else on PATH.
{ run, busybox, toolchain, examples }:
let
  program = name: script: {
    type = "app";
    program =
      let
        package = run {
          inherit name;
          env = { inherit script; };
          script = ''
            mkdir -p $out/bin
            { echo '#!${busybox}/bin/sh'; printf '%s\n' "$script"; } > $out/bin/${name}
            chmod +x $out/bin/${name}
          '';
        };
      in
      "${package}/bin/${name}";
  };
in
rec {
  default = demo;
  # Trains the neural network and compares its gradient with finite differences.
  demo = program "demo" ''
    exec ${examples}/bin/neural-network "$@"
  '';
  # Compiles, runs and compares gradients with this very toolchain.
  doctor = program "doctor" ''
    export PATH=${toolchain}/bin:${busybox}/bin
    exec cargo-enzyme doctor "$@"
  '';
}
