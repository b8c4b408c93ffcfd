# The bundle is accepted by the command that unpacks bundles, and its toolchain computes gradients.
{ run, toolchain, bundle }:
run {
  name = "check-bundle";
  tools = [ toolchain ];
  script = ''
    export OXIDE_ENZYME_HOME=/build/store HOME=/build
    cargo-enzyme toolchain unbundle ${bundle}/*.tar.zst
    # The sandbox has no interpreter at the usual place.
    cp ${toolchain}/share/oxide-enzyme/engine-loader $OXIDE_ENZYME_HOME/
    cargo-enzyme doctor | tee $out
  '';
}
