# Everything of one system, wired up. Each file beside this one is one derivation, or one function that makes derivations.
{ system }:
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
  inherit busybox libc;
  curl = import ./curl.nix { inherit tree; };
  llvm = import ./llvm.nix { inherit tree curl; };
  gcc = import ./gcc.nix { inherit tree libc busybox; };
  clang = import ./clang.nix { inherit tree llvm curl gcc libc; };
  rustc = import ./rustc.nix { inherit tree llvm curl gcc; };
  enzyme = import ./enzyme.nix { inherit run fetch lock tree libc busybox; };
  crates = import ./crates.nix { inherit run fetch lock; };
  cargo = import ./cargo.nix {
    inherit run crates source;
    compilers = [ "${rustc}/usr" "${gcc}/usr" ];
  };
  cargo-enzyme = import ./cargo-enzyme.nix { inherit cargo enzyme busybox; };
  toolchain = import ./toolchain.nix { inherit run llvm gcc clang rustc cargo-enzyme enzyme; };
}
