#!/usr/bin/env bash
# Packs the image into one tar file, which is both an OCI archive (Podman, Apptainer, skopeo) and what every `docker load` reads.
#
#     docker/archive.sh LAYOUT FILE [NAME]
#
# LAYOUT is what `cargo enzyme image build` wrote. NAME is what Docker will call it (default: oxide-enzyme:latest).
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
layout=$1 file=$2 name=${3:-oxide-enzyme:latest}

# Docker before version 25 does not read index.json; it wants to be told in a file of its own.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
blob() { printf 'blobs/%s' "${1/://}"; }
manifest=$layout/$(blob "$(jq --exit-status --raw-output '.manifests[0].digest' "$layout/index.json")")
jq --arg name "$name" '
    def blob: "blobs/" + sub(":"; "/");
    [{ Config: (.config.digest | blob), RepoTags: [$name], Layers: [.layers[].digest | blob] }]' "$manifest" >"$work/manifest.json"
tar --create --file "$file" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=a+r \
    --directory "$(realpath "$layout")" oci-layout index.json blobs --directory "$work" manifest.json
