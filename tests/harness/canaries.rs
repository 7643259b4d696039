//! Texts that must not be found where they do not belong.

use super::unique;
use serde_json::Value;

const PREFIX: &str = "canary";

/// What was sent or received in confidence, and as what.
#[derive(Default)]
pub struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// A fresh text that is to stay secret.
    pub fn plant(&mut self, what: impl Into<String>) -> String {
        let text = format!("{PREFIX}{}", unique());
        self.0.push((what.into(), text.clone()));
        text
    }

    /// A secret that is as good a password as any, and that resembles nothing else planted here.
    pub fn plant_password(&mut self) -> String {
        let letters: String = unique().bytes().map(|byte| char::from(byte % 16 + b'G')).collect();
        let password = format!("{letters}-42-harbour");
        self.0.push(("a password".to_owned(), letters));
        password
    }

    /// A text of somebody else's that is to stay secret.
    pub fn keep(&mut self, what: impl Into<String>, text: &str) {
        assert!(text.len() >= 8, "a text that could occur by chance: {text}");
        let what = what.into();
        // Whoever has the parts of a token has the token.
        for part in text.split('.').filter(|part| part.len() >= 20) {
            self.0.push((format!("a part of {what}"), part.to_owned()));
        }
        self.0.push((what, text.to_owned()));
    }

    /// Every token in an answer's body and cookies.
    pub fn keep_answer(&mut self, what: &str, answer: &super::Answer) {
        for name in ["access", "refresh", "csrftoken", "ticket"] {
            if let Some(text) = answer.body.get(name).and_then(Value::as_str) {
                self.keep(format!("{name} of {what}"), text);
            }
        }
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().expect("a cookie").split(';').next().unwrap_or_default();
            let (name, value) = text.split_once('=').expect("a cookie");
            if !value.is_empty() {
                self.keep(format!("the cookie {name} of {what}"), value);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Fails when one of them is there.
    #[track_caller]
    pub fn assert_absent(&self, text: &str) {
        // There are thousands; most begin alike, and none of these is there when the beginning is not.
        let is_planted = text.contains(PREFIX);
        let is_there = |canary: &str| (is_planted || !canary.starts_with(PREFIX)) && text.contains(canary);
        let found = self.0.iter().filter(|(_, canary)| is_there(canary));
        let found: Vec<_> = found.map(|(what, _)| what.as_str()).collect();
        assert!(found.is_empty(), "the log tells {found:?}");
    }
}
