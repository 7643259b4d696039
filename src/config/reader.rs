//! Settings become typed values here; what cannot is collected, not thrown.

use super::{
    credentials,
    parse::Parse,
    problem::Problem,
    settings::{Entry, Settings, Source},
    spec::{self, Spec},
};

/// Reads typed values out of the merged settings.
pub(super) struct Reader<'a> {
    settings: &'a Settings,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(settings: &'a Settings) -> Self {
        Self { settings, problems: Vec::new() }
    }

    /// The value of a setting that always has one. Where the given one is wrong, the default takes its place
    /// and a problem is noted.
    pub(super) fn required<T: Parse>(&mut self, name: &str) -> T {
        self.optional(name).unwrap_or_else(|| {
            let default = spec::find(name).map(|spec| self.settings.default_text(spec));
            default.and_then(|text| T::parse(&text)).unwrap_or_else(T::stand_in)
        })
    }

    /// The value of a setting that may be unset.
    pub(super) fn optional<T: Parse>(&mut self, name: &str) -> Option<T> {
        let Some(spec) = spec::find(name) else {
            self.problems.push(Problem::of(name, "is read but not in the table of settings: report this."));
            return None;
        };
        let text = self.settings.text(spec);
        let is_empty = text.expose().is_empty();
        if is_empty && spec.may_be_empty() {
            return None;
        }
        let value = if is_empty { None } else { T::parse(text.expose_text()) };
        let given = self.settings.given(spec);
        // A default that is made from another setting is wrong because that one is: say it once.
        if value.is_none() && (given.is_some() || self.problems.is_empty()) {
            self.problems.push(Problem::new(name, wrong(spec, given, T::EXPECTED)));
        }
        value
    }

    /// Notes what a section found wrong with a value.
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

fn wrong(spec: &Spec, entry: Option<&Entry>, expected: &str) -> String {
    let Some(Entry { text, source, spelled, .. }) = entry else {
        return format!("{} ({}) is wrong: write {expected}.", spec.environment_name(), Source::Default);
    };
    let text = text.expose_text().trim();
    let problem = match text {
        _ if spec.is_secret() => "cannot be used".to_owned(),
        "" => "is empty".to_owned(),
        _ => format!("is {:?}", credentials::shown(text)),
    };
    format!("{spelled} ({source}) {problem}: write {expected}.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::{super::sources::Sources, *};
    use std::time::Duration;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let environment =
            pairs.iter().map(|(name, value)| (format!("PORTCULLIS_{name}"), (*value).to_owned()));
        Settings::merge(Sources { environment: environment.collect(), ..Sources::default() })
    }

    #[test]
    fn a_wrong_value_is_told_with_its_source_and_the_default_takes_its_place() {
        let settings = settings(&[("TOKENS__ACCESS_LIFETIME", "15x")]);
        let mut reader = Reader::new(&settings);
        assert_eq!(reader.required::<Duration>("TOKENS__ACCESS_LIFETIME"), Duration::from_secs(900));
        let problems = reader.into_problems();
        assert!(
            problems[0]
                .sentence
                .starts_with(r#"PORTCULLIS_TOKENS__ACCESS_LIFETIME (environment) is "15x": write a"#),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn empty_means_unset_only_where_a_value_is_optional() {
        let settings = settings(&[("MAIL__TEMPLATES", ""), ("SERVER__PUBLIC_URL", " "), ("SITE__NAME", "")]);
        let mut reader = Reader::new(&settings);
        assert_eq!(reader.optional::<String>("MAIL__TEMPLATES"), None);
        assert_eq!(reader.required::<String>("SERVER__PUBLIC_URL"), "http://127.0.0.1:8000");
        assert_eq!(reader.required::<String>("SITE__NAME"), "Portcullis");
        assert!(reader.into_problems()[0].sentence.contains("SITE__NAME (environment) is empty"));
    }

    #[test]
    fn a_name_outside_the_table_is_a_problem_and_not_a_panic() {
        let settings = settings(&[]);
        let mut reader = Reader::new(&settings);
        assert!(!reader.required::<bool>("NO__SUCH"));
        assert_eq!(reader.into_problems().len(), 1);
    }
}
