use std::fs;

use tar::EntryType;
use tempfile::TempDir;

use super::*;
use crate::image::deb::testing::{RawEntry, deb};
use crate::progress::Silent;

const DEFINITION: &str = r#"
[config]
user = "1000:1000"
working-directory = "/"
command = ["/bin/sh"]
environment = { PATH = "/usr/bin" }

[annotations]

[[layer]]
name = "base"
title = "all"

[[without]]
packages = ["unwanted*"]
why = "a test"

[[drop]]
paths = ["usr/share/man/*"]
why = "a test"

[[directory]]
paths = ["tmp"]
mode = "1777"

[[link]]
path = "usr/bin/cc"
to = "gcc"

[[copy]]
from = "usr/share/profile"
to = "etc/profile"
"#;

/// Debs in a directory.
struct Debs {
    dir: TempDir,
    packages: Vec<PackageFile>,
}

impl Debs {
    fn new() -> Debs {
        let mut debs = Debs {
            dir: tempfile::tempdir().unwrap(),
            packages: Vec::new(),
        };
        debs.add(
            "gcc",
            &[
                RawEntry::directory("./usr/"),
                RawEntry::directory("./usr/bin/"),
                RawEntry::file("./usr/bin/gcc", "the compiler").mode(0o755),
                RawEntry::directory("./usr/share/"),
                RawEntry::file("./usr/share/profile", "profile"),
                RawEntry::directory("./usr/share/man/"),
                RawEntry::directory("./usr/share/man/man1/"),
                RawEntry::file("./usr/share/man/man1/gcc.1", "long"),
            ],
        );
        debs
    }

    fn add(&mut self, name: &str, entries: &[RawEntry]) {
        let path = self.dir.path().join(format!("{name}.deb"));
        fs::write(&path, deb(name, entries, ".xz")).unwrap();
        self.packages.push(PackageFile {
            name: name.to_owned(),
            version: "1:1.0-1".to_owned(),
            architecture: "all".to_owned(),
            path,
        });
    }

    fn build(&self) -> Result<RootFs> {
        let path = self.dir.path().join("image.toml");
        fs::write(&path, DEFINITION).unwrap();
        let definition = Definition::read(&path).unwrap();
        super::build(&self.packages, &definition, self.dir.path(), &Silent)
    }

    fn refused(&self) -> String {
        self.build().err().unwrap().to_string()
    }
}

fn text(tree: &Tree, path: &str) -> String {
    match &tree.get(path).unwrap().kind {
        NodeKind::File(content) => String::from_utf8(content.read().unwrap()).unwrap(),
        other => other.name().to_owned(),
    }
}

#[test]
fn packages_become_one_tree_with_what_scripts_would_have_made() {
    let mut debs = Debs::new();
    debs.add(
        "bash",
        &[
            RawEntry::directory("./bin/"),
            RawEntry::file("./bin/bash", "the shell").mode(0o755),
        ],
    );
    debs.add("unwanted-thing", &[RawEntry::file("./usr/bin/thing", "x")]);
    let RootFs { tree, paragraphs } = debs.build().unwrap();
    assert_eq!(text(&tree, "usr/bin/bash"), "the shell");
    assert_eq!(tree.resolve("bin/bash").as_deref(), Some("usr/bin/bash"));
    assert_eq!(tree.resolve("bin/cc").as_deref(), Some("usr/bin/gcc"));
    assert_eq!(text(&tree, "etc/profile"), "profile");
    assert_eq!(text(&tree, "ch/environment"), "PATH=/usr/bin\n");
    assert_eq!(tree.get("tmp").unwrap().mode, 0o1777);
    for absent in ["usr/share/man", "usr/share/man/man1/gcc.1", "usr/bin/thing"] {
        assert!(tree.get(absent).is_none(), "{absent}");
    }
    let list = text(&tree, "var/lib/dpkg/info/gcc.list");
    assert_eq!(
        list,
        "/.\n/usr\n/usr/bin\n/usr/bin/gcc\n/usr/share\n/usr/share/profile\n"
    );
    assert_eq!(paragraphs.len(), 2);
    assert!(paragraphs[0].starts_with("Package: bash\nStatus: install ok installed\n"));
}

#[test]
fn a_package_that_writes_through_a_link_is_refused() {
    let mut debs = Debs::new();
    debs.add(
        "evil",
        &[
            RawEntry::directory("./etc/"),
            RawEntry::link(EntryType::Symlink, "./etc/cron.d", "/root"),
            RawEntry::file("./etc/cron.d/evil", "x"),
        ],
    );
    let message = debs.refused();
    assert!(
        message.contains("`/etc/cron.d/evil` of package evil goes through `/etc/cron.d`"),
        "{message}"
    );
}

#[test]
fn a_package_that_changes_anothers_file_is_refused() {
    let mut debs = Debs::new();
    debs.add(
        "evil",
        &[RawEntry::file("./usr/bin/gcc", "another").mode(0o755)],
    );
    let message = debs.refused();
    assert!(
        message.contains("/usr/bin/gcc")
            && message.contains("package evil")
            && message.contains("package gcc"),
        "{message}"
    );
}

#[test]
fn a_deb_that_is_another_package_than_the_lock_says_is_refused() {
    let mut debs = Debs::new();
    debs.packages[0].version = "1:1.0-2".to_owned();
    let message = debs.refused();
    assert!(
        message.contains("gcc.deb") && message.contains("1:1.0-1") && message.contains("1:1.0-2"),
        "{message}"
    );
}

#[test]
fn a_definition_out_of_step_with_the_packages_is_told() {
    let mut debs = Debs::new();
    debs.packages.clear();
    debs.add("empty", &[RawEntry::directory("./usr/")]);
    let message = debs.refused();
    assert!(message.contains("/usr/share/profile"), "{message}");
}
