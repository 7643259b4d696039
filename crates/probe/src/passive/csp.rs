//! Content-Security-Policy, as far as it can be judged from outside.

use crate::answer::Answer;

/// A policy: its directives and their sources, in lower case.
pub(super) struct Policy(Vec<(String, Vec<String>)>);

/// All policies of an answer: browsers enforce each.
pub(super) struct Policies(Vec<Policy>);

/// The policies of an answer, from many fields and from lists in one.
pub(super) fn of(answer: &Answer) -> Policies {
    Policies::parse(answer.all("content-security-policy"))
}

impl Policies {
    fn parse<'a>(fields: impl Iterator<Item = &'a str>) -> Self {
        let texts = fields.flat_map(|field| field.split(',')).filter(|text| !text.trim().is_empty());
        Self(texts.map(Policy::parse).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether other sites are kept from framing; `None` where no policy says.
    pub fn forbids_frames(&self) -> Option<bool> {
        let said: Vec<&[String]> = self.0.iter().filter_map(|policy| policy.own("frame-ancestors")).collect();
        let is_closed = |sources: &&[String]| !sources.iter().any(|source| is_anywhere(source));
        (!said.is_empty()).then(|| said.iter().any(is_closed))
    }

    /// What a script of somebody else could use: what no policy forbids.
    pub fn weaknesses(&self) -> Vec<String> {
        let mut each = self.0.iter().map(Policy::weaknesses);
        let Some(first) = each.next() else { return vec!["there is none".to_owned()] };
        each.fold(first, |left, other| left.into_iter().filter(|weak| other.contains(weak)).collect())
    }
}

impl Policy {
    fn parse(text: &str) -> Self {
        let mut directives: Vec<(String, Vec<String>)> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_whitespace().map(str::to_ascii_lowercase);
            let Some(name) = words.next() else { continue };
            directives.push((name, words.collect()));
        }
        Self(directives)
    }

    fn weaknesses(&self) -> Vec<String> {
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
        let forbids = |fields: &[&str]| Policies::parse(fields.iter().copied()).forbids_frames();
        assert_eq!(forbids(&["frame-ancestors 'none'"]), Some(true));
        assert_eq!(forbids(&["frame-ancestors 'self' https://friend.example"]), Some(true));
        assert_eq!(forbids(&["frame-ancestors *"]), Some(false));
        assert_eq!(forbids(&["default-src 'none'"]), None);
        assert_eq!(forbids(&["frame-ancestors *", "frame-ancestors 'none'"]), Some(true));
    }

    #[test]
    fn of_many_policies_each_counts() {
        let weak = |fields: &[&str]| Policies::parse(fields.iter().copied()).weaknesses().len();
        let scripts = "default-src 'none'; script-src 'self' 'unsafe-inline'";
        assert_eq!(weak(&[scripts]), 2);
        assert_eq!(weak(&[scripts, "script-src 'self'; base-uri 'none'"]), 0);
        assert_eq!(weak(&["script-src *; object-src 'none', script-src *; base-uri 'none'"]), 1);
        assert_eq!(weak(&[]), 1);
    }
}
