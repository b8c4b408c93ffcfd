#!/usr/bin/env bash
# Packs the crates as they would be published, and says what a release would hold, if dist is installed
# (cargo install --locked cargo-dist).
set -euo pipefail
cd "$(dirname "$0")/.."

crates=(oxide-enzyme-macros oxide-enzyme enzyme-toolchain enzyme-driver cargo-enzyme)
# Together, so that they need not be published for each other; unverified, as programs with derivatives need `cargo enzyme`.
cargo package --offline --no-verify --allow-dirty "${crates[@]/#/--package=}"

# The lock and the image's definition are links in the checkout: their texts must be in the crate.
package=$(cargo metadata --no-deps --format-version 1 | jq --raw-output .target_directory)/package
version=$(cargo metadata --no-deps --format-version 1 | jq --raw-output '.packages[] | select(.name == "enzyme-toolchain").version')
for file in toolchain/toolchain.lock docker/image.toml; do
    tar --extract --gzip --to-stdout --file "$package/enzyme-toolchain-$version.crate" "enzyme-toolchain-$version/$(basename "$file")" |
        cmp - "$file"
done

if command -v dist >/dev/null; then
    dist plan
else
    echo "dist plan: not run (dist is not installed)"
fi
