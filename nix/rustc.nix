# rustc and cargo as Debian builds them for its browsers: stable, and with LLVM as a shared library, so that rustc loads LLVM plugins.
{ tree, llvm, curl, gcc }:
tree {
  name = "rustc";
  packages = [
    "rustc-web"
    "libstd-rust-web-1.96"
    "libstd-rust-web-dev"
    "cargo-web"
    "rustfmt-web"
    "rust-web-clippy"
    # What cargo needs besides libcurl.
    "libgit2-1.9"
    "libhttp-parser2.9"
    "libmbedcrypto16"
    "libmbedtls21"
    "libmbedx509-7"
    "libpcre2-8-0"
    "libsqlite3-0"
  ];
  uses = [ llvm curl ];
  without = [
    "share/cargo"
    "libexec/rust-analyzer-proc-macro-srv"
  ];
  finish = ''
    export PATH=$out/usr/bin:${gcc}/usr/bin:$PATH
    rustc -vV
    cargo --version
    echo 'fn main() { println!("Rust"); }' > /build/probe.rs
    rustc -O /build/probe.rs -o /build/probe && /build/probe
  '';
}
