# clippy has nothing to say about all of the workspace, with the compiler of the lock. Quiet: times would differ between two builds.
{ cargo }:
cargo {
  name = "check-clippy";
  script = ''
    cargo clippy --quiet --locked --workspace --all-targets -- -D warnings 2>&1 | tee $out
  '';
}
