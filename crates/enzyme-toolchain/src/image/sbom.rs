//! The bill of materials: every package, artifact and crate in the image, with licence and checksum, as SPDX 2.3.

use serde::Serialize;

use super::oci;
use super::plan::Date;
use super::vendor::Crate;
use crate::debian::Package;
use crate::lock::{Artifact, Recipe};

const UNKNOWN: &str = "NOASSERTION";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'static str,
    document_namespace: String,
    creation_info: Creation,
    packages: Vec<Component>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct Creation {
    created: String,
    creators: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    version_info: String,
    supplier: &'static str,
    download_location: String,
    files_analyzed: bool,
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_declared: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_comments: Option<String>,
    copyright_text: &'static str,
    external_refs: Vec<Reference>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: &'static str,
    relationship_type: &'static str,
    related_spdx_element: String,
}

/// What the document is about.
pub(crate) struct Materials<'a> {
    pub recipe: &'a Recipe,
    /// Those that the image has.
    pub packages: Vec<&'a Package>,
    pub crates: &'a [Crate],
    pub source: &'a str,
    pub date: &'a Date,
}

pub(crate) fn text(materials: &Materials<'_>) -> Vec<u8> {
    let Materials {
        recipe,
        packages,
        crates,
        source,
        date,
    } = materials;
    let suite = recipe.facts().debian.as_ref().map(|debian| &*debian.suite);
    let components: Vec<Component> = packages
        .iter()
        .map(|package| of_package(package, suite.unwrap_or_default()))
        .chain(recipe.artifacts().iter().map(of_artifact))
        .chain(crates.iter().map(of_crate))
        .collect();
    let relationships = components
        .iter()
        .map(|component| Relationship {
            spdx_element_id: "SPDXRef-DOCUMENT",
            relationship_type: "DESCRIBES",
            related_spdx_element: component.id.clone(),
        })
        .collect();
    oci::text(&Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: "SPDXRef-DOCUMENT",
        name: "oxide-enzyme",
        document_namespace: format!(
            "https://github.com/oxide-enzyme/oxide-enzyme/sbom/{}/{source}",
            recipe.key()
        ),
        creation_info: Creation {
            created: date.text.clone(),
            creators: vec![format!("Tool: cargo-enzyme-{}", env!("CARGO_PKG_VERSION"))],
        },
        packages: components,
        relationships,
    })
}

fn of_package(package: &Package, suite: &str) -> Component {
    let comments = format!(
        "as Debian's copyright file names them: {}",
        package.licences.join(", ")
    );
    Component {
        license_comments: Some(comments),
        supplier: "Organization: Debian",
        ..component(
            "deb",
            &package.name,
            &package.version,
            &package.sha256,
            purl_of_package(package, suite),
            UNKNOWN.to_owned(),
        )
    }
}

fn of_artifact(artifact: &Artifact) -> Component {
    component(
        "artifact",
        &artifact.name,
        &artifact.version,
        &artifact.sha256,
        purl_of_artifact(artifact),
        artifact.licence.clone(),
    )
}

fn of_crate(krate: &Crate) -> Component {
    component(
        "crate",
        &krate.name,
        &krate.version,
        &krate.sha256,
        purl_of_crate(krate),
        // The older way to write it.
        krate
            .licence
            .as_deref()
            .map_or(UNKNOWN.to_owned(), |licence| licence.replace('/', " OR ")),
    )
}

pub(crate) fn purl_of_package(package: &Package, suite: &str) -> String {
    format!(
        "pkg:deb/debian/{}@{}?arch={}&distro={suite}",
        escape(&package.name),
        escape(&package.version),
        package.architecture
    )
}

pub(crate) fn purl_of_artifact(artifact: &Artifact) -> String {
    format!(
        "pkg:pypi/{}@{}",
        escape(&artifact.name),
        escape(&artifact.version)
    )
}

pub(crate) fn purl_of_crate(krate: &Crate) -> String {
    format!(
        "pkg:cargo/{}@{}",
        escape(&krate.name),
        escape(&krate.version)
    )
}

fn component(
    kind: &str,
    name: &str,
    version: &str,
    sha256: &str,
    purl: String,
    licence: String,
) -> Component {
    Component {
        id: format!("SPDXRef-{kind}-{}-{}", id(name), id(version)),
        name: name.to_owned(),
        version_info: version.to_owned(),
        supplier: UNKNOWN,
        download_location: UNKNOWN.to_owned(),
        files_analyzed: false,
        checksums: vec![Checksum {
            algorithm: "SHA256",
            checksum_value: sha256.to_owned(),
        }],
        license_concluded: UNKNOWN,
        license_declared: licence,
        license_comments: None,
        copyright_text: UNKNOWN,
        external_refs: vec![Reference {
            reference_category: "PACKAGE-MANAGER",
            reference_type: "purl",
            reference_locator: purl,
        }],
    }
}

/// Identifiers have letters, digits, `.` and `-` only. Different words stay different enough for names and versions.
fn id(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            '.' | '-' => c.to_string(),
            c if c.is_ascii_alphanumeric() => c.to_string(),
            c => format!("-{:x}-", u32::from(c)),
        })
        .collect()
}

/// Percent-encoding, as package URLs want it.
fn escape(word: &str) -> String {
    word.bytes()
        .map(|byte| match byte {
            b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_escaped() {
        assert_eq!(escape("1:2.0+b1~rc"), "1%3A2.0%2Bb1~rc");
        assert_eq!(id("libstdc++6"), "libstdc-2b--2b-6");
    }
}
