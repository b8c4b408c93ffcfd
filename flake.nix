{
  description = "Compiler-level automatic differentiation for stable Rust by Enzyme";

  outputs =
    { self }:
    let
      each = f: builtins.mapAttrs (system: _: f (import ./nix { inherit system; })) { x86_64-linux = null; };
    in
    {
      packages = each (all: {
        inherit (all) llvm clang rustc enzyme toolchain cargo-enzyme;
        default = all.toolchain;
      });
    };
}
