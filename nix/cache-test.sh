#!/usr/bin/env bash
# A binary cache of one's own, on loopback: signed paths are copied to a folder, served by HTTP, and taken by a machine that trusts the
# key. One that does not trust it takes nothing, and neither does one that trusts it but gets other bytes.
# Usage: nix/cache-test.sh MIRROR
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    chmod -R u+w "$scratch"
    rm -rf "$scratch"
}
trap cleanup EXIT
mirror=$(realpath "${1:?usage: nix/cache-test.sh MIRROR}")
. nix/settings.sh

output=legacyPackages.x86_64-linux.patchelf
nix build --no-link ".#$output"
path=$(nix eval --raw ".#$output.outPath")

nix key generate-secret --key-name oxide-enzyme-test-1 >"$scratch/secret"
nix key convert-secret-to-public <"$scratch/secret" >"$scratch/public"
nix store sign --recursive --key-file "$scratch/secret" "$path"
nix copy --to "file://$scratch/cache" "$path"

# A web server that is there in any case: the toolchain's own busybox. Whichever port is free.
nix build --no-link ".#legacyPackages.x86_64-linux.busybox"
busybox=$(nix eval --raw ".#legacyPackages.x86_64-linux.busybox.outPath")/bin/busybox
for port in $(seq 8790 8830); do
    "$busybox" httpd -f -p "127.0.0.1:$port" -h "$scratch/cache" &
    server=$!
    sleep 0.3
    kill -0 "$server" 2>/dev/null && break
    server=
done
[ -n "$server" ] || { echo "no free port between 8790 and 8830 on 127.0.0.1" >&2; exit 1; }
cache=http://127.0.0.1:$port

# Another machine: an empty store.
takes() {
    nix copy --from "$cache" --to "$scratch/$1" --option trusted-public-keys "$2" "$path" 2>"$scratch/log"
}
takes trusting "$(cat "$scratch/public")" || { cat "$scratch/log" >&2; exit 1; }
diff -r "$path" "$scratch/trusting$path"
echo "taken from $cache with the key"

if takes distrustful "somebody-else-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; then
    echo "a path was taken without a key that is trusted" >&2
    exit 1
fi
grep -q "signature" "$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
echo "refused without the key"

for archive in "$scratch"/cache/nar/*; do
    printf 'changed' >"$archive"
done
if takes deceived "$(cat "$scratch/public")"; then
    echo "changed bytes were taken" >&2
    exit 1
fi
echo "refused where bytes were changed"
