# clippy has nothing to say. The example with MPI needs MPI.
{ cargo }:
cargo {
  name = "check-lints";
  script = ''
    cargo clippy --locked --workspace --exclude mpi-regression --all-targets --quiet -- -D warnings
    touch $out
  '';
}
