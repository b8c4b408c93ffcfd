# `nix develop`: the toolchain on PATH ahead of what the user has, the engine's store. The prompt says where one is. What else is
# set differs: in this repository the locked crates are there, so that cargo works with no network.
{ bash, toolchain, enzyme, system, hook ? "" }:
derivation {
  name = "oxide-enzyme";
  inherit system;
  # Nix looks for this very name.
  builder = "${bash}/usr/bin/bash";
  args = [
    "-c"
    "echo 'this is for nix develop' > $out"
  ];
  # Nix writes what it found to the outputs that this names.
  outputs = [ "out" ];
  PATH = "${toolchain}/bin";
  OXIDE_ENZYME_HOME = "${enzyme}/share/oxide-enzyme";
  shellHook = hook + ''
    # Only where there is somebody to read it.
    if [ -n "''${PS1-}" ]; then
      PS1="(oxide-enzyme) $PS1"
      echo "rustc $(rustc --version | cut -d ' ' -f 2), clang 22, Enzyme. Try: cargo enzyme demo, cargo enzyme test, cargo enzyme doctor"
    fi
  '';
}
