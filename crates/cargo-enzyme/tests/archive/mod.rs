//! A small Debian archive, signed, with its security updates, in a directory; and a server for mirrors, on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

const DATE: &str = "Wed, 31 Dec 2025 20:00:00 UTC";

/// Debian's name of this machine's architecture.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// `www/debian` and `www/debian-security`, with five packages, of which `wanted` needs all but `recommended`.
pub struct Archive {
    dir: TempDir,
}

impl Archive {
    pub fn new() -> Option<Archive> {
        for program in ["apt-get", "dpkg-deb", "gpg", "curl"] {
            if which::which(program).is_err() {
                eprintln!("skipped: there is no {program} here");
                return None;
            }
        }
        let dir = tempfile::Builder::new().prefix("debs").tempdir().unwrap();
        // For the user that apt drops to when it is run by root.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let archive = Archive { dir };
        for name in ["tmp", "keys", "www/debian", "www/debian-security"] {
            fs::create_dir_all(archive.root().join(name)).unwrap();
        }
        archive.make_key("archive");
        archive.make_key("other");
        archive.build(
            "debian",
            "wanted",
            "1:1.0+b1~deb13u1",
            "Depends: needed (>= 1), secure\nRecommends: recommended",
        );
        archive.build("debian", "needed", "1.0", "Depends: base");
        archive.build("debian", "base", "1.0", "Essential: yes");
        archive.build("debian", "recommended", "1.0", "");
        archive.build("debian", "secure", "1.0", "");
        archive.build("debian-security", "secure", "2.0", "");
        archive.publish(DATE);
        let sources = ["debian", "debian-security"].map(|name| {
            let suite = if name == "debian" {
                "trixie"
            } else {
                "trixie-security"
            };
            format!(
                "Types: deb\nURIs: {}/\nSuites: {suite}\nComponents: main\n",
                archive.uri(name)
            )
        });
        fs::write(archive.host_sources(), sources.join("\n")).unwrap();
        let configuration = format!(
            "Dir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"-\";\nAPT::Install-Recommends \"true\";\n\
             APT::Update::Post-Invoke {{ \"false\"; }};\n",
            archive.host_sources().display()
        );
        fs::write(archive.host_configuration(), configuration).unwrap();
        Some(archive)
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn file(&self, path: &str) -> PathBuf {
        self.root().join("www").join(path)
    }

    pub fn uri(&self, name: &str) -> String {
        format!("file:{}", self.file(name).display())
    }

    /// What this machine's apt is told, for the time of a test.
    pub fn host_configuration(&self) -> PathBuf {
        self.root().join("host.conf")
    }

    pub fn host_sources(&self) -> PathBuf {
        self.root().join("host.sources")
    }

    pub fn keyring(&self) -> PathBuf {
        self.root().join("archive.gpg")
    }

    pub fn other_keyring(&self) -> PathBuf {
        self.root().join("other.gpg")
    }

    /// Puts another version of a package of the main archive in the place of the one there. The same version is the same bytes.
    pub fn replace(&self, name: &str, version: &str) {
        let pool = self.file("debian/pool/main").join(&name[..1]);
        for entry in fs::read_dir(&pool).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(&format!("{name}_"))
            {
                fs::remove_file(path).unwrap();
            }
        }
        self.build("debian", name, version, "Essential: yes");
    }

    /// Writes and signs the indices.
    pub fn publish(&self, date: &str) {
        self.index("debian", "trixie", date);
        self.index("debian", "trixie-updates", date);
        self.index("debian-security", "trixie-security", date);
    }

    fn make_key(&self, name: &str) {
        self.gpg(&[
            "--passphrase",
            "",
            "--quick-gen-key",
            name,
            "rsa2048",
            "sign",
            "never",
        ]);
        let keyring = self.root().join(format!("{name}.gpg"));
        self.gpg(&["--output", keyring.to_str().unwrap(), "--export", name]);
    }

    fn gpg(&self, arguments: &[&str]) {
        let home = self.root().join("keys");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        let mut command = Command::new("gpg");
        command
            .args([
                "--batch",
                "--yes",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--homedir",
            ])
            .arg(home)
            .args(arguments);
        run(&mut command);
    }

