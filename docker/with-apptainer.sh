#!/usr/bin/env bash
# Runs a command in the image by Apptainer (the former Singularity): no network, everything read-only but /tmp.
#
#     docker/with-apptainer.sh IMAGE COMMAND [ARGUMENT...]
#
# IMAGE is a SIF file (see apptainer.def) or the image as a directory.
# SCRATCH: a directory of this machine to be /tmp (default: an empty one in memory).
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
image=$1
shift

tmp=()
[[ -z ${SCRATCH:-} ]] || tmp=(--bind "$SCRATCH:/tmp")
exec apptainer exec --containall --no-home --net --network none --pwd /tmp "${tmp[@]}" "$image" "$@"
