#!/usr/bin/env bash
# What must hold inside the image, in whatever way it is run: without a network, a root user, a home, and anything writable but
# /tmp. The image has this script at /usr/src/oxide-enzyme/docker/inside/test.sh.
#
#     docker/inside/test.sh short       doctor, a plugin for LLVM, a first gradient
#     docker/inside/test.sh full        and the tests of the crate and of every example, and the examples themselves
#
# Builds in /tmp/target, where it leaves what it built: bind /tmp to a directory, and the next run need not compile dependencies.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
case ${1:---help} in
    short | full) mode=$1 ;;
    *) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; [[ ${1:---help} == -h || ${1:---help} == --help ]]; exit ;;
esac
unset HOME
export CARGO_TARGET_DIR=/tmp/target
failed() { echo "error: $*" >&2; exit 1; }
step() { printf -- '-- %s (%ss)\n' "$1" "$SECONDS"; }

step "nothing to lean on"
[[ $(id -u) -ne 0 ]] || failed "this runs as root"
while read -r interface _; do
    case $interface in Inter-* | face | lo:*) ;; *) failed "there is a network: $interface" ;; esac
done </proc/net/dev
for place in / /usr /etc /opt /var/tmp /home "$source" "${OXIDE_ENZYME_HOME:?the image sets this}"; do
    if touch "$place/written-by-a-test" 2>/dev/null; then failed "$place can be written to"; fi
done

step "doctor"
cargo enzyme doctor

step "a plugin for LLVM"
"$source/docker/llvm-plugin/test.sh"

step "a first gradient"
project=$(mktemp -d)
cargo enzyme new --quiet "$project/gradient" --path "$source"
(cd "$project/gradient" && cargo enzyme run --quiet)
rm -r "$project"

if [[ $mode == full ]]; then
    step "a store elsewhere"
    moved=$(mktemp -d)
    cp -r "$OXIDE_ENZYME_HOME"/. "$moved"
    OXIDE_ENZYME_HOME=$moved cargo enzyme toolchain verify
    engine=$(echo "$moved"/toolchains/*/bin/catalyst)
    chmod u+w "$engine"
    printf '\377' | dd of="$engine" bs=1 seek=200000000 conv=notrunc status=none
    if said=$(OXIDE_ENZYME_HOME=$moved cargo enzyme doctor); then failed "a changed engine is healthy"; fi
    grep --max-count=1 --fixed-strings "$engine was changed" <<<"$said" || failed "a changed engine is not named"
    chmod -R u+w "$moved"
    rm -r "$moved"

    examples=()
    for manifest in "$source"/examples/*/Cargo.toml; do
        examples+=("$(basename "$(dirname "$manifest")")")
    done
    cd "$source"
    step "tests of the crate and of the examples"
    # The wording of rustc's messages is compared by the release that rust-toolchain.toml names; the image's rustc is another.
    cargo enzyme test --quiet --package oxide-enzyme "${examples[@]/#/--package=}" -- --skip misuse_
    for example in "${examples[@]}"; do
        step "example $example"
        cargo enzyme run --quiet --package "$example" >"/tmp/$example.out" 2>&1 ||
            failed "$example: $(cat "/tmp/$example.out")"
        tail -n 2 "/tmp/$example.out"
    done
fi
step "passed"
