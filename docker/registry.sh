#!/usr/bin/env bash
# Copies the image to a registry, or from one, as any other image; here to one on this machine and back, to see that both digests
# are the same.
#
#     docker/registry.sh LAYOUT
#
# For another registry: skopeo copy oci:LAYOUT docker://REGISTRY/NAME:TAG
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
layout=$1
digest() { jq --exit-status --raw-output '.manifests[0].digest' "$1/index.json"; }

work=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$work"' EXIT
for _ in {1..5}; do
    port=$((20000 + RANDOM % 20000))
    printf 'version: 0.1\nstorage: { filesystem: { rootdirectory: "%s" } }\nhttp: { addr: "127.0.0.1:%s" }\n' \
        "$work/registry" "$port" >"$work/config.yml"
    docker-registry serve "$work/config.yml" >"$work/log" 2>&1 &
    server=$!
    for _ in {1..50}; do
        kill -0 "$server" 2>/dev/null || break
        { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null && break 2
        sleep 0.1
    done
    server=
done
[[ -n $server ]] || { echo "error: docker-registry did not start:" >&2; cat "$work/log" >&2; exit 2; }

place=docker://127.0.0.1:$port/oxide-enzyme:test
timeout 300 skopeo copy --quiet --dest-tls-verify=false "oci:$layout" "$place"
timeout 300 skopeo copy --quiet --src-tls-verify=false "$place" "oci:$work/back:test"
pushed=$(digest "$layout") pulled=$(digest "$work/back")
[[ $pushed == "$pulled" ]] || { echo "error: pushed $pushed, pulled $pulled" >&2; exit 1; }
echo "pushed and pulled $pulled"
