//! Content-Security-Policy, as far as it can be judged from outside.

use crate::client::Answer;

/// A policy: its directives and their sources, in lower case.
pub(super) struct Policy(Vec<(String, Vec<String>)>);

/// The policy of an answer; many are read as one, the first of each directive counts.
pub(super) fn of(answer: &Answer) -> Option<Policy> {
    let all: Vec<&str> = answer.all("content-security-policy").collect();
    (!all.is_empty()).then(|| Policy::parse(&all.join(";")))
}

impl Policy {
    fn parse(text: &str) -> Self {
        let directives = text.split([';', ',']).filter_map(|directive| {
            let mut words = directive.split_whitespace().map(str::to_ascii_lowercase);
            words.next().map(|name| (name, words.collect()))
        });
        Self(directives.collect())
    }

    /// Whether other sites are kept from framing.
    pub fn forbids_frames(&self) -> bool {
        self.own("frame-ancestors").is_some_and(|sources| !sources.iter().any(|source| is_anywhere(source)))
    }

    /// What a script of somebody else could use.
    pub fn weaknesses(&self) -> Vec<String> {
        let mut weak = Vec::new();
        match self.fetched("script-src") {
            None => weak.push("scripts may come from anywhere".to_owned()),
            Some(sources) => weak.extend(script_weaknesses(sources)),
        }
        if self.fetched("object-src").is_none_or(|sources| !is_none(sources)) {
            weak.push("object-src is not 'none'".to_owned());
        }
        if self.own("base-uri").is_none_or(|sources| !is_none(sources) && sources != ["'self'"]) {
            weak.push("base-uri is not 'none'".to_owned());
        }
        weak
    }

    fn own(&self, name: &str) -> Option<&[String]> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, sources)| sources.as_slice())
    }

    fn fetched(&self, name: &str) -> Option<&[String]> {
        self.own(name).or_else(|| self.own("default-src"))
    }
}

fn script_weaknesses(sources: &[String]) -> Vec<String> {
    let has = |prefix: &str| sources.iter().any(|source| source.starts_with(prefix));
    let mut weak = Vec::new();
    // Browsers that know nonces and hashes ignore 'unsafe-inline' beside them.
    if has("'unsafe-inline'") && !has("'nonce-") && !has("'sha") {
        weak.push("'unsafe-inline' for scripts".to_owned());
    }
    if has("'unsafe-eval'") {
        weak.push("'unsafe-eval' for scripts".to_owned());
    }
    if !has("'strict-dynamic'")
        && let Some(wide) = sources.iter().find(|source| is_anywhere(source) || *source == "data:")
    {
        weak.push(format!("scripts from {wide}"));
    }
    weak
}

fn is_anywhere(source: &str) -> bool {
    ["*", "http:", "https:", "http://*", "https://*"].contains(&source)
}

fn is_none(sources: &[String]) -> bool {
    sources == ["'none'"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_weak_where_a_foreign_script_gets_in() {
        let weak = |text: &str| Policy::parse(text).weaknesses().len();
        assert_eq!(weak("default-src 'none'; script-src 'self'; base-uri 'none'"), 0);
        assert_eq!(
            weak(
                "default-src 'self'; object-src 'none'; base-uri 'self'; script-src 'nonce-x' 'unsafe-inline'"
            ),
            0
        );
        assert_eq!(weak("default-src 'self'; base-uri 'none'"), 1, "objects");
        assert_eq!(
            weak(
                "script-src 'self' 'unsafe-inline' 'unsafe-eval' https:; object-src 'none'; base-uri 'none'"
            ),
            3
        );
        assert_eq!(weak("img-src *"), 3);
    }

    #[test]
    fn frames_are_forbidden_by_name() {
        assert!(Policy::parse("frame-ancestors 'none'").forbids_frames());
        assert!(Policy::parse("frame-ancestors 'self' https://friend.example").forbids_frames());
        assert!(!Policy::parse("frame-ancestors *").forbids_frames());
        assert!(!Policy::parse("default-src 'none'").forbids_frames());
    }
}
