#!/usr/bin/env bash
# How fast a program with a gradient starts in the image, and how fast the same file starts outside of it. More than
# 1.2 times as long is said; it is no error, since times depend on what else the machine does.
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

# In turn, and the best of each: what disturbs one disturbs the other. On a busy machine that takes more than three rounds.
outside=() inside=()
best() { printf '%s\n' "$@" | sort --numeric-sort | head -n 1; }
within() { awk -v outside="$(best "${outside[@]}")" -v inside="$(best "${inside[@]}")" 'BEGIN { exit inside > 1.2 * outside }'; }
for round in {1..10}; do
    outside+=("$("$work/start-up.sh" "$work/program")")
    inside+=("$(SCRATCH=$work "$@" /tmp/start-up.sh /tmp/program)")
    ((round < 3)) || ! within || break
done
awk -v outside="$(best "${outside[@]}")" -v inside="$(best "${inside[@]}")" 'BEGIN {
    printf "outside %.3f ms, in the image %.3f ms: %.2f times\n", outside, inside, inside / outside }'
within || echo "warning: in the image a program takes more than 1.2 times as long to start" >&2
start=${EPOCHREALTIME/./}
SCRATCH=$work "$@" /tmp/program >/dev/null
echo "with the start of the container: $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
