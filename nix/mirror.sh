#!/usr/bin/env bash
# Lays out in a folder all that the flake fetches: both profiles' artifacts and packages, and the crates.
# Usage: nix/mirror.sh DIR
set -euo pipefail
cd "$(dirname "$0")/.."
mirror=${1:?usage: nix/mirror.sh DIR}
cargo fetch --locked --quiet
cargo enzyme toolchain mirror "$mirror" --quiet
cargo enzyme toolchain mirror "$mirror" --profile full --crates Cargo.lock --quiet
