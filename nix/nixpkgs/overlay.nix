# `overlays.default`: the packages of packages.nix as `oxide-enzyme`, on somebody's own nixpkgs. Lazy: nothing is looked at until it is used.
{ crane, rust-overlay }:
final: _: {
  oxide-enzyme = import ./packages.nix {
    pkgs = final;
    inherit crane rust-overlay;
  };
}
