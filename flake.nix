{
  description = "Compiler-level automatic differentiation for stable Rust by Enzyme";

  # Only for those who ask for what comes from them: `overlays.default` and `legacyPackages.*.source`. Nix fetches no input that
  # an output does not touch, so everything else here works with no network and no cache, from toolchain.lock and Cargo.lock.
  inputs = {
    # Not `nixpkgs`: `nix develop` would fetch an input of that name for a shell to start, which every machine has.
    nixpkgs-unstable.url = "github:NixOS/nixpkgs/nixos-unstable";
    crane.url = "github:ipetkov/crane";
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs-unstable";
    };
  };

  outputs =
    {
      self,
      nixpkgs-unstable,
      crane,
      rust-overlay,
    }:
    let
      # Where somebody has built it. The lock has the packages of aarch64-linux too; nobody has tried them.
      systems = [ "x86_64-linux" ];
      # As git says it; the image is labelled with it. Nix 2.8 does not tell what a changed tree began as.
      revision = self.rev or self.dirtyRev or "unknown";
      each =
        output:
        builtins.listToAttrs (
          map (system: {
            name = system;
            value = output (import ./nix { inherit system revision; }) system;
          }) systems
        );
    in
    {
      packages = each (
        all: _: {
          inherit (all)
            llvm
            clang
            rustc
            enzyme
            toolchain
            cargo-enzyme
            oxide-enzyme
            examples
            bundle
            image
            book
            ;
          default = all.toolchain;
        }
      );

      # Nested sets have no place in `packages`: the pieces that the packages are made of, and the way through nixpkgs.
      legacyPackages = each (
        all: system: {
          inherit (all)
            busybox
            patchelf
            libc
            gcc
            curl
            crates
            dependencies
            ;
          source = import ./nix/nixpkgs/packages.nix {
            pkgs = nixpkgs-unstable.legacyPackages.${system};
            inherit crane rust-overlay;
          };
        }
      );
      overlays.default = import ./nix/nixpkgs/overlay.nix { inherit crane rust-overlay; };

      devShells = each (
        all: _: {
          default = all.shell;
          project = all.shell-project;
        }
      );
      apps = each (all: _: all.apps);
      checks = each (all: _: all.checks);
      formatter = each (all: _: all.formatter);
      templates.default = {
        path = ./template;
        description = "A program with gradients, and a shell with the toolchain";
      };
    };
}
