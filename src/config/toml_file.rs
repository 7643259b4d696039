//! The settings file, flattened to names and values.

use super::{
    problem::Problem,
    spec::{self, Kind},
};
use toml::{Table, Value};

/// Flattens a settings file: `[server] listen = "…"` becomes `SERVER__LISTEN`. Names are not judged here.
///
/// Messages never quote the file: its lines hold secrets.
pub(super) fn flatten(path: &str, text: &str) -> (Vec<(String, String)>, Vec<Problem>) {
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => return (Vec::new(), vec![unreadable(path, text, &error)]),
    };
    let mut flat = Flat { path, pairs: Vec::new(), problems: Vec::new() };
    flat.add_table("", table);
    (flat.pairs, flat.problems)
}

struct Flat<'a> {
    path: &'a str,
    pairs: Vec<(String, String)>,
    problems: Vec<Problem>,
}

impl Flat<'_> {
    fn add_table(&mut self, section: &str, table: Table) {
        for (key, value) in table {
            let name = joined(section, &key);
            match value {
                // Settings are at most one section deep; what lies deeper is reported as one unknown name.
                Value::Table(inner) if section.is_empty() => self.add_table(&name, inner),
                Value::String(text) => self.pairs.push((name, text)),
                Value::Integer(number) => self.pairs.push((name, number.to_string())),
                Value::Boolean(flag) => self.pairs.push((name, flag.to_string())),
                Value::Array(items) => self.add_list(name, &items),
                _ => self.wrong_type(&name),
            }
        }
    }

    fn add_list(&mut self, name: String, items: &[Value]) {
        let is_list = spec::find(&name).is_none_or(|spec| spec.kind == Kind::List);
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        match texts {
            Some(texts) if is_list => self.pairs.push((name, texts.join(","))),
            _ => self.wrong_type(&name),
        }
    }

    fn wrong_type(&mut self, name: &str) {
        let Some(spec) = spec::find(name) else {
            return self.pairs.push((name.to_owned(), String::new()));
        };
        let shape =
            if spec.kind == Kind::List { "an array of texts" } else { "a text, a number or true/false" };
        let sentence = format!("{} ({}) has the wrong type: write {shape}.", spec.toml_name(), self.path);
        self.problems.push(Problem::new(name, sentence));
    }
}

fn joined(section: &str, key: &str) -> String {
    let key = key.to_ascii_uppercase();
    if section.is_empty() { key } else { format!("{section}__{key}") }
}

fn unreadable(path: &str, text: &str, error: &toml::de::Error) -> Problem {
    let offset = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let sentence = format!("{path} line {line} is not TOML: write key = \"value\" under [section] headings.");
    Problem::new(path, sentence)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn sections_numbers_flags_and_lists_become_names_and_text() {
        let text = "profile = \"production\"\n[server]\nhsts_seconds = 60\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n\
                    [community]\nenabled = false\n";
        let (mut pairs, problems) = flatten("p.toml", text);
        pairs.sort();
        let expected = [
            pair("COMMUNITY__ENABLED", "false"),
            pair("PROFILE", "production"),
            pair("SERVER__HSTS_SECONDS", "60"),
            pair("SERVER__TRUSTED_PROXIES", "10.0.0.0/8,::1"),
        ];
        assert_eq!((pairs.as_slice(), problems.as_slice()), (expected.as_slice(), [].as_slice()));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named() {
        let (_, problems) =
            flatten("p.toml", "[server]\nlisten = [\"a\"]\ntrusted_proxies = [1]\nhsts_seconds = 1.5");
        assert_eq!(problems.len(), 3);
        assert!(problems.iter().all(|problem| problem.sentence.contains("p.toml")));
    }

    #[test]
    fn a_syntax_error_names_the_line_and_quotes_nothing() {
        let (_, problems) = flatten("p.toml", "profile = \"production\"\nsecret_key = \"hunter2\n");
        assert!(problems[0].sentence.starts_with("p.toml line 2"), "{}", problems[0]);
        assert!(!problems[0].sentence.contains("hunter2"));
    }

    #[test]
    fn a_table_that_is_no_section_is_one_unknown_name() {
        let (pairs, problems) = flatten("p.toml", "[server.tls.deep]\na = 1");
        assert_eq!((pairs.as_slice(), problems.len()), ([pair("SERVER__TLS", "")].as_slice(), 0));
    }
}
