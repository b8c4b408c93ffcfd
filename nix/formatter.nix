# `nix fmt`: the code of the workspace by rustfmt.
{ run, busybox, rustc }:
run {
  name = "formatter";
  script = ''
    mkdir -p $out/bin
    {
      echo '#!${busybox}/bin/sh'
      echo 'export PATH=${rustc}/usr/bin:$PATH'
      echo 'exec cargo fmt --all'
    } > $out/bin/formatter
    chmod +x $out/bin/formatter
  '';
}
