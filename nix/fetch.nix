# A file by its sha256, and nothing else: the only derivations that may look outside of the sandbox.
#
# They are content-addressed, so where the bytes come from does not matter. Nix asks its `hashed-mirrors` first, for
# MIRROR/sha256/HEX; `cargo enzyme toolchain mirror` writes such a folder. No other address is written down here: packages, wheels and
# crates come by apt, pip and cargo, in that command. The address below leads nowhere, and says so when no mirror has the file.
# The output is a plain file (`flat`): only then does Nix ask a mirror. It is never executable, which busybox.nix has to live with.
{ name, sha256 }:
let
  url = "file:///not-in-the-mirror/${name}";
in
derivation {
  # A store path allows few characters; Debian's versions use more.
  name = builtins.replaceStrings [ "~" "%" ":" ] [ "-" "-" "-" ] name;
  system = "builtin";
  builder = "builtin:fetchurl";
  inherit url;
  # The older name of the same, which some versions of Nix read.
  urls = [ url ];
  outputHashMode = "flat";
  outputHashAlgo = "sha256";
  outputHash = sha256;
  executable = false;
  unpack = false;
  preferLocalBuild = true;
  # A site's proxy is how a mirror by HTTP may have to be reached; the hash makes it harmless.
  impureEnvVars = [ "http_proxy" "https_proxy" "ftp_proxy" "all_proxy" "no_proxy" ];
}
