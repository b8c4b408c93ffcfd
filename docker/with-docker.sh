#!/usr/bin/env bash
# Runs a command in the image by Docker: no network, everything read-only but /tmp, no root, no capabilities.
#
#     docker/with-docker.sh IMAGE COMMAND [ARGUMENT...]
#
# IMAGE is a name that `docker images` lists; docker/load.sh brings an image there. ENGINE: docker (default) or podman.
# RUNTIME: what that starts containers by, such as runc (default: its own choice).
# SCRATCH: a directory of this machine to be /tmp (default: an empty one in memory).
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
image=$1
shift

# exec: programs are built and run there.
if [[ -n ${SCRATCH:-} ]]; then tmp=(--volume "$SCRATCH:/tmp"); else tmp=(--tmpfs /tmp:exec,mode=1777); fi
engine=("${ENGINE:-docker}" run)
if [[ ${ENGINE:-docker} == podman ]]; then
    # Podman would raise these limits, which not every root may; and it would make /run and /var/tmp writable.
    engine+=(--ulimit "nofile=$(ulimit -Sn):$(ulimit -Sn)" --ulimit nproc=4096:4096 --read-only-tmpfs=false)
fi
[[ -z ${RUNTIME:-} ]] || engine+=(--runtime "$RUNTIME")
# The user is the image's own, 1000.
exec "${engine[@]}" --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    "${tmp[@]}" "$image" "$@"
