#!/usr/bin/env bash
# The Nix door, tested as on an air-gapped machine: installs Nix, makes a mirror, then builds and checks everything in the sandbox.
# Usage: nix/test.sh [MIRROR]     with a mirror that is there already
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mirror=${1:-$scratch/mirror}
say() { printf -- '-- %s (%ss)\n' "$1" "$SECONDS"; }

say "Nix and a mirror"
nix/install.sh
[ -d "$mirror" ] || nix/mirror.sh "$mirror"
mirror=$(realpath "$mirror")
. nix/settings.sh
nix --version

say "evaluation"
nix eval --raw .#toolchain.drvPath >/dev/null
start=$(date +%s%N)
nix eval --raw .#toolchain.drvPath >/dev/null
echo "the toolchain evaluates in $(( ($(date +%s%N) - start) / 1000000 )) ms"

say "what must be refused"
nix/refused.sh "$mirror"

say "packages"
nix build --no-link .#toolchain .#examples .#bundle .#book

say "checks"
nix flake check

say "apps and the shell"
nix run .#demo
nix run .#doctor
nix develop -c cargo-enzyme doctor

say "the same bytes again"
nix build --no-link --rebuild .#enzyme

say "what was used is as it was built"
nix store verify --no-trust --recursive $(nix eval --raw .#toolchain.outPath)

say "a cache of our own"
nix/cache-test.sh "$mirror"
say "skipped"
echo "packages.oxide-enzyme: its tests have not been seen to end here yet"
echo "packages.image: it compiles cargo-enzyme once more, and its equality with the other door's was compared by hand, without the project's part"
say "done"
