//! Where an image comes from: every input by its digest, as SLSA provenance.
//!
//! Inside the image is what it was made from; beside it the whole statement, which also names the image by its digest.

use std::collections::BTreeMap;

use serde::Serialize;

use super::oci;
use crate::lock::Recipe;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://slsa.dev/provenance/v1";
const BUILD_TYPE: &str = "https://github.com/oxide-enzyme/oxide-enzyme/blob/main/docs/src/image.md";

/// What the image is made from.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Build {
    build_definition: Definition,
    run_details: Run,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    build_type: &'static str,
    external_parameters: BTreeMap<&'static str, String>,
    resolved_dependencies: Vec<Dependency>,
}

/// Something that went into the image.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Dependency {
    pub uri: String,
    pub digest: BTreeMap<&'static str, String>,
}

#[derive(Clone, Debug, Serialize)]
struct Run {
    builder: Builder,
}

#[derive(Clone, Debug, Serialize)]
struct Builder {
    id: &'static str,
    version: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Subject<'a>; 1],
    predicate_type: &'static str,
    predicate: &'a Build,
}

#[derive(Serialize)]
struct Subject<'a> {
    name: &'a str,
    digest: BTreeMap<&'static str, &'a str>,
}

/// The source that the image has and its program was built from.
pub(crate) struct SourceFacts<'a> {
    pub revision: &'a str,
    pub digest: &'a str,
}

impl Build {
    pub(crate) fn new(
        recipe: &Recipe,
        definition: &str,
        source: Option<&SourceFacts<'_>>,
        mut dependencies: Vec<Dependency>,
    ) -> Build {
        dependencies.sort_by(|a, b| (&a.uri, &a.digest).cmp(&(&b.uri, &b.digest)));
        let mut parameters = BTreeMap::from([
            ("definition-sha256", definition.to_owned()),
            ("lock-sha256", recipe.lock().digest().to_owned()),
            ("platform", recipe.platform().to_string()),
            ("profile", recipe.profile().to_owned()),
        ]);
        if let Some(source) = source {
            parameters.insert("source-revision", source.revision.to_owned());
            parameters.insert("source-sha256", source.digest.to_owned());
        }
        Build {
            build_definition: Definition {
                build_type: BUILD_TYPE,
                external_parameters: parameters,
                resolved_dependencies: dependencies,
            },
            run_details: Run {
                builder: Builder {
                    id: "https://github.com/oxide-enzyme/oxide-enzyme",
                    version: [("cargo-enzyme", env!("CARGO_PKG_VERSION"))].into(),
                },
            },
        }
    }

    /// As it is in the image.
    pub(crate) fn text(&self) -> Vec<u8> {
        oci::text(self)
    }

    /// The whole statement, about the image with this manifest.
    pub(crate) fn statement(&self, name: &str, digest: &str) -> Vec<u8> {
        let sha256 = digest.trim_start_matches("sha256:");
        oci::text(&Statement {
            kind: STATEMENT,
            subject: [Subject {
                name,
                digest: [("sha256", sha256)].into(),
            }],
            predicate_type: PREDICATE,
            predicate: self,
        })
    }
}

impl Dependency {
    pub(crate) fn new(uri: String, sha256: &str) -> Dependency {
        Dependency {
            uri,
            digest: [("sha256", sha256.to_owned())].into(),
        }
    }
}
