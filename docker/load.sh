#!/usr/bin/env bash
# Brings the image into Docker or Podman.
#
#     docker/load.sh LAYOUT [NAME]        e.g. docker/load.sh oxide-enzyme.oci oxide-enzyme:latest
#
# LAYOUT is what `cargo enzyme image build` wrote. ENGINE: docker (default) or podman.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
layout=$(realpath "$1") name=${2:-oxide-enzyme:latest}

if [[ ${ENGINE:-docker} == podman ]]; then
    # Podman reads layouts as they are. The last line is the image's ID.
    podman tag "$(podman pull --quiet "oci:$layout" | tail -n 1)" "$name"
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$here/.."
    cargo enzyme image convert --quiet --to docker-archive "$work/image.tar" --layout "$layout"
    # The archive has a name of its own; what had that name before shall keep it.
    own=$(tar --extract --to-stdout --file "$work/image.tar" manifest.json | jq --raw-output '.[0].RepoTags[0]')
    before=$(docker images --quiet --no-trunc "$own")
    docker load --quiet --input "$work/image.tar" >/dev/null
    docker tag "$own" "$name"
    if [[ $own != "$name" ]]; then
        docker rmi "$own" >/dev/null
        [[ -z $before ]] || docker tag "$before" "$own"
    fi
    echo "$name"
fi