    fn build(&self, archive: &str, name: &str, version: &str, fields: &str) {
        let tree = self.root().join("tree");
        let documents = tree.join("usr/share/doc");
        fs::create_dir_all(tree.join("DEBIAN")).unwrap();
        fs::create_dir_all(&documents).unwrap();
        if name == "needed" {
            std::os::unix::fs::symlink("wanted", documents.join(name)).unwrap();
        } else {
            let format = match name {
                "wanted" => {
                    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
                }
                _ => "",
            };
            let text = format!(
                "{format}Files: *\nLicense: GPL-2+ or Artistic\n\nFiles: a\nLicense: MIT\n text\n"
            );
            fs::create_dir(documents.join(name)).unwrap();
            fs::write(documents.join(name).join("copyright"), text).unwrap();
        }
        let fields = if fields.is_empty() {
            String::new()
        } else {
            format!("{fields}\n")
        };
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {}\nMaintainer: Nobody <nobody@example.org>\n{fields}\
             Description: for a test\n",
            architecture()
        );
        fs::write(tree.join("DEBIAN/control"), control).unwrap();
        let pool = self.file(archive).join("pool/main").join(&name[..1]);
        fs::create_dir_all(&pool).unwrap();
        let version = version
            .split_once(':')
            .map_or(version, |(_, version)| version);
        let deb = pool.join(format!("{name}_{version}_{}.deb", architecture()));
        let mut command = Command::new("dpkg-deb");
        command
            .args(["--root-owner-group", "-Znone", "--build"])
            .arg(&tree)
            .arg(deb)
            .env("SOURCE_DATE_EPOCH", "1");
        run(&mut command);
        fs::remove_dir_all(tree).unwrap();
    }

    fn index(&self, archive: &str, suite: &str, date: &str) {
        let root = self.file(archive);
        let part = format!("main/binary-{}", architecture());
        let directory = root.join("dists").join(suite).join(&part);
        fs::create_dir_all(&directory).unwrap();
        let packages = if suite == "trixie-updates" {
            String::new()
        } else {
            self.packages(&root)
        };
        fs::write(directory.join("Packages"), &packages).unwrap();
        let release = format!(
            "Origin: Debian\nLabel: {}\nSuite: {suite}\nCodename: {suite}\nDate: {date}\nArchitectures: {}\nComponents: main\n\
             SHA256:\n {} {} {part}/Packages\n",
            if archive == "debian" {
                "Debian"
            } else {
                "Debian-Security"
            },
            architecture(),
            sha256(packages.as_bytes()),
            packages.len(),
        );
        let suite = root.join("dists").join(suite);
        fs::write(suite.join("Release"), release).unwrap();
        let (from, to) = (suite.join("Release"), suite.join("InRelease"));
        let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
        self.gpg(&[
            "--local-user",
            "archive",
            "--output",
            to,
            "--clearsign",
            from,
        ]);
        fs::remove_file(from).unwrap();
    }

    fn packages(&self, root: &Path) -> String {
        let mut records = BTreeMap::new();
        for letter in fs::read_dir(root.join("pool/main")).unwrap() {
            for deb in fs::read_dir(letter.unwrap().path()).unwrap() {
                let deb = deb.unwrap().path();
                let control = Command::new("dpkg-deb")
                    .arg("--field")
                    .arg(&deb)
                    .output()
                    .unwrap();
                let bytes = fs::read(&deb).unwrap();
                let record = format!(
                    "{}Filename: {}\nSize: {}\nSHA256: {}\n\n",
                    String::from_utf8(control.stdout).unwrap(),
                    deb.strip_prefix(root).unwrap().display(),
                    bytes.len(),
                    sha256(&bytes)
                );
                records.insert(deb, record);
            }
        }
        records.into_values().collect()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        // Its agent would stay for a while. By its own directory: it is this test's alone.
        let mut command = Command::new("gpgconf");
        command.arg("--homedir").arg(self.root().join("keys"));
        let _ = command.args(["--kill", "all"]).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Flips one bit in the middle of a file, whatever its mode.
pub fn flip(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let position = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).unwrap();
    file.write_all_at(&[byte[0] ^ 1], position).unwrap();
}

/// Serves the files of a directory over HTTP on loopback for as long as the test runs.
pub struct Server {
    port: u16,
    directory: Arc<Mutex<PathBuf>>,
}

impl Server {
    pub fn start(directory: &Path) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let directory = Arc::new(Mutex::new(directory.to_owned()));
        let shared = directory.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let directory = shared.lock().unwrap().clone();
                // A client that goes away in the middle is its own affair.
                std::thread::spawn(move || drop(answer(stream, &directory)));
            }
        });
        Server { port, directory }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn serve(&self, directory: &Path) {
        *self.directory.lock().unwrap() = directory.to_owned();
    }
}

fn answer(mut stream: TcpStream, directory: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let file = fs::read(directory.join(path.trim_start_matches('/')));
    let status = if file.is_ok() {
        "200 OK"
    } else {
        "404 Not Found"
    };
    let body = file.unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}
