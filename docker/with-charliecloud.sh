#!/usr/bin/env bash
# Runs a command in the image by Charliecloud, as on clusters: no root, no set-user-ID helper, everything read-only but /tmp.
#
#     docker/with-charliecloud.sh ROOT COMMAND [ARGUMENT...]
#
# ROOT is the image as a directory (`cargo enzyme image convert --to directory ROOT`), or one SquashFS file (`--to squashfs FILE`).
# SCRATCH: a directory of this machine to be /tmp (default: an empty one in memory).
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
root=$1
shift

# ch-run wants to know who runs it; batch systems do not always say.
export USER=${USER:-$(id -un 2>/dev/null || id -u)}
# A copy: in a SquashFS file the image's own is not to be had before it is mounted.
environment=$(mktemp)
trap 'rm -f "$environment"' EXIT
if [[ -d $root ]]; then cat "$root/ch/environment"; else unsquashfs -cat "$root" ch/environment; fi >"$environment"
if [[ -n ${SCRATCH:-} ]]; then tmp=(--bind "$SCRATCH:/tmp"); else tmp=(--private-tmp); fi
# ch-run leaves the network as it is; a namespace of its own has none.
if [[ $(id -u) -eq 0 ]]; then alone=(unshare --net); else alone=(unshare --map-current-user --net); fi

"${alone[@]}" ch-run --uid 1000 --gid 1000 "${tmp[@]}" --cd /tmp --unset-env='*' --set-env="$environment" "$root" -- "$@"
