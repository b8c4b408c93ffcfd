# `nix flake check`. Each computes a real gradient, loads a real plugin, compares digests or reads the code; the packages that run their
# own tests (examples, gcc, clang, rustc) are built by it too.
{ run, cargo, toolchain, rustc, bash, source, all }:
{
  inherit (all) examples book;

  plugin = import ./plugin.nix { inherit run toolchain bash; };
  doctor = import ./doctor.nix { inherit run toolchain; };
  clippy = import ./clippy.nix { inherit cargo; };
  format = import ./format.nix { inherit run rustc source; };
  nixpkgs = import ./nixpkgs.nix { inherit run; };
  template = import ./template.nix { inherit cargo toolchain; };
  bundle = import ./bundle.nix { inherit run toolchain; inherit (all) bundle; };
}
