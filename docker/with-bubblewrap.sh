#!/usr/bin/env bash
# Runs a command in the image by bubblewrap: no network, everything read-only but /tmp, no root.
#
#     docker/with-bubblewrap.sh ROOT COMMAND [ARGUMENT...]
#
# ROOT is the image as a directory (`cargo enzyme image convert --to directory ROOT`).
# SCRATCH: a directory of this machine to be /tmp (default: an empty one in memory).
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
root=$1
shift

environment=()
while IFS='=' read -r name value; do
    environment+=(--setenv "$name" "$value")
done <"$root/ch/environment"
if [[ -n ${SCRATCH:-} ]]; then tmp=(--bind "$SCRATCH" /tmp); else tmp=(--perms 1777 --tmpfs /tmp); fi

exec bwrap --unshare-all --die-with-parent --new-session --uid 1000 --gid 1000 \
    --ro-bind "$root" / --proc /proc --dev /dev "${tmp[@]}" --chdir /tmp --clearenv "${environment[@]}" "$@"
