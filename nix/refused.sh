#!/usr/bin/env bash
# What must be refused, each with a message that names the artifact.
# Usage: nix/refused.sh MIRROR
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
good=$(realpath "${1:?usage: nix/refused.sh MIRROR}")

# Every fault gives a file a hash of its own: what the store has already is not fetched again. (Another store by `--store` would do too,
# but Nix 2.8 was seen to empty files of the first one then.)

# Builds an output of a copy of this repository, which must fail; the message must have every word that follows.
refuses() {
    local fault=$1 output=$2
    shift 2
    if nix build --no-link "path:$scratch/source#$output" >"$scratch/log" 2>&1; then
        echo "$fault: $output was built" >&2
        exit 1
    fi
    for word in "$@"; do
        grep -qF -- "$word" "$scratch/log" || { echo "$fault: the message lacks \`$word\`:" >&2; cat "$scratch/log" >&2; exit 1; }
    done
    echo "$fault: refused"
}

# A mirror of links to the good one, and a copy of the repository as git has it.
prepare() {
    rm -rf "$scratch/mirror" "$scratch/source"
    mirror=$scratch/mirror
    mkdir -p "$mirror/sha256" "$scratch/source"
    ln "$good"/sha256/* "$mirror/sha256/" 2>/dev/null || cp "$good"/sha256/* "$mirror/sha256/"
    git ls-files -z | tar --null --files-from=- -c | tar -x -C "$scratch/source"
    . nix/settings.sh
}

# The sha256 and the file's name of a package in the lock.
of_package() {
    awk -v name="\"$1\"" '/^\[\[package\]\]/ { found = 0; platform = 0 } $1 == "platform" { platform = ($3 == "\"linux-x86_64\"") }
        $1 == "name" && $3 == name && platform { found = 1 } found && $1 == "sha256" { gsub(/"/, "", $3); print $3; exit }' toolchain/toolchain.lock
}

# In place of a file, so that the good mirror keeps its own.
replace() {
    rm -f "$mirror/sha256/$1"
    cat >"$mirror/sha256/$1"
}

# Gives a file another hash in a lock.
rename() {
    grep -q "$2" "$scratch/source/$1"
    sed -i "s/$2/$3/" "$scratch/source/$1"
}
no_hash() { printf '%064d' "$1"; }

prepare
hash=$(of_package patchelf)
rename toolchain/toolchain.lock "$hash" "$(no_hash 1)"
cat "$good/sha256/$hash" | replace "$(no_hash 1)"
refuses hash-mismatch legacyPackages.x86_64-linux.patchelf "hash mismatch" patchelf_

prepare
rename toolchain/toolchain.lock "$(of_package patchelf)" "$(no_hash 2)"
refuses missing-artifact legacyPackages.x86_64-linux.patchelf "unable to download" patchelf_

prepare
hash=$(awk '$1 == "name" && $3 == "\"nalgebra\"" { found = 1 } found && $1 == "checksum" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock)
rename Cargo.lock "$hash" "$(no_hash 3)"
{ cat "$good/sha256/$hash"; printf 'one byte more'; } | replace "$(no_hash 3)"
refuses changed-crate legacyPackages.x86_64-linux.crates "hash mismatch" nalgebra-

prepare
sed -i 's/^name = "patchelf"$/name = "patchelf-renamed"/' "$scratch/source/toolchain/toolchain.lock"
refuses package-not-in-the-lock legacyPackages.x86_64-linux.patchelf 'toolchain.lock has no package `patchelf`' "cargo enzyme toolchain lock"
