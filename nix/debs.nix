# Debian packages by name, as fixed outputs.
{ fetch, lock }:
map (
  name:
  let
    package = lock.package name;
  in
  fetch {
    name = baseNameOf package.file;
    inherit (package) sha256;
  }
)
