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
nix build --no-link .#toolchain .#oxide-enzyme .#examples .#bundle .#book

say "checks"
nix flake check

say "apps and the shell"
nix run .#demo
nix run .#doctor
nix develop -c cargo-enzyme doctor
nix develop -c cargo enzyme test --package quickstart

say "the image, by Nix and without it"
nix build --out-link "$scratch/image" .#image
cargo enzyme image build --quiet --mirror "$mirror" --revision "$(nix eval --raw .#image.revision)" --output "$scratch/image.oci"
cmp "$scratch/image/oxide-enzyme.oci/index.json" "$scratch/image.oci/index.json"
echo "one digest: $(grep -o 'sha256:[0-9a-f]*' "$scratch/image.oci/index.json" | head -n 1)"

say "the same bytes again"
for package in enzyme cargo-enzyme oxide-enzyme examples bundle; do
    nix build --no-link --rebuild ".#$package"
done

say "what was used is as it was built"
nix store verify --no-trust --recursive $(nix eval --raw .#toolchain.outPath)

say "a cache of our own"
nix/cache-test.sh "$mirror"
say "done"
