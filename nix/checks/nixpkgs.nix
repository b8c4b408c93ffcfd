# The way through nixpkgs says what it should, as far as stand-ins can tell. An evaluation: a wrong line stops it with its name.
{ run }:
run {
  name = "check-nixpkgs";
  script = ''
    [ ${if import ../nixpkgs/assertions.nix then "true" else "false"} = true ]
    touch $out
  '';
}
