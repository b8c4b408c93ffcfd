#!/usr/bin/env bash
# Builds examples/mpi-regression with MPI, and runs it with 1, 2 and 4 processes: by mpirun, and by srun on a Slurm cluster of one node.
#
#     docker/slurm/test.sh           with the program on this machine
#     docker/slurm/test.sh IMAGE     through srun also inside an unpacked image (a directory), with Charliecloud
#
# As root it installs by apt what is missing; otherwise it says what to install. Every run must report that loss and gradient are
# those of one process to 1e-12.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
case ${1:-} in
    -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;;
esac
image=${1:+$(realpath "$1")}
export USER=${USER:-$(id -un)}

packages=(mpich libmpich-dev libclang-dev munge slurmctld slurmd slurm-client iproute2 jq ${image:+charliecloud})
missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [[ ${#missing[@]} -gt 0 ]]; then
    if [[ $(id -u) -ne 0 ]]; then
        echo "error: not installed: ${missing[*]} (apt-get install them, or run this as root)" >&2
        exit 2
    fi
    echo "installing by apt: ${missing[*]}"
    # The services must not start: the test runs its own.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive timeout 540 \
        apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A target folder of its own: mpi-sys does not notice when MPICC changes.
target=$(cargo metadata --no-deps --format-version 1 | jq --raw-output .target_directory)/mpich
MPICC=mpicc.mpich timeout 900 \
    cargo enzyme build --release --package mpi-regression --features mpi --target-dir "$target"
cp "$target/release/mpi-regression" "$work/"
program=$work/mpi-regression

# Few steps: MPICH waits by spinning, which is slow where there are more processes than cores.
options=(--degree 2 --steps 30 --json)

# Checks the report of so many processes, from standard input, and prints it on one line.
expect() {
    jq --exit-status --raw-output --arg by "$1" --argjson processes "$2" '
        ([.relative_error.start, .relative_error.end] | map(.loss, .gradient) | max) as $error
        | if .passed and .processes == $processes and .loss.end < .loss.start and $error <= 1e-12
          then "\($by): \($processes) processes, loss \(.loss.end), off from one process by \($error)"
          else "\($by): \($processes) processes were expected; the report is \(.)\n" | halt_error end'
}

for processes in 1 2 4; do
    timeout 60 mpirun.mpich -n "$processes" "$program" "${options[@]}" | expect mpirun "$processes"
done

# Submits the job file for 1, 2 and 4 processes on a cluster of its own, and checks the reports. The first argument is a name.
under_slurm() {
    local status=0
    "$here/one-node.sh" bash -euc '
        for processes in 1 2 4; do
            timeout 60 sbatch --quiet --wait --ntasks="$processes" --output="$0/$1-$processes.out" "${@:2}"
        done' "$work" "$@" || status=$?
    for processes in 1 2 4; do
        [[ $status -ne 0 ]] || expect "srun, $1" "$processes" <"$work/$1-$processes.out" || status=$?
    done
    if [[ $status -ne 0 ]]; then
        echo "error: srun, $1: failed ($status); what the jobs printed:" >&2
        cat "$work/$1"-*.out >&2
    fi
    return "$status"
}

under_slurm host "$here/mpi-regression.sbatch" "$program" "${options[@]}"
if [[ -z $image ]]; then
    echo "inside the image: not run (name an unpacked image to run it there)"
else
    "$here/collect-libraries.sh" "$program" "$image" "$work/libraries"
    IMAGE=$image MPI_LIBRARIES=$work/libraries \
        under_slurm image "$here/mpi-regression.sbatch" "$program" "${options[@]}"
fi

echo "passed"
