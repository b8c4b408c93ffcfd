#!/usr/bin/env bash
# Runs the image in every way that this machine has, and checks what must hold inside of it (docker/inside/test.sh): without a
# network, without root, with nothing to write to but /tmp.
#
#     docker/test.sh LAYOUT [ROOT]
#
# LAYOUT is what `cargo enzyme image build` wrote. ROOT is the same image as a directory (default: one is made of LAYOUT).
# As root it installs by apt what is missing. What was skipped, and why, is said at the end.
# WAYS: which ways to try (default: all), as in WAYS="docker bubblewrap". FULL: in which of them to run the tests of the crate and
# the examples too (default: bubblewrap docker charliecloud). SCRATCH: a directory to keep what is compiled (default: none).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${1:---help} in -h | --help) sed -n '2,/^set/ s/^# \{0,1\}//p' "$0"; exit ;; esac
layout=$(realpath "$1")
root=${2:+$(realpath "$2")}
full=${FULL-bubblewrap docker charliecloud}
ways=${WAYS:-bubblewrap docker charliecloud podman runc crun squashfs apptainer registry dockerfile}

skipped=()
skip() { skipped+=("$1: $2"); echo "skipped: $1: $2"; }
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }
wanted() { [[ " $ways " == *" $1 "* ]]; }

work=$(mktemp -d)
# What is to be removed from which engine.
names=()
cleanup() {
    for name in "${names[@]}"; do "${name%% *}" rmi --force "${name#* }" >/dev/null 2>&1 || true; done
    # What the image's user wrote there belongs to that user.
    rm -rf "$work"
}
trap cleanup EXIT

convert() { (cd "$here/.." && cargo enzyme image convert --quiet --to "$1" "$2" --layout "$layout"); }

# The programs that are missing, by their packages in Debian: installed by root, else those ways are skipped.
declare -A packages=([bwrap]=bubblewrap [ch-run]=charliecloud [podman]=podman [runc]=runc [crun]=crun [mksquashfs]=squashfs-tools
    [docker-registry]=docker-registry [skopeo]=skopeo [jq]=jq)
missing=()
for program in "${!packages[@]}"; do
    command -v "$program" >/dev/null || missing+=("${packages[$program]}")
done
if [[ ${#missing[@]} -gt 0 && $(id -u) -eq 0 ]]; then
    step "installing by apt: ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive timeout 540 apt-get -o DPkg::Lock::Timeout=300 install --yes --quiet=2 \
        --no-install-recommends "${missing[@]}" >/dev/null || echo "some could not be installed"
fi
command -v jq >/dev/null || { echo "error: jq is missing: install it" >&2; exit 2; }

if [[ -z $root ]]; then
    step "the image as a directory"
    root=$work/root
    convert directory "$root"
fi

# All ways share what they compile: dependencies once.
scratch=${SCRATCH:-$work/scratch}
mkdir -p "$scratch"
inside=/usr/src/oxide-enzyme/docker/inside/test.sh
try() {
    local way=$1 mode=short
    shift
    [[ " $full " != *" $way "* ]] || mode=full
    step "$way ($mode)"
    # What is built belongs to whom the image's user is outside: by Docker and the like to 1000, else to who runs this.
    local tmp=$scratch owner
    owner=$(id -u)
    case $way in docker | podman | runc | crun) owner=1000 ;; esac
    if [[ $(id -u) -eq 0 ]]; then
        chown --recursive "$owner" "$tmp"
    else
        tmp=$scratch/$way
        mkdir -p "$tmp"
    fi
    chmod 1777 "$tmp"
    SCRATCH=$tmp timeout 3000 "$@" "$inside" "$mode"
    # The next way compiles and differentiates the project itself again, and keeps what it depends on.
    rm -rf "$tmp/target/enzyme/.driver"
    find "$tmp/target/enzyme" -maxdepth 3 \( -name 'oxide[-_]enzyme*' -o -name 'quickstart-*' -o -name 'gradient-*' \) -exec rm -rf {} +
}
has() { command -v "$2" >/dev/null || { skip "$1" "$2 is missing"; return 1; }; }

if wanted bubblewrap && has bubblewrap bwrap; then
    try bubblewrap "$here/with-bubblewrap.sh" "$root"
    step "start-up"
    "$here/start-up.sh" "$here/with-bubblewrap.sh" "$root"
fi
if wanted docker || wanted dockerfile; then
    if ! timeout 20 docker info >/dev/null 2>&1; then
        for way in docker dockerfile; do ! wanted "$way" || skip "$way" "no Docker daemon answers"; done
    else
        name=oxide-enzyme:test-$$
        names+=("docker $name")
        step "docker load"
        "$here/load.sh" "$layout" "$name"
        if wanted docker; then
            try docker "$here/with-docker.sh" "$name"
            step "start-up by docker"
            "$here/start-up.sh" "$here/with-docker.sh" "$name"
        fi
        if wanted dockerfile; then
            step "a program of one's own, by docker build"
            mkdir "$work/project"
            chmod 1777 "$work/project"
            SCRATCH=$work/project "$here/with-docker.sh" "$name" \
                cargo enzyme new --quiet gradient --path /usr/src/oxide-enzyme
            names+=("docker gradient:test-$$")
            # The build's first stage stays behind without a name.
            nameless() { docker images --quiet --no-trunc --filter dangling=true | sort; }
            before=$(nameless)
            docker build --quiet --network none --tag "gradient:test-$$" --build-arg image="$name" --build-arg program=gradient \
                --build-arg cargo_home=/opt/cargo --file "$here/Dockerfile" "$work/project/gradient"
            for id in $(comm -13 <(echo "$before") <(nameless)); do names=("docker $id" "${names[@]}"); done
            docker run --rm --read-only --network none "gradient:test-$$"
        fi
    fi
fi
if wanted charliecloud && has charliecloud ch-run; then
    try charliecloud "$here/with-charliecloud.sh" "$root"
fi
if wanted podman && has podman podman; then
    name=localhost/oxide-enzyme:test-$$
    names+=("podman $name")
    step "podman pull"
    if ENGINE=podman "$here/load.sh" "$layout" "$name"; then
        runtime=
        # crun, which Podman prefers, refuses machines that mix both versions of control groups.
        [[ ! -d /sys/fs/cgroup/unified ]] || runtime=runc
        ENGINE=podman RUNTIME=$runtime try podman "$here/with-docker.sh" "$name"
    else
        skip podman "it does not work on this machine"
    fi
fi
for runtime in runc crun; do
    if wanted "$runtime" && [[ $(id -u) -ne 0 ]]; then
        skip "$runtime" "only root can be another user in there"
    elif wanted "$runtime" && has "$runtime" "$runtime"; then
        RUNTIME=$runtime try "$runtime" "$here/with-runc.sh" "$root"
    fi
done
if wanted squashfs && has squashfs mksquashfs && has squashfs ch-run; then
    step "one SquashFS file"
    convert squashfs "$work/image.sqfs"
    ls -l --human-readable "$work/image.sqfs"
    try squashfs "$here/with-charliecloud.sh" "$work/image.sqfs"
fi
if wanted apptainer && has apptainer apptainer; then
    step "apptainer build"
    convert oci-archive "$work/image.tar"
    apptainer build --build-arg "archive=$work/image.tar" "$work/image.sif" "$here/apptainer.def"
    try apptainer "$here/with-apptainer.sh" "$work/image.sif"
fi
if wanted registry && has registry docker-registry && has registry skopeo; then
    step "a registry"
    "$here/registry.sh" "$layout"
fi

step "done"
for reason in "${skipped[@]}"; do echo "skipped: $reason"; done
