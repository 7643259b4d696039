//! What was sent and what came back, without secrets.

use crate::mapping::Mapping;
use serde::Serialize;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// One exchange, cut to what matters; tokens and passwords are replaced before it is made.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// Method and path, and the header fields of the request that matter, one a line.
    pub request: String,
    /// Status and the header fields of the answer that matter, one a line; a missing one is named as missing.
    pub response: String,
}

/// Parts of the names of what is secret, as they are without `_`, `-` and capitals.
const PARTS: &[&str] = &["password", "passwd", "pwd", "token", "secret", "refresh", "ticket", "jwt"];
/// Names that are secret as a whole.
const WHOLE: &[&str] = &["access", "code", "otp"];
const LONGEST: usize = 400;
/// Shorter than that nothing is a secret of a run.
const LEAST: usize = 6;

/// Knows what must not be shown: names of secrets, and the secrets that a run has met.
pub(crate) struct Redactor {
    names: Vec<String>,
    secrets: Mutex<Vec<String>>,
}

impl Redactor {
    /// With the names that a mapping has for passwords and tokens.
    pub fn new(mapping: &Mapping) -> Self {
        let of = &mapping.fields;
        let fields = [
            &of.password,
            &of.current_password,
            &of.new_password,
            &of.access,
            &of.refresh,
            &of.logout_refresh,
            &of.token,
            &mapping.mail.token_parameter,
        ];
        let names = fields.map(|name| plain(name.rsplit('.').next().unwrap_or(name))).to_vec();
        Self { names, secrets: Mutex::default() }
    }

    /// Remembers a password that was made or a token that came.
    pub fn keep(&self, secret: &str) {
        if secret.len() >= LEAST {
            let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            if !secrets.iter().any(|known| known == secret) {
                secrets.push(secret.to_owned());
                // One may be the beginning of another.
                secrets.sort_by_key(|known| std::cmp::Reverse(known.len()));
            }
        }
    }

    /// The text without the secrets of the run.
    pub fn hide(&self, text: &str) -> String {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[hidden]"))
    }

    /// The text without tokens and passwords, cut to 400 characters, without what a terminal or page would obey.
    pub fn text(&self, text: &str) -> String {
        let text = self.without_values(&without_jwts(&self.hide(text)));
        let cut: String = text.chars().take(LONGEST).map(|c| if is_obeyed(c) { '·' } else { c }).collect();
        if text.chars().nth(LONGEST).is_some() { format!("{cut}…") } else { cut }
    }

    /// A path or URL whose `?token=` and its like are hidden.
    pub fn path(&self, path: &str) -> String {
        let Some((path, query)) = path.split_once('?') else { return self.text(path) };
        let hide = |pair: &str| match pair.split_once('=') {
            Some((key, _)) if self.is_secret(key) => format!("{key}=[hidden]"),
            _ => pair.to_owned(),
        };
        self.text(&format!("{path}?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&")))
    }

    /// The value of a header field as it may be shown: credentials hidden, a cookie's attributes kept.
    pub fn header(&self, name: &str, value: &str) -> String {
        match name {
            "authorization" | "cookie" => "[hidden]".to_owned(),
            "set-cookie" => {
                let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
                let name = pair.split('=').next().unwrap_or_default();
                self.text(&format!("{name}=[hidden];{attributes}"))
            }
            "sec-websocket-protocol" if value.starts_with("bearer") => "bearer, [hidden]".to_owned(),
            "location" => self.path(value),
            name if self.is_secret(name) => "[hidden]".to_owned(),
            _ => self.text(value),
        }
    }

    fn is_secret(&self, name: &str) -> bool {
        let name = plain(name);
        PARTS.iter().any(|part| name.contains(part))
            || WHOLE.contains(&name.as_str())
            || self.names.contains(&name)
    }

    /// `"password": "…"` and its like, in JSON that may end anywhere.
    fn without_values(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, name, after)) = next_string(rest) {
            out.push_str(before);
            out.push_str(name);
            rest = after;
            let gap = rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == ':').len();
            let is_value = rest[..gap].contains(':') && rest[gap..].starts_with('"');
            if is_value && self.is_secret(name.trim_matches('"')) {
                let (_, _, after) = next_string(&rest[gap..]).unwrap_or(("", "", ""));
                out.push_str(&rest[..gap]);
                out.push_str("\"[hidden]\"");
                rest = after;
            }
        }
        out + rest
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

