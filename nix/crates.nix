# The crates of Cargo.lock, as `cargo vendor` lays them out, and the configuration that points cargo at them. Each archive is a fixed
# output by the checksum in Cargo.lock, so the crates need no second list, and a crate that was changed anywhere is refused by its name.
{ run, fetch, lock }:
let
  unpack =
    crate:
    let
      name = "${crate.name}-${crate.version}";
      archive = fetch {
        name = "${name}.crate";
        sha256 = crate.checksum;
      };
    in
    ''
      tar -xzf ${archive} -C $out/vendor
      echo '{"files":{},"package":"${crate.checksum}"}' > $out/vendor/${name}/.cargo-checksum.json
    '';
in
run {
  name = "crates";
  script = ''
    mkdir -p $out/vendor
    ${builtins.concatStringsSep "" (map unpack lock.crates)}
    cat > $out/config.toml <<END
    [source.crates-io]
    replace-with = "vendored"
    [source.vendored]
    directory = "$out/vendor"
    [net]
    offline = true
    END
  '';
}
