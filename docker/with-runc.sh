#!/usr/bin/env bash
# Runs a command in the image by runc or crun, with nothing around them: no network, everything read-only but /tmp, no
# capabilities. Who is not root gets a user namespace, and is root in there: runc wants that.
#
#     docker/with-runc.sh ROOT COMMAND [ARGUMENT...]
#
# ROOT is the image as a directory (`cargo enzyme image convert --to directory ROOT`). RUNTIME: runc (default) or crun.
# SCRATCH: a directory of this machine to be /tmp (default: an empty one in memory).
set -euo pipefail
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
root=$(realpath "$1")
runtime=${RUNTIME:-runc}
shift

bundle=$(mktemp -d)
trap 'rm -rf "$bundle"' EXIT
mkdir "$bundle/state"
rootless=()
[[ $(id -u) -eq 0 ]] || rootless=(--rootless)
(cd "$bundle" && "$runtime" spec "${rootless[@]}")
# What the runtime proposes, with our command, and less of everything.
jq --arg root "$root" --arg scratch "${SCRATCH:-}" --rawfile environment "$root/ch/environment" '
    .root = { path: $root, readonly: true }
    | .process.terminal = false
    | .process.args = $ARGS.positional
    | .process.cwd = "/tmp"
    | .process.env = ($environment | split("\n") | map(select(. != "")))
    | .process.noNewPrivileges = true
    | .process.capabilities |= map_values([])
    | (if .linux.uidMappings then . else .process.user = { uid: 1000, gid: 1000 } end)
    | .mounts += [if $scratch == ""
        then { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] }
        else { destination: "/tmp", type: "bind", source: $scratch, options: ["bind", "rw", "nosuid", "nodev"] } end]
    | .linux.namespaces |= (map(select(.type != "network")) + [{ type: "network" }])
    ' "$bundle/config.json" --args -- "$@" >"$bundle/new.json"
mv "$bundle/new.json" "$bundle/config.json"
start=("$runtime" --root "$bundle/state")
if [[ $runtime == crun ]]; then
    # It need not count anything.
    start+=(--cgroup-manager=disabled)
    # It refuses machines that mix both versions of control groups, even so; give it a view of the second alone.
    if [[ -d /sys/fs/cgroup/unified && $(id -u) -eq 0 ]]; then
        start=(unshare --mount sh -c 'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' crun "${start[@]}")
    fi
fi
"${start[@]}" run --bundle "$bundle" "oxide-enzyme-$$"
