# The crate that people use, built and tested: a package of sources is right if its tests pass, so they run before anything is put
# out. What comes out is what a registry would get: the archives of the crate and of its macros.
{ cargo, toolchain }:
cargo {
  name = "oxide-enzyme";
  tools = [ toolchain ];
  script = ''
    # But for the compiler's messages, which are compared word for word with those of the release in rust-toolchain.toml, and the snippets
    # in the book, whose text is not in this source.
    cargo-enzyme test --locked --package oxide-enzyme --package oxide-enzyme-macros --package quickstart -- \
      --skip misuse_ --skip every_snippet_is_in_an_example
    cargo package --locked --offline --no-verify --allow-dirty --exclude-lockfile --package oxide-enzyme-macros --package oxide-enzyme
    mkdir -p $out
    cp $CARGO_TARGET_DIR/package/oxide-enzyme*.crate $out/
  '';
}
