# The offline bundle of the portable toolchain, by the same command as everywhere.
{ run, toolchain, enzyme }:
run {
  name = "bundle";
  tools = [ toolchain ];
  script = ''
    # Bundling looks for objects beside the toolchain and may write there, so it gets a store of its own.
    export OXIDE_ENZYME_HOME=/build/store HOME=/build
    cp -r ${enzyme}/share/oxide-enzyme $OXIDE_ENZYME_HOME
    chmod -R u+w $OXIDE_ENZYME_HOME
    mkdir -p $out
    cd $out
    cargo-enzyme toolchain bundle
  '';
}
