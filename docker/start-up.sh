#!/usr/bin/env bash
# How fast a program with a gradient starts in the image, and how fast the same file starts outside of it. Only prints: times
# depend on what else the machine does.
#
#     docker/start-up.sh COMMAND...        e.g. docker/start-up.sh docker/with-bubblewrap.sh ROOT
#
# COMMAND runs a command in the image, with the directory SCRATCH as /tmp, as the with-*.sh scripts do.
# PROGRAM: the program (default: examples/quickstart, built here).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac

if [[ -z ${PROGRAM:-} ]]; then
    cd "$here/.."
    cargo enzyme build --quiet --release --package quickstart
    PROGRAM=$(cargo metadata --no-deps --format-version 1 | jq --raw-output .target_directory)/enzyme/release/quickstart
    cd - >/dev/null
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 1777 "$work"
cp "$PROGRAM" "$work/program"
cp "$here/inside/start-up.sh" "$work/"
chmod 755 "$work"/*

# Three times in turn, and the best of each: what disturbs one disturbs the other.
outside=() inside=()
for _ in 1 2 3; do
    outside+=("$("$work/start-up.sh" "$work/program")")
    inside+=("$(SCRATCH=$work "$@" /tmp/start-up.sh /tmp/program)")
done
best() { printf '%s\n' "$@" | sort --numeric-sort | head -n 1; }
awk -v outside="$(best "${outside[@]}")" -v inside="$(best "${inside[@]}")" 'BEGIN {
    printf "outside %.3f ms, in the image %.3f ms: %.2f times\n", outside, inside, inside / outside }'
start=${EPOCHREALTIME/./}
SCRATCH=$work "$@" /tmp/program >/dev/null
echo "with the start of the container: $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
