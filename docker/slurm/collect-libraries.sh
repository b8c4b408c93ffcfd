#!/usr/bin/env bash
# Copies the shared libraries of this machine that a program needs and an image lacks: its MPI, that is.
#
#     docker/slurm/collect-libraries.sh PROGRAM IMAGE DIRECTORY
#
# IMAGE is an unpacked image (a directory). Bind DIRECTORY into the container and name it in LD_LIBRARY_PATH, as
# mpi-regression.sbatch does. The image's C library must be no older than this machine's.
set -euo pipefail
if [[ $# -ne 3 ]]; then
    sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"
    [[ ${1:-} == -h || ${1:-} == --help ]]
    exit
fi
program=$1 image=$2 directory=$3
mkdir -p "$directory"
if missing=$(ldd "$program" | grep "not found"); then
    echo "error: this machine lacks libraries of $program itself:" >&2
    echo "$missing" >&2
    exit 1
fi
ldd "$program" | awk '$2 == "=>" { print $1, $3 }' | while read -r name path; do
    # -print -quit: the first is enough; links in the image are links inside the image, so names are looked for, not files.
    found=$(find -H "$image/lib" "$image/lib64" "$image/usr/lib" "$image/usr/local/lib" -name "$name" -print -quit 2>/dev/null || true)
    [[ -n $found ]] || cp --dereference "$path" "$directory/$name"
done
