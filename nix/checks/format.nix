# rustfmt has nothing to say.
{ run, rustc, source }:
run {
  name = "check-format";
  tools = [ "${rustc}/usr" ];
  script = ''
    cd ${source}
    cargo fmt --all --check | tee $out
  '';
}
