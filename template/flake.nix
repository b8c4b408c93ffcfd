{
  description = "A program with gradients";

  inputs.oxide-enzyme.url = "github:oxide-enzyme/oxide-enzyme";

  # `nix develop`, then `cargo enzyme run`: rustc, cargo, the linker and the engine are those of oxide-enzyme's lock.
  outputs =
    { self, oxide-enzyme }:
    {
      devShells = builtins.mapAttrs (_: shells: { default = shells.project; }) oxide-enzyme.devShells;
    };
}
