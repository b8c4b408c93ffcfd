#!/usr/bin/env bash
# Installs Debian's Nix if there is none. Needs root for that.
set -euo pipefail
if command -v nix >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "nix/install.sh: there is no Nix here; as root on Debian or Ubuntu this script installs it (apt-get install nix-bin)" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nix-bin git >/dev/null
