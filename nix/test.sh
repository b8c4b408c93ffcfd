#!/usr/bin/env bash
# The Nix door, tested as on an air-gapped machine: installs Nix, makes a mirror, then builds and checks everything in the sandbox.
# Usage: nix/test.sh [MIRROR]     with a mirror that is there already
# IMAGE may name a layout that `cargo enzyme image build` has made already; one of another revision is built anew.
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
nix eval --no-eval-cache --raw .#toolchain.drvPath >/dev/null
start=$(date +%s%N)
nix eval --no-eval-cache --raw .#toolchain.drvPath >/dev/null
echo "the toolchain evaluates in $(( ($(date +%s%N) - start) / 1000000 )) ms"

say "what must be refused"
nix/refused.sh "$mirror"

say "packages"
nix build --no-link .#toolchain .#examples .#bundle .#book

say "the crate, built and tested"
nix build --no-link .#oxide-enzyme

say "the image, and the same by the other door"
nix build --no-link .#image
image=${IMAGE:-}
# By the revision that Nix knows: git says more about a changed tree than it does.
revision=$(nix eval --raw .#image.revision)
if ! grep -qs "$revision" "$image.provenance.json"; then
    image=$scratch/oxide-enzyme.oci
    cargo enzyme image build --quiet --revision "$revision" --output "$image"
fi
diff --recursive --brief "$image" "$(nix eval --raw .#image.outPath)/oxide-enzyme.oci"
echo "the same to the byte: $(cargo enzyme image inspect --json "$image" | grep -o '"digest": "sha256:[0-9a-f]*"' | head -n 1)"

say "checks"
nix flake check

say "apps and the shell"
nix run .#demo
nix run .#doctor
# In a checkout `cargo enzyme` compiles itself first. The only network is loopback, and that is down.
in_the_shell() { CARGO_TARGET_DIR=$scratch/target unshare --net nix develop -c "$@"; }
in_the_shell cargo enzyme demo
in_the_shell cargo enzyme test --package quickstart

say "the same bytes again"
nix build --no-link --rebuild .#llvm .#clang .#rustc .#enzyme .#cargo-enzyme .#toolchain .#bundle .#book

say "what was used is as it was built"
nix store verify --no-trust --recursive $(nix eval --raw .#toolchain.outPath)

say "a cache of our own"
nix/cache-test.sh "$mirror"
say "skipped"
echo "a second build of oxide-enzyme, examples and image, which take minutes: done by hand (docs/src/nix.md); the image was held against the other door's"
say "done"
