# What the toolchain is, read from the one lock of every door. Nothing here adds to it: a package, wheel or crate that no lock
# names is an error at evaluation, so no build can begin with it.
{ system }:
let
  file = ../toolchain/toolchain.lock;
  lock = builtins.fromTOML (builtins.readFile file);
  crates = builtins.fromTOML (builtins.readFile ../Cargo.lock);

  # The lock writes platforms the other way round.
  platform =
    {
      x86_64-linux = "linux-x86_64";
      aarch64-linux = "linux-aarch64";
    }
    .${system};

  byName = list: builtins.listToAttrs (map (item: { inherit (item) name; value = item; }) list);
  here = list: builtins.filter (item: item.platform == platform) list;

  packages = byName (here lock.package);
  artifacts = builtins.listToAttrs (
    map (item: { name = item.id; value = item; }) (here lock.artifact)
  );
  get =
    what: set: name:
    set.${name} or (throw "toolchain/toolchain.lock has no ${what} `${name}` for ${platform}: `cargo enzyme toolchain lock` makes the lock from toolchain/manifest.toml");
in
{
  inherit platform file;

  # A Debian package or a wheel of this platform, by name.
  package = get "package" packages;
  artifact = get "artifact" artifacts;

  # All of them.
  packages = builtins.attrValues packages;
  artifacts = builtins.attrValues artifacts;

  # Every crate that Cargo.lock takes from the registry; our own have no checksum.
  crates = builtins.filter (crate: crate ? checksum) crates.package;

  # The name of the portable toolchain's folder in a store, as `cargo enzyme toolchain key` gives it.
  key = "${builtins.substring 0 24 (builtins.hashFile "sha256" file)}-portable-${platform}";
}
