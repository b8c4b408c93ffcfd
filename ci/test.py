"""Runs what the workflow files do for the toolchain, word for word, with a cache that is empty, full or damaged."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import yaml

# The last piece of a mirror that nothing answers on: who needs the network fails.
NO_NETWORK = {"PIP_NO_INDEX": "1"}
# Variables of the services that the commands may use.
INHERITED = ("PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "PIP_INDEX_URL", "PIP_CACHE_DIR", "PIP_CONFIG_FILE")


def github(path):
    """The commands of the steps that name and install the toolchain."""
    steps = yaml.safe_load(pathlib.Path(path).read_text())["jobs"].popitem()[1]["steps"]
    by_name = {step["name"]: step["run"] for step in steps if "run" in step}
    return [by_name["Name the toolchain"], by_name["Install the toolchain"]]


def gitlab(path):
    """The command that installs the toolchain: the one over several lines."""
    commands = yaml.safe_load(pathlib.Path(path).read_text())["derivatives"]["before_script"]
    return [command for command in commands if "\n" in command]


class Project:
    """A project's folder on a build machine, in which only the cache outlives a run."""

    def __init__(self, folder, commands):
        self.folder = folder
        self.commands = commands
        folder.mkdir()

    def run(self, extra):
        """Runs the commands on a machine without a store; returns what they printed, and whether they succeeded."""
        shutil.rmtree(self.folder / ".enzyme/store", ignore_errors=True)
        output = self.folder / "github-output"
        output.write_text("")
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {"OXIDE_ENZYME_HOME": str(self.folder / ".enzyme/store"), "GITHUB_OUTPUT": str(output)} | extra
        printed = ""
        for command in self.commands:
            # As both services start it.
            shell = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", command]
            done = subprocess.run(
                shell,
                cwd=self.folder,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=400,
            )
            printed += done.stdout
            if done.returncode != 0:
                return printed, False
        return printed, True

    def bundle(self):
        [bundle] = (self.folder / ".enzyme/bundles").iterdir()
        return bundle

    def verify(self):
        """Hashes every installed file."""
        environment = os.environ | {"OXIDE_ENZYME_HOME": str(self.folder / ".enzyme/store")}
        verify = ["cargo", "enzyme", "toolchain", "verify"]
        subprocess.run(verify, cwd=self.folder, env=environment, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def expect(condition, what, printed):
    if not condition:
        sys.exit(f"error: {what}\n{printed}")


def test(name, project):
    printed, passed = project.run({})
    expect(passed and "toolchain: downloaded" in printed, f"{name}: an empty cache: no set-up", printed)
    project.verify()
    digest = hashlib.sha256(project.bundle().read_bytes()).digest()
    print(f"{name}: empty cache: downloaded", flush=True)

    printed, passed = project.run(NO_NETWORK)
    expect(passed and "toolchain: from the cache" in printed, f"{name}: the cache was not used", printed)
    project.verify()
    print(f"{name}: full cache: restored without the network", flush=True)

    damaged = bytearray(project.bundle().read_bytes())
    damaged[len(damaged) // 2] ^= 1
    project.bundle().write_bytes(damaged)
    printed, passed = project.run(NO_NETWORK)
    expect(not passed, f"{name}: a damaged bundle was accepted", printed)
    project.bundle().write_bytes(damaged)
    printed, passed = project.run({})
    expect(passed and "toolchain: downloaded" in printed, f"{name}: no set-up after a damaged bundle", printed)
    expect(hashlib.sha256(project.bundle().read_bytes()).digest() == digest, f"{name}: another bundle", printed)
    project.verify()
    print(f"{name}: damaged cache: refused, downloaded, replaced", flush=True)


def main():
    work = pathlib.Path(sys.argv[1])
    own, users, other = github(".github/workflows/check.yml"), github("ci/github.yml"), gitlab("ci/gitlab.yml")
    expect(own == users, "check.yml and ci/github.yml differ in what they do for the toolchain", "")
    # Where the commands are the same text, one run stands for all.
    test("GitHub", Project(work / "github", users))
    if other == users[1:]:
        print("GitLab: the same commands")
    else:
        test("GitLab", Project(work / "gitlab", other))


main()
