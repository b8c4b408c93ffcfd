# A derivation that runs cargo on the workspace: offline, with the locked crates, in a folder whose path is always the same, because
# rustc writes paths into what it makes. The sandbox gives that folder (/build), and a home that can be written.
{ run, crates, source, compilers }:
{
  name,
  script,
  tools ? [ ],
  env ? { },
}:
run {
  inherit name env;
  tools = tools ++ compilers;
  script = ''
    export HOME=/build/home CARGO_HOME=/build/cargo CARGO_TARGET_DIR=/build/target CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
    mkdir -p $HOME $CARGO_HOME
    cp ${crates}/config.toml $CARGO_HOME/config.toml
    cp -r ${source} source
    chmod -R u+w source
    cd source
    ${script}
  '';
}
