//! What packages ship and the image leaves out.

use wildmatch::WildMatch;

use super::definition::Drop;

/// The definition's rules, ready for use. In a pattern `*` stands for anything, slashes too.
pub(crate) struct Filter {
    rules: Vec<(Vec<WildMatch>, Vec<WildMatch>)>,
}

impl Filter {
    pub(crate) fn new(rules: &[Drop]) -> Filter {
        let patterns = |words: &[String]| words.iter().map(|word| WildMatch::new(word)).collect();
        Filter {
            rules: rules
                .iter()
                .map(|rule| (patterns(&rule.paths), patterns(&rule.except)))
                .collect(),
        }
    }

    /// Whether the image keeps a file: every rule that names it must except it.
    pub(crate) fn keeps(&self, path: &str) -> bool {
        let any = |patterns: &[WildMatch]| patterns.iter().any(|pattern| pattern.matches(path));
        !self
            .rules
            .iter()
            .any(|(paths, except)| any(paths) && !any(except))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_drops_what_it_names_but_for_its_exceptions() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let filter = Filter::new(&[Drop {
            paths: words(&["usr/share/doc/*/*", "*.a"]),
            except: words(&["usr/share/doc/*/copyright"]),
            why: String::new(),
        }]);
        for (path, keeps) in [
            ("usr/share/doc/gcc", true),
            ("usr/share/doc/gcc/README", false),
            ("usr/share/doc/gcc/copyright", true),
            ("usr/lib/x/libLLVM.a", false),
            ("usr/lib/x/libLLVM.so", true),
        ] {
            assert_eq!(filter.keeps(path), keeps, "{path}");
        }
    }
}
