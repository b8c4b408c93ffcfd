#!/usr/bin/env bash
# Runs the random programs of another seed. What the driver refuses is left out and counted; a wrong derivative fails.
# Usage: tests/property/hunt.sh [SEED]     more arguments of `cargo-enzyme enzyme test` (such as --release) may follow
set -euo pipefail
cd "$(dirname "$0")/../.."

seed=${1:-$RANDOM$RANDOM}
shift || true
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export OXIDE_ENZYME_PROPERTY_SEED=$seed OXIDE_ENZYME_PROPERTY_SKIP=
build() { cargo-enzyme enzyme test --quiet --package property --no-run --no-fail-fast "$@" 2>"$log"; }

echo "seed $seed"
# Each round names all programs that were refused in what was linked.
until build "$@"; do
    refused=$(grep -oE '^error: cannot differentiate .*' "$log" | grep -oE '\bp[0-9]+\b' | tr -d p | sort -nu | paste -sd, || true)
    if [ -z "$refused" ]; then
        cat "$log" >&2
        exit 1
    fi
    echo "refused: $refused"
    OXIDE_ENZYME_PROPERTY_SKIP+=${OXIDE_ENZYME_PROPERTY_SKIP:+,}$refused
done
cargo-enzyme enzyme test --quiet --package property --no-fail-fast "$@" -- --nocapture
