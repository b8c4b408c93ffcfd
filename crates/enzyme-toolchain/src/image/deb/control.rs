//! A package's control paragraph.

/// What a package says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// Whether several architectures of it may be installed side by side: then its records carry the architecture's name.
    pub co_installable: bool,
    /// The paragraph as it came, with one newline at its end.
    pub text: String,
}

impl Control {
    pub(super) fn parse(text: &str) -> Result<Control, String> {
        let text = text.trim_end();
        if text.lines().any(|line| line.trim().is_empty()) {
            return Err("its control file has more than one paragraph".to_owned());
        }
        let required = |name: &str| {
            field(text, name)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| format!("its control file has no field `{name}`"))
        };
        let control = Control {
            name: required("Package")?,
            version: required("Version")?,
            architecture: required("Architecture")?,
            co_installable: field(text, "Multi-Arch") == Some("same"),
            text: format!("{text}\n"),
        };
        // These become names of files.
        for word in [&control.name, &control.architecture] {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
            if !word.starts_with(|c: char| c.is_ascii_alphanumeric()) || !word.chars().all(plain) {
                return Err(format!("its control file has the name {word:?}"));
            }
        }
        Ok(control)
    }
}

/// The first line of a field.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_names_are_checked() {
        let text = "Package: libc6\nVersion: 2.41\nArchitecture: amd64\nMulti-Arch: same\nDescription: x\n long\n";
        let control = Control::parse(text).unwrap();
        assert_eq!(
            (&*control.name, &*control.version, control.co_installable),
            ("libc6", "2.41", true)
        );
        assert_eq!(field(text, "description"), Some("x"));
        for (bad, reason) in [
            ("Package: a\nVersion: 1\n", "no field `Architecture`"),
            (
                "Package: ../a\nVersion: 1\nArchitecture: all\n",
                "the name \"../a\"",
            ),
            (
                "Package: a\nVersion: 1\nArchitecture: all\n\nPackage: b\n",
                "more than one paragraph",
            ),
        ] {
            assert!(Control::parse(bad).unwrap_err().contains(reason), "{bad}");
        }
    }
}
