#!/usr/bin/env bash
# What derivatives add to the time of a build.
#
# Builds examples/linear-algebra in release four times over: without and with its derivative, and both inside a program
# that is ten times larger (by lines; generated functions that main uses). Dependencies are compiled before the clock
# starts. Then, for each program:
#
#   nothing changed   the build is asked for again
#   touched           the source file has a new date, and the same content
#   edit elsewhere    something that is printed was changed, outside of what is differentiated
#   edit inside       the differentiated function itself was changed
#
# It prints a table: seconds, the median of REPEATS runs. Nothing is asserted, because it depends on the machine.
#
#   benches/build-cost.sh              3 runs of each
#   REPEATS=5 benches/build-cost.sh    5 runs of each
#
# CARGO_ENZYME names another cargo-enzyme than the one of this checkout, which is built (as the alias does) if need be.
# The network is needed only if the examples' dependencies were never fetched.
set -euo pipefail
cd "$(dirname "$0")/.."

checkout=$PWD
repeats=${REPEATS:-3}
unset CARGO_TARGET_DIR
export CARGO_TERM_QUIET=true CARGO_TERM_COLOR=never

if [ -z "${CARGO_ENZYME:-}" ]; then
    cargo build --package cargo-enzyme --bin cargo-enzyme
    CARGO_ENZYME=$checkout/target/debug/cargo-enzyme
fi
"$CARGO_ENZYME" enzyme setup --quiet

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp rust-toolchain.toml "$scratch/"
# A copy: another build of the driver meanwhile would make cargo compile everything again.
cp "$CARGO_ENZYME" "$scratch/cargo-enzyme"
CARGO_ENZYME=$scratch/cargo-enzyme

# A project with the example's dependencies, at the versions of this checkout's Cargo.lock.
project() { # NAME
    mkdir -p "$scratch/$1/src"
    cp Cargo.lock "$scratch/$1/"
    {
        printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n' "$1"
        printf 'oxide-enzyme = { path = "%s/crates/oxide-enzyme" }\n' "$checkout"
        grep -E '^(nalgebra|ndarray) = ' examples/linear-algebra/Cargo.toml
        printf '\n[lints.rust]\nunused = "allow"\n\n[workspace]\n'
    } >"$scratch/$1/Cargo.toml"
    cp examples/linear-algebra/src/main.rs "$scratch/$1/src/"
}

# The same program, which evaluates the function where it had the derivative.
without_derivative() { # NAME
    sed -i -e '/^use oxide_enzyme/d' -e '/^#\[autodiff_/d' \
        -e 's/likelihood_reverse(log, &mut slopes, \(.*\), 1\.0);/(likelihood(log, \1), 0.0);/' \
        "$scratch/$1/src/main.rs"
    if grep -q likelihood_reverse\( <(grep -v '^///' "$scratch/$1/src/main.rs"); then
        echo "the example has changed: this script must follow" >&2
        exit 1
    fi
}

# Nine times the example's lines of other code, each function different and used; inlined into one, they would take forever.
enlarge() { # NAME
    local main=$scratch/$1/src/main.rs functions
    functions=$(($(wc -l <"$main") * 9 / 13))
    {
        for n in $(seq "$functions"); do
            cat <<RUST
#[inline(never)]
fn work_$n(count: usize) -> f64 {
    let mut values: Vec<f64> = (0..count).map(|i| (i as f64 * 0.$n).sin()).collect();
    for step in 1..=count {
        let shift = values[step % values.len()];
        values.iter_mut().for_each(|value| *value = (*value + shift) * 0.5);
        if values.iter().sum::<f64>() < -${n}.0 {
            values.push(step as f64);
        }
    }
    values.retain(|value| value.abs() < $n.75);
    values.iter().enumerate().map(|(i, value)| value / (i + $n) as f64).sum()
}
RUST
        done
        printf 'pub fn all(count: usize) -> f64 {\n    0.0'
        for n in $(seq "$functions"); do printf ' + work_%s(count)' "$n"; done
        printf '\n}\n'
    } >"$scratch/$1/src/generated.rs"
    sed -i 's|^use nalgebra|mod generated;\n&|; s|^fn main() {|&\n    println!("{}", generated::all(std::env::args().count()));|' "$main"
}

# Target folders are shared, so that dependencies are compiled once for each kind.
plain() { cargo build --release --target-dir "$scratch/target-plain"; }
enzyme() { "$CARGO_ENZYME" enzyme build --release --target-dir "$scratch/target-enzyme"; }

nothing_changed() { :; }
touched() { touch src/main.rs; }
edit_elsewhere() { # RUN
    sed -i "s/step   -log likelihood *[0-9]*/step   -log likelihood $1/" src/main.rs
}
edit_inside() { # RUN
    sed -i "s/let constant = .*residuals\.len() as f64/let constant = $1.5 + residuals.len() as f64/" src/main.rs
}

# The seconds of each run of BUILD after CHANGE, one a line.
runs() { # BUILD CHANGE
    local run start end
    for run in $(seq "$repeats"); do
        "$2" "$run"
        sleep 0.1 # File systems with coarse dates.
        start=${EPOCHREALTIME/,/.}
        "$1" >&2
        end=${EPOCHREALTIME/,/.}
        awk -v a="$start" -v b="$end" 'BEGIN { printf "%.2f\n", b - a }'
    done
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

row() { # TITLE CHANGE PROGRAM
    local without with
    without=$(cd "$scratch/$3-plain" && runs plain "$2" | median)
    with=$(cd "$scratch/$3-enzyme" && runs enzyme "$2" | median)
    awk -v t="$1" -v p="$3" -v a="$without" -v b="$with" \
        'BEGIN { printf "| %-9s | %-15s | %6.2f | %6.2f | %6.2f |\n", p, t, a, b, b - a }'
}

for program in example tenfold; do
    for kind in plain enzyme; do
        project "$program-$kind"
        if [ "$kind" = plain ]; then without_derivative "$program-$kind"; fi
        if [ "$program" = tenfold ]; then enlarge "$program-$kind"; fi
        (cd "$scratch/$program-$kind" && "$kind")
    done
done

echo "$(nproc) cores, $(rustc --version | cut -d ' ' -f 1-2), release, median of $repeats, seconds"
wc -l "$scratch"/{example,tenfold}-enzyme/src/*.rs | awk '$2 != "total" {
    split($2, part, "/"); name = part[length(part) - 2]; sub("-enzyme", "", name); lines[name] += $1
} END { for (n in lines) printf "%s: %d lines\n", n, lines[n] }' | sort
echo
echo "| program   | build after     |  plain | enzyme |  added |"
echo "|-----------|-----------------|-------:|-------:|-------:|"
for program in example tenfold; do
    row "nothing changed" nothing_changed "$program"
    row "touched" touched "$program"
    row "edit elsewhere" edit_elsewhere "$program"
    row "edit inside" edit_inside "$program"
done