/// Lower case, without what separates words.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Control characters but line ends, and what turns or hides text: marks of direction, of line ends, of no width.
fn is_obeyed(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// What stands before the next JSON string, the string with its quotes, and what follows.
fn next_string(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('"')?;
    let mut is_escaped = false;
    let end = text[start + 1..].find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    let end = end.map_or(text.len(), |length| start + 1 + length + 1);
    Some((&text[..start], &text[start..end], &text[end..]))
}

/// Three base64url parts, the first of which begins as a JSON object does.
fn without_jwts(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        out.push_str(&rest[..start]);
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        out.push_str(if word.matches('.').count() >= 2 { "[token]" } else { word });
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Redactor {
        Redactor::new(&Mapping::default())
    }

    #[test]
    fn evidence_holds_no_tokens_and_no_passwords() {
        let usual = usual();
        let body =
            r#"{"access": "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", "user": {"id": 7}, "refresh":"a\"bc"}"#;
        assert_eq!(usual.text(body), r#"{"access": "[hidden]", "user": {"id": 7}, "refresh":"[hidden]"}"#);
        assert_eq!(usual.text("at eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln end"), "at [token] end");
        assert_eq!(usual.text("eyJhbGciOiJIUzI1NiJ9 alone"), "eyJhbGciOiJIUzI1NiJ9 alone");
        assert_eq!(usual.path("/ws/1/?token=abc&after=3"), "/ws/1/?token=[hidden]&after=3");
        assert_eq!(usual.path("/v?confirmation_token=abc"), "/v?confirmation_token=[hidden]");
        assert_eq!(usual.header("authorization", "Bearer x"), "[hidden]");
        assert_eq!(usual.header("x-csrftoken", "abc"), "[hidden]");
        assert_eq!(usual.header("location", "/x?token=a"), "/x?token=[hidden]");
        assert_eq!(usual.header("set-cookie", "sid=1; HttpOnly"), "sid=[hidden]; HttpOnly");
        assert_eq!(usual.text("\"password\": 1, \"password\""), "\"password\": 1, \"password\"");
    }

    #[test]
    fn secrets_have_many_names() {
        let mapping =
            "name = 'x'\n[fields]\npassword = 'user.pin'\n[mail]\ntoken_parameter = 'confirmation_key'";
        let mut all = vec!["refresh_token", "accessToken", "pwd", "new_password", "current-password", "OTP"];
        all.extend(["pin", "confirmation_key"]);
        #[allow(clippy::unwrap_used)]
        let mapped = Redactor::new(&Mapping::parse(mapping).unwrap());
        for name in all {
            let hidden = mapped.text(&format!(r#"{{"{name}": "abc", "b": "c"}}"#));
            assert_eq!(hidden, format!(r#"{{"{name}": "[hidden]", "b": "c"}}"#));
        }
        assert!(!usual().is_secret("username") && !usual().is_secret("status_code"));
    }

    #[test]
    fn what_the_run_has_met_is_hidden_wherever_it_stands_and_never_half() {
        let usual = usual();
        usual.keep("opaque-secret-1");
        usual.keep("opaque-secret-12");
        usual.keep("x");
        let long = format!("{}opaque-secret-12", " ".repeat(395));
        assert_eq!(usual.text("a opaque-secret-12 x"), "a [hidden] x");
        assert!(!usual.text(&long).contains("opaq"));
    }

    #[test]
    fn evidence_is_short_and_nobody_obeys_it() {
        let usual = usual();
        assert_eq!(usual.text(&"é".repeat(401)).chars().count(), LONGEST + 1);
        assert_eq!(usual.text(&"é".repeat(400)).chars().count(), LONGEST);
        assert_eq!(
            usual.header("set-cookie", &format!("a=b; {}", "x".repeat(4000))).chars().count(),
            LONGEST + 1
        );
        assert_eq!(usual.text("\x1b[2J\u{202e}gnp.exe\u{2028}\u{200b}"), "·[2J·gnp.exe··");
    }
}
