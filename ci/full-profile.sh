#!/usr/bin/env bash
# The profile `full` for real: fetches every Debian package and the engine's wheel, lays them out as a mirror, makes a
# bundle from that mirror alone, installs it elsewhere, and makes the same bundle again from there.
# About 420 MB to download into the store of OXIDE_ENZYME_HOME, and 3 GB of scratch space.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if ! command -v apt-get > /dev/null; then
  echo "skipped: Debian packages come through apt, which is not here"
  exit 0
fi

toolchain() { cargo enzyme toolchain "$@" --quiet; }
elsewhere() { OXIDE_ENZYME_HOME="$scratch/$1" toolchain "${@:2}"; }

toolchain mirror "$scratch/mirror" --profile full
echo "mirror: $(find "$scratch/mirror" -type f | wc -l) files, $(du -sh "$scratch/mirror" | cut -f1), $SECONDS s"

# The names are the contents, which sha256sum can tell without us.
(cd "$scratch/mirror/sha256" && for file in *; do echo "$file  $file"; done | sha256sum --quiet --check)

elsewhere one bundle --profile full --mirror "$scratch/mirror" --output "$scratch/one.tar.zst"
elsewhere two unbundle "$scratch/one.tar.zst"
elsewhere two verify --profile full
elsewhere two bundle --profile full --offline --output "$scratch/two.tar.zst"
cmp "$scratch/one.tar.zst" "$scratch/two.tar.zst"
echo "bundle: $(stat -c %s "$scratch/one.tar.zst") bytes, the same twice, $SECONDS s"

# A few bytes of one package are enough.
victim=$(find "$scratch/mirror/sha256" -type f -size -100k | sort | sed -n 1p)
chmod u+w "$victim"
printf 'oxide' | dd of="$victim" bs=1 seek=1000 conv=notrunc status=none
if elsewhere three bundle --profile full --mirror "$scratch/mirror" --output "$scratch/three.tar.zst" 2> "$scratch/refusal"; then
  echo "a mirror with wrong bytes was accepted"
  exit 1
fi
grep --quiet --fixed-strings "$(basename "$victim")" "$scratch/refusal"
echo "wrong bytes: refused, $SECONDS s"
