# bash, only because `nix develop` asks a builder of that name what a shell's variables are.
{ tree }:
tree {
  name = "bash";
  packages = [
    "bash"
    "libtinfo6"
  ];
}
