#!/usr/bin/env bash
# Runs the tests of derivatives under valgrind: what the library and the code that Enzyme makes read, write and release is checked.
# It stands in for Miri, which runs neither inline assembly nor Enzyme's code.
#
#     tests/memory.sh [TEST...]       (default: all of tests/conformance but not_under_valgrind, in debug)
#
# An error of valgrind's fails the test program with status 99. Memory that is still held at the end is no error: what a panic
# would have dropped inside of a derivative leaks (docs/src/limits.md).
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
# As root it is installed.
command -v valgrind >/dev/null || [[ $(id -u) -ne 0 ]] ||
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --yes --quiet=2 --no-install-recommends valgrind >/dev/null
command -v valgrind >/dev/null || { echo "error: valgrind is missing: install it" >&2; exit 2; }

tests=("${@/#/--test=}")
if [[ $# -eq 0 ]]; then
    for file in tests/conformance/tests/*.rs; do
        name=$(basename "$file" .rs)
        # It says why itself.
        [[ $name == not_under_valgrind ]] || tests+=("--test=$name")
    done
fi
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${host}_RUNNER=valgrind --quiet --error-exitcode=99 --leak-check=no"
cargo enzyme test --package conformance --no-fail-fast --quiet "${tests[@]}"
