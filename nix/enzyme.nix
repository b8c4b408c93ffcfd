# The engine and the LLVM of the portable profile, as `cargo enzyme setup` would install them: a store for OXIDE_ENZYME_HOME, with
# every file as the lock has it, because the driver compares them. The engine expects an interpreter at /lib64, so it is started through
# the loader of this toolchain, by a script: its own bytes stay those of the lock.
{ run, fetch, lock, tree, libc, busybox }:
let
  wheels = map lock.artifact [ "engine" "llvm" ];
  zlib = tree {
    name = "zlib";
    packages = [ "zlib1g" ];
  };
  unpack =
    wheel:
    let
      archive = fetch {
        name = wheel.file;
        inherit (wheel) sha256;
      };
      take = file: ''
        mkdir -p $(dirname ${file.to})
        unzip -p ${archive} ${file.from} > ${file.to}
        echo "${file.sha256}  ${file.to}" | sha256sum -c -
        chmod ${if file.executable then "555" else "444"} ${file.to}
      '';
    in
    builtins.concatStringsSep "" (map take wheel.files);
in
run {
  name = "enzyme";
  script = ''
    store=$out/share/oxide-enzyme
    mkdir -p $store/toolchains/${lock.key} $out/bin
    cd $store/toolchains/${lock.key}
    ${builtins.concatStringsSep "" (map unpack wheels)}
    cp ${lock.file} toolchain.lock
    # Read by the driver: the loader is put ahead of the engine.
    printf '%s\n' ${libc.interpreter} --library-path \
      $(echo ${libc}/usr/lib/*-linux-gnu ${zlib}/usr/lib/*-linux-gnu | tr ' ' :) > $store/engine-loader

    # For people who want Enzyme alone.
    {
      echo '#!${busybox}/bin/sh'
      echo "exec $(tr '\n' ' ' < $store/engine-loader) $PWD/bin/catalyst \"\$@\""
    } > $out/bin/enzyme
    chmod +x $out/bin/enzyme
    $out/bin/enzyme --version
  '';
}
