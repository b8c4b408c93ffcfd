//! Options that several commands have, each written once.

use std::path::PathBuf;

use enzyme_toolchain::{
    FetchOptions, Lock, Mirror, Origin, Platform, Recipe, SetupOptions, chosen_profile,
};

/// Another lock than the embedded one; for tests and for those who make locks.
#[derive(clap::Args)]
pub struct LockArg {
    #[arg(long, value_name = "FILE", hide = true)]
    lock: Option<PathBuf>,
}

impl LockArg {
    pub fn read(&self) -> enzyme_toolchain::Result<Lock> {
        self.lock.as_deref().map_or_else(Lock::embedded, Lock::read)
    }
}

/// Which toolchain is meant: that of the embedded lock, unless said otherwise.
#[derive(clap::Args)]
pub struct Which {
    /// Which set of artifacts [default: portable, or what OXIDE_ENZYME_PROFILE says]
    #[arg(long, value_name = "NAME", default_value_t = chosen_profile(), hide_default_value = true)]
    pub profile: String,
    #[command(flatten)]
    pub lock: LockArg,
}

impl Which {
    pub fn recipe(&self, platform: Platform) -> enzyme_toolchain::Result<Recipe> {
        self.lock.read()?.recipe(&self.profile, platform)
    }
}

/// For which machine.
#[derive(clap::Args)]
pub struct Machine {
    /// For which machine [default: this one]
    #[arg(long, value_name = "NAME")]
    platform: Option<Platform>,
}

impl Machine {
    pub fn platform(&self) -> enzyme_toolchain::Result<Platform> {
        self.platform.map_or_else(Platform::host, Ok)
    }
}

/// Where to take wheels from that are not in the store: by default through pip.
#[derive(clap::Args)]
pub struct WheelSource {
    /// Never download: fail if something is missing
    #[arg(long)]
    offline: bool,
    /// Take what is missing from this content-addressed mirror (see `toolchain mirror`), a directory or an address
    #[arg(long, value_name = "DIR|URL", conflicts_with = "offline")]
    mirror: Option<Mirror>,
}

impl WheelSource {
    pub fn setup_options(&self) -> SetupOptions {
        SetupOptions {
            offline: self.offline,
            mirror: self.mirror.clone(),
            ..SetupOptions::default()
        }
    }
}

/// Where to take wheels and Debian packages from: by default the packages come from apt's mirrors.
#[derive(clap::Args)]
pub struct Source {
    #[command(flatten)]
    wheels: WheelSource,
    /// Take Debian packages from snapshot.debian.org, which has every version that ever was
    #[arg(long, conflicts_with_all = ["offline", "mirror"])]
    snapshot: bool,
}

impl Source {
    pub fn setup_options(&self) -> SetupOptions {
        self.wheels.setup_options()
    }

    pub fn fetch_options(&self) -> FetchOptions {
        let origin = match &self.wheels.mirror {
            Some(mirror) => Origin::Mirror(mirror.clone()),
            None if self.snapshot => Origin::Snapshot,
            None => Origin::Apt,
        };
        FetchOptions {
            offline: self.wheels.offline,
            origin,
        }
    }
}
