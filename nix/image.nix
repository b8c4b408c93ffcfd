# The container image as an OCI layout, by `cargo enzyme image build`: same lock, same source, same manifest digest as by that command
# outside of Nix. Everything it would fetch is laid out for it, as copies: it takes no links.
{ run, fetch, lock, debs, cargo-enzyme, busybox, source, revision }:
let
  place = sha256: file: "cp ${file} mirror/sha256/${sha256}\n";
  package = item: place item.sha256 (builtins.head (debs [ item.name ]));
  artifact = item: place item.sha256 (fetch { name = item.file; inherit (item) sha256; });
  crate =
    item:
    let
      name = "${item.name}-${item.version}.crate";
    in
    "cp ${fetch { inherit name; sha256 = item.checksum; }} cargo/registry/cache/mirror/${name}\n";
in
(run {
  name = "image";
  tools = [ cargo-enzyme ];
  script = ''
    mkdir -p mirror/sha256 cargo/registry/cache/mirror home
    ${builtins.concatStringsSep "" (map package lock.packages ++ map artifact lock.artifacts ++ map crate lock.crates)}
    export CARGO_HOME=$PWD/cargo HOME=$PWD/home OXIDE_ENZYME_HOME=$PWD/store
    # The image's compiler runs in small scripts, which want a shell at the usual place.
    [ -e /bin/sh ] || { mkdir -p /bin; ln -s ${busybox}/bin/sh /bin/sh; }
    cp -r ${source} source
    chmod -R u+w source
    mkdir -p $out
    cargo-enzyme image build --source source --revision ${revision} --mirror $PWD/mirror --output $out/oxide-enzyme.oci
  '';
})
// {
  inherit revision;
}
