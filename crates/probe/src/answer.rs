//! What came back, and what it says.

use crate::evidence::{Evidence, Redactor};
use crate::json;
use crate::probe::Skip;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Values of one header field that evidence shows.
const VALUES: usize = 5;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, as far as the limit allows.
    pub body: Bytes,
    /// From the first byte out to the last byte in.
    pub elapsed: Duration,
    /// The request without secrets, for evidence.
    pub(crate) asked: String,
    pub(crate) redactor: Arc<Redactor>,
}

/// What an answer says of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was carried out: 2xx, and a body that does not say otherwise.
    Accepted,
    /// It was not: 4xx, or a 2xx whose body says that it failed.
    Refused,
    /// Not now: 429, or 503, which proxies that limit calls send.
    Throttled,
    /// Neither: redirects, errors of the server.
    Unclear,
}

impl Answer {
    /// What the answer says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.status {
            200..300 if says_no(&self.json()) => Verdict::Refused,
            200..300 => Verdict::Accepted,
            429 | 503 => Verdict::Throttled,
            408 | 425 => Verdict::Unclear,
            400..500 => Verdict::Refused,
            _ => Verdict::Unclear,
        }
    }

    /// Whether the call was carried out.
    ///
    /// # Errors
    /// When the answer says neither yes nor no: then nothing follows from it.
    pub fn accepted(&self) -> Result<bool, Skip> {
        match self.verdict() {
            Verdict::Accepted => Ok(true),
            Verdict::Refused => Ok(false),
            Verdict::Throttled => Err(Skip::Throttled(self.path())),
            Verdict::Unclear => Err(self.unclear()),
        }
    }

    /// Whether the status is 2xx and the body does not say otherwise.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.verdict() == Verdict::Accepted
    }

    /// Whether there is something at the path that works: neither 404 nor an error of the server.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.status != 404 && self.status < 500
    }

    /// The answer, if there is something at the path.
    ///
    /// # Errors
    /// When there is not: then nothing follows from a refusal.
    pub fn there(self) -> Result<Self, Skip> {
        if self.is_there() { Ok(self) } else { Err(self.unclear()) }
    }

    /// The reason to skip a probe whose call was answered like this.
    pub(crate) fn unclear(&self) -> Skip {
        Skip::Unclear { path: self.path(), status: self.status }
    }

    /// The value of a header field, the first if there are many.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Whether the body says that it is HTML.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.header(CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A text or number of a JSON body by its dotted name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        match json::get(&self.json(), name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The exchange with the header fields that are named; a missing one is shown as missing.
    #[must_use]
    pub fn evidence(&self, names: &[&str]) -> Evidence {
        let mut response = self.status_line();
        for name in names {
            let values: Vec<&str> = self.all(name).collect();
            if values.is_empty() {
                response.push_str(&format!("\n{name}: (missing)"));
            }
            for value in values.iter().take(VALUES) {
                response.push_str(&format!("\n{name}: {}", self.redactor.header(name, value)));
            }
            if values.len() > VALUES {
                response.push_str(&format!("\n{name}: ({} more)", values.len() - VALUES));
            }
        }
        Evidence { request: self.asked.clone(), response }
    }

    /// The exchange with the beginning of the body.
    #[must_use]
    pub fn evidence_with_body(&self, names: &[&str]) -> Evidence {
        let mut evidence = self.evidence(names);
        evidence.response.push_str(&format!("\n\n{}", self.redactor.text(&self.text())));
        evidence
    }

    /// The path that was asked, without secrets.
    pub(crate) fn path(&self) -> String {
        let line = self.asked.lines().next().unwrap_or_default();
        line.split_once(' ').map_or(line, |(_, path)| path).to_owned()
    }

    fn status_line(&self) -> String {
        let reason =
            http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        format!("{} {}", self.status, reason.unwrap_or_default()).trim_end().to_owned()
    }
}

/// `{"ok": false}` and its like.
fn says_no(body: &Value) -> bool {
    let is_false = |name: &&str| body.get(name) == Some(&Value::Bool(false));
    let is_told = |name: &&str| match body.get(name) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(inner)) => !inner.is_empty(),
        _ => false,
    };
    ["ok", "success"].iter().any(is_false) || ["error", "errors"].iter().any(is_told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_body_may_say_no_where_the_status_says_yes() {
        for no in
            [json!({"ok": false}), json!({"success": false}), json!({"error": "x"}), json!({"errors": [1]})]
        {
            assert!(says_no(&no), "{no}");
        }
        for yes in [json!({}), json!({"ok": true}), json!({"error": null, "errors": []}), json!([false])] {
            assert!(!says_no(&yes), "{yes}");
        }
    }
}
