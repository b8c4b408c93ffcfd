# For sourcing: Nix as on an air-gapped machine, for everything started after this. Needs `scratch` (a folder) and `mirror` (a
# content-addressed one). As root, with no daemon; a plain Debian package of Nix is enough.
export NIX_CONF_DIR="$scratch/nix-conf" NIX_USER_CONF_FILES=/dev/null NIX_REMOTE=local
# What Nix remembers of caches, it remembers by their address, which on loopback is a new one's too.
export XDG_CACHE_HOME="$scratch/cache-home"
mkdir -p "$NIX_CONF_DIR"
cat > "$NIX_CONF_DIR/nix.conf" <<END
experimental-features = nix-command flakes
# Nothing comes from anywhere but the mirror: no cache of binaries, no registry of flakes.
substituters =
flake-registry =
hashed-mirrors = file://$mirror
# No user nixbld is set up; root builds, in the sandbox or not at all.
build-users-group =
sandbox = true
sandbox-fallback = false
# The mirror is read from inside the sandbox. This also takes away /bin/sh, which Debian's Nix would put there.
sandbox-paths = $mirror
warn-dirty = false
END
