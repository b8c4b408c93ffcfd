#!/usr/bin/env bash
# Checks the workflow files: by a parser, by the schemas of GitHub and GitLab, by actionlint; and then runs their steps for the toolchain,
# word for word, against an empty cache, a full one, and one with a flipped byte.
#
# Needs Python 3 with venv, and `cargo enzyme` of this checkout; downloads the toolchain twice, unless pip has it cached.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
timeout 120 "$work/venv/bin/pip" install --quiet --disable-pip-version-check --requirement ci/requirements.txt
PATH=$work/venv/bin:$PATH

check-jsonschema --builtin-schema vendor.github-workflows ci/github.yml .github/workflows/*.yml
check-jsonschema --builtin-schema vendor.gitlab-ci ci/gitlab.yml
actionlint ci/github.yml .github/workflows/*.yml

# The steps call `cargo enzyme` as it is installed for a user.
cargo build --quiet --package cargo-enzyme
PATH=$(cargo metadata --no-deps --format-version 1 | jq --raw-output .target_directory)/debug:$PATH

python ci/test.py "$work"
