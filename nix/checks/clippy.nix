# clippy has nothing to say about the crates and the examples, with the compiler of the lock. The tests beside them are left to the
# other compiler, outside: they bring many large crates, and some read the book, which is not in this source.
# Quiet: times would differ between two builds.
{ cargo }:
cargo {
  name = "check-clippy";
  script = ''
    packages=
    for manifest in crates/*/Cargo.toml examples/*/Cargo.toml; do
      packages="$packages --package $(basename $(dirname $manifest))"
    done
    # What clippy needs to run (build scripts, macros) runs for a moment: optimising it takes longer.
    cargo clippy --quiet --locked --config 'profile.dev.package."*".opt-level=0' --all-targets $packages -- -D warnings 2>&1 | tee $out
  '';
}
