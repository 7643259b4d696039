//! Whether two answers say the same, apart from what differs between any two.

use super::account::username;
use crate::answer::Answer;
use crate::probe::Context;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an answer says: its status and the pieces of its body, the names of this run's accounts left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    status: u16,
    pieces: BTreeMap<String, String>,
}

impl Told {
    /// Of an answer.
    pub fn of(ctx: &Context, answer: &Answer) -> Self {
        let stem = username(ctx, "");
        let mut pieces = BTreeMap::new();
        match serde_json::from_slice(&answer.body) {
            Ok(value) => flatten(&value, "", &mut pieces),
            Err(_) => pieces.extend(
                answer.text().lines().enumerate().map(|(at, line)| (at.to_string(), line.to_owned())),
            ),
        }
        pieces.extend(answer.header("location").map(|to| ("location".to_owned(), to.to_owned())));
        pieces.values_mut().for_each(|text| *text = without_names(text, &stem));
        Self { status: answer.status, pieces }
    }

    /// Whether this says something else than one that is like the other: what differs between those two, such as
    /// a time or a number, is left out.
    pub fn differs(&self, one: &Self, other: &Self) -> bool {
        let varies = |name: &String| one.pieces.get(name) != other.pieces.get(name);
        let mut names = self.pieces.keys().chain(one.pieces.keys()).filter(|name| !varies(name));
        self.status != one.status && one.status == other.status
            || names.any(|name| self.pieces.get(name) != one.pieces.get(name))
    }
}

fn flatten(value: &Value, name: &str, pieces: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(field, inner)| flatten(inner, &format!("{name}.{field}"), pieces));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| flatten(inner, &format!("{name}.{at}"), pieces));
        }
        Value::String(text) => {
            pieces.insert(name.to_owned(), text.clone());
        }
        other => {
            pieces.insert(name.to_owned(), other.to_string());
        }
    }
}

/// The text without names and addresses that begin so.
fn without_names(text: &str, stem: &str) -> String {
    let mut parts = text.split(stem);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |before, after| {
        let after = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        format!("{before}…{}", after.strip_prefix("@example.org").unwrap_or(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(status: u16, body: &Value) -> Told {
        let mut pieces = BTreeMap::new();
        flatten(body, "", &mut pieces);
        Told { status, pieces }
    }

    #[test]
    fn what_differs_between_any_two_answers_tells_nothing() {
        let [one, other] = [1, 2].map(|at| told(401, &json!({"error": "no", "at": at})));
        assert!(!told(401, &json!({"error": "no", "at": 3})).differs(&one, &other));
        assert!(told(401, &json!({"error": "wrong password", "at": 3})).differs(&one, &other));
        assert!(told(404, &json!({"error": "no", "at": 3})).differs(&one, &other));
        assert!(told(401, &json!({"error": "no", "at": 3, "hint": "x"})).differs(&one, &other));
    }

    #[test]
    fn names_of_the_run_are_left_out() {
        assert_eq!(
            without_names("If probe_7f0a@example.org is known: probe_7f0a!", "probe_7f0"),
            "If … is known: …!"
        );
    }
}
