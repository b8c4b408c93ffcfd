# A derivation whose builder is a script for busybox's shell: stdenv's place, in a few lines. What is on PATH is what `tools` says
# (folders that hold a `bin`) and busybox; everything else of the environment is empty.
{ busybox, system }:
{
  name,
  script,
  tools ? [ ],
  # More variables for the script.
  env ? { },
}:
derivation (
  env
  // {
    inherit name system;
    builder = "${busybox}/bin/sh";
    args = [
      "-euo"
      "pipefail"
      "-c"
      script
    ];
    PATH = builtins.concatStringsSep ":" (map (tool: "${tool}/bin") (tools ++ [ busybox ]));
    # The clock of what is built: the first second that zip archives can hold.
    SOURCE_DATE_EPOCH = "315532800";
  }
)
