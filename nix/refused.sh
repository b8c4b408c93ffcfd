#!/usr/bin/env bash
# What must be refused, each with a message that names the artifact.
# Usage: nix/refused.sh MIRROR
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
# Nix makes what it builds read-only.
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
good=$(realpath "${1:?usage: nix/refused.sh MIRROR}")

# Builds an output of a copy of this repository in an empty store, which must fail; the message must have every word that follows.
refuses() {
    local fault=$1 output=$2
    shift 2
    if nix build --no-link --store "$scratch/store-$fault" "path:$scratch/source#$output" >"$scratch/log" 2>&1; then
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

prepare
hash=$(of_package patchelf)
printf 'not the package' | replace "$hash"
refuses hash-mismatch legacyPackages.x86_64-linux.patchelf "hash mismatch" patchelf_

prepare
hash=$(of_package patchelf)
wrong=$(printf %064d 7)
sed -i "s/$hash/$wrong/" "$scratch/source/toolchain/toolchain.lock"
cat "$good/sha256/$hash" | replace "$wrong"
refuses wrong-hash-in-the-lock legacyPackages.x86_64-linux.patchelf "hash mismatch" patchelf_

prepare
rm "$mirror/sha256/$(of_package patchelf)"
refuses missing-artifact legacyPackages.x86_64-linux.patchelf "unable to download" patchelf_

prepare
hash=$(awk '$1 == "name" && $3 == "\"nalgebra\"" { found = 1 } found && $1 == "checksum" { gsub(/"/, "", $3); print $3; exit }' Cargo.lock)
{ cat "$good/sha256/$hash"; printf 'one byte more'; } | replace "$hash"
refuses changed-crate legacyPackages.x86_64-linux.crates "hash mismatch" nalgebra-

prepare
sed -i 's/^name = "patchelf"$/name = "patchelf-renamed"/' "$scratch/source/toolchain/toolchain.lock"
refuses package-not-in-the-lock legacyPackages.x86_64-linux.patchelf 'toolchain.lock has no package `patchelf`' "cargo enzyme toolchain lock"
