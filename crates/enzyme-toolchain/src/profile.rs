//! Which profile is used where nobody names one.

use crate::lock::DEFAULT_PROFILE;

/// Names a profile for every command; an image sets it.
const VARIABLE: &str = "OXIDE_ENZYME_PROFILE";

/// The profile that `OXIDE_ENZYME_PROFILE` names, or [`DEFAULT_PROFILE`].
pub fn chosen_profile() -> String {
    std::env::var(VARIABLE)
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| DEFAULT_PROFILE.to_owned())
}
