#!/usr/bin/env bash
# Builds a plugin for LLVM, loads it into rustc, clang and opt, and sees it run. For a machine, or inside the image, where all
# three use one shared libLLVM; there no option and no patch is needed but RUSTC_BOOTSTRAP for rustc's unstable option.
#
#     docker/llvm-plugin/test.sh
#
# Writes nothing but below TMPDIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in
    -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A plugin for another LLVM may hang, hence the time limit.
limited() { timeout 600 "$@" || { echo "error: failed, or took more than 600 s: $*" >&2; return 1; }; }

limited clang++ $(llvm-config --cxxflags) -fPIC -shared "$here/CountFunctions.cpp" -o count-functions.so

printf 'int square(int x) { return x * x; }\nint main(void) { return square(0); }\n' >c.c
printf '#include <vector>\nint main() { return (int)std::vector<int>{1, 2}.size() - 2; }\n' >cpp.cpp
printf 'fn main() { println!("{}", std::env::args().count()); }\n' >rust.rs

# Runs a command, which must say that the plugin ran on its module and shares LLVM with it.
expect() {
    local who=$1 output
    shift
    output=$(limited "$@" 2>&1) || { printf 'error: %s failed:\n%s\n' "$who" "$output" >&2; exit 1; }
    if ! grep -m 1 "^count-functions: [1-9].*, one LLVM$" <<<"$output" >"$work/said"; then
        printf 'error: the plugin did not run in %s, which said:\n%s\n' "$who" "$output" >&2
        exit 1
    fi
    printf '%s: %s\n' "$who" "$(cat "$work/said")"
}

expect "clang, C" clang -O1 -fpass-plugin=./count-functions.so c.c -o from-c
expect "clang, C++" clang++ -O1 -fpass-plugin=./count-functions.so cpp.cpp -o from-cpp
expect "rustc" env RUSTC_BOOTSTRAP=1 rustc -O -Zllvm-plugins=./count-functions.so rust.rs -o from-rust
limited clang -O1 -S -emit-llvm c.c -o c.ll
expect "opt" opt -load-pass-plugin=./count-functions.so -passes=count-functions -disable-output c.ll

./from-c && ./from-cpp && [[ $(./from-rust a b) == 3 ]] || { echo "error: a program is wrong" >&2; exit 1; }
echo "passed"
