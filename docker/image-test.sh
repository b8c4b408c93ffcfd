#!/usr/bin/env bash
# Builds the real image and verifies it.
#
#     docker/image-test.sh LAYOUT            twice, the second time by another user in another folder from copies of everything, and
#                                            holds the two against each other
#     docker/image-test.sh LAYOUT --once     where another build is held against it later, as by nix/test.sh
#
# LAYOUT is written, and stays. OXIDE_ENZYME_HOME is the store that packages and engine are kept in.
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
layout=$(realpath -m "$1")
cd "$(dirname "$0")/.."
limit=$((400 * 1000 * 1000))

cargo build --quiet --package cargo-enzyme --bin cargo-enzyme
target=$(cargo metadata --no-deps --format-version 1 | jq --raw-output .target_directory)
start=$SECONDS
"$target/debug/cargo-enzyme" image build --output "$layout" --json >"$layout.json"
digest=$(jq --raw-output .digest "$layout.json")
size=$(jq .size "$layout.json")
echo "first build: $((SECONDS - start)) s, $size bytes, $digest"
if ((size > limit)); then
    echo "error: the image has more than $limit bytes" >&2
    exit 1
fi

# From copies that another user may have: of the program, the source, the store but for what was compiled, and cargo's crates.
build_elsewhere() {
    elsewhere=$(mktemp -d)
    trap 'rm -rf "$elsewhere"' EXIT
    mkdir -p "$elsewhere/a checkout" "$elsewhere/store" "$elsewhere/cargo/registry"
    git ls-files -z | tar --create --null --files-from=- --file=- | tar --extract --directory "$elsewhere/a checkout" --file=-
    cp --recursive .git "$elsewhere/a checkout/.git"
    cp "$target/debug/cargo-enzyme" "$elsewhere/"
    cp --recursive "${OXIDE_ENZYME_HOME:?}"/{objects,toolchains} "$elsewhere/store/"
    cp --recursive "${CARGO_HOME:-$HOME/.cargo}/registry/cache" "$elsewhere/cargo/registry/"

    as=()
    if [[ $(id -u) == 0 ]]; then
        chown --recursive 12345:12345 "$elsewhere"
        as=(setpriv --reuid 12345 --regid 12345 --clear-groups --)
    else
        echo "not tried: another user, as this is not root"
    fi
    start=$SECONDS
    (
        umask 077
        cd "$elsewhere/a checkout"
        "${as[@]}" env --ignore-environment PATH="$PATH" HOME=/nonexistent TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 TMPDIR="$elsewhere" \
            OXIDE_ENZYME_HOME="$elsewhere/store" CARGO_HOME="$elsewhere/cargo" \
            "$elsewhere/cargo-enzyme" image build --offline --quiet --output "$elsewhere/image"
    )
    echo "second build, offline, by another user elsewhere: $((SECONDS - start)) s"
    diff --recursive --brief "$layout" "$elsewhere/image"
    cmp "$layout.spdx.json" "$elsewhere/image.spdx.json"
    cmp "$layout.provenance.json" "$elsewhere/image.provenance.json"
    echo "both are the same, to the byte"
}
[[ ${2:-} == --once ]] || build_elsewhere

start=$SECONDS
"$target/debug/cargo-enzyme" image verify "$layout"
echo "verified: $((SECONDS - start)) s"
