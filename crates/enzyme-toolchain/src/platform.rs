//! The machines that a toolchain can be for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An operating system and processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Platform {
    /// Linux on x86_64.
    #[serde(rename = "linux-x86_64")]
    LinuxX86_64,
    /// Linux on 64-bit ARM.
    #[serde(rename = "linux-aarch64")]
    LinuxAarch64,
    /// macOS on Apple silicon.
    #[serde(rename = "macos-aarch64")]
    MacosAarch64,
}

impl Platform {
    /// Every platform known.
    pub const ALL: [Platform; 3] = [
        Platform::LinuxX86_64,
        Platform::LinuxAarch64,
        Platform::MacosAarch64,
    ];

    /// The machine this program was built for.
    pub fn host() -> Result<Platform> {
        format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH).parse()
    }

    /// Its name in the lock, such as `linux-x86_64`.
    pub fn name(self) -> &'static str {
        match self {
            Platform::LinuxX86_64 => "linux-x86_64",
            Platform::LinuxAarch64 => "linux-aarch64",
            Platform::MacosAarch64 => "macos-aarch64",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Platform> {
        let found = Platform::ALL
            .into_iter()
            .find(|platform| platform.name() == text);
        found.ok_or_else(|| Error::UnsupportedPlatform {
            platform: text.to_owned(),
            supported: Platform::ALL.map(Platform::name).join(", "),
        })
    }
}
