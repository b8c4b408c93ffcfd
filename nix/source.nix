# The workspace as cargo sees it, without what no build reads: a changed sentence of the book builds nothing anew.
builtins.path {
  name = "source";
  path = ../.;
  filter =
    path: _:
    let
      inside = builtins.substring (builtins.stringLength (toString ../.) + 1) (-1) path;
      first = builtins.head (builtins.filter builtins.isString (builtins.split "/" inside));
    in
    builtins.elem first [
      ".cargo"
      "Cargo.lock"
      "Cargo.toml"
      "LICENSE-APACHE"
      "LICENSE-MIT"
      "README.md"
      "benches"
      "crates"
      "docker"
      "examples"
      "rust-toolchain.toml"
      "tests"
      "toolchain"
    ]
    && baseNameOf path != "target";
}
