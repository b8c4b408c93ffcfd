# Everything of one system, wired up. Each file beside this one is one derivation, or one function that makes derivations.
{ system, revision }:
let
  lock = import ./lock.nix { inherit system; };
  fetch = import ./fetch.nix;
  busybox = import ./busybox.nix { inherit fetch lock system; };
  run = import ./run.nix { inherit busybox system; };
  debs = import ./debs.nix { inherit fetch lock; };
  patchelf = import ./patchelf.nix { inherit run debs busybox; };
  libc = import ./libc.nix { inherit run debs system; };
  tree = import ./tree.nix { inherit run debs patchelf libc; };
  source = import ./source.nix;
in
rec {
  inherit busybox libc patchelf;
  curl = import ./curl.nix { inherit tree; };
  llvm = import ./llvm.nix { inherit tree curl; };
  gcc = import ./gcc.nix { inherit tree libc busybox; };
  clang = import ./clang.nix { inherit tree llvm curl gcc libc; };
  rustc = import ./rustc.nix { inherit tree llvm curl gcc; };
  enzyme = import ./enzyme.nix { inherit run fetch lock tree libc busybox; };
  crates = import ./crates.nix { inherit run fetch lock; };
  compilers = [
    "${rustc}/usr"
    "${gcc}/usr"
  ];
  cargo = import ./cargo.nix { inherit run crates source compilers; };
  dependencies = import ./dependencies.nix { inherit run crates compilers; };
  cargo-enzyme = import ./cargo-enzyme.nix { inherit cargo dependencies enzyme busybox; };
  toolchain = import ./toolchain.nix { inherit run llvm gcc clang rustc cargo-enzyme enzyme; };
  oxide-enzyme = import ./oxide-enzyme.nix { inherit cargo toolchain; };
  bash = import ./bash.nix { inherit tree; };
  # For this repository. Unset CARGO_HOME to take other crates from the network.
  shell = import ./shell.nix {
    inherit bash toolchain enzyme system;
    # In a home of its own: cargo writes there, and root could write to the store.
    hook = ''
      export CARGO_HOME="''${XDG_CACHE_HOME:-''${HOME:-/tmp}/.cache}/oxide-enzyme/${baseNameOf crates}"
      ${busybox}/bin/mkdir -p "$CARGO_HOME"
      ${busybox}/bin/cp -f ${crates}/config.toml "$CARGO_HOME/"
    '';
  };
  # For projects of others, which have crates of their own.
  shell-project = import ./shell.nix { inherit bash toolchain enzyme system; };
  book = import ./book.nix { inherit run; };
  bundle = import ./bundle.nix { inherit run toolchain enzyme; };
  image = import ./image.nix {
    inherit run fetch lock debs cargo-enzyme busybox revision;
    # All of it: the image holds the source as git has it.
    source = ../.;
  };
  formatter = import ./formatter.nix { inherit run busybox rustc; };
  apps = import ./apps.nix { inherit run busybox toolchain examples; };
  checks = import ./checks {
    inherit run cargo toolchain rustc bash source;
    all = { inherit examples book bundle; };
  };
  examples = import ./examples.nix { inherit cargo toolchain; };
}
