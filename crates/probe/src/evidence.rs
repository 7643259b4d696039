//! What was sent and what came back, without secrets.

use serde::Serialize;

/// One exchange, cut to what matters; tokens and passwords are replaced before it is made.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// Method and path, and the header fields of the request that matter, one a line.
    pub request: String,
    /// Status and the header fields of the answer that matter, one a line; a missing one is named as missing.
    pub response: String,
}

const KEYS: &[&str] = &["password", "access", "refresh", "token", "ticket", "secret", "code", "csrftoken"];
const LONGEST: usize = 400;

/// The text without tokens and passwords, cut to 400 characters, control characters replaced.
pub(crate) fn redact(text: &str) -> String {
    let text = without_values(&without_jwts(text));
    let cut: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() && c != '\n' { '·' } else { c }).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// A path whose `?token=` and `?ticket=` are hidden.
pub(crate) fn redact_path(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return redact(path) };
    let hide = |pair: &str| match pair.split_once('=') {
        Some((key, _)) if KEYS.contains(&key) => format!("{key}=[hidden]"),
        _ => pair.to_owned(),
    };
    redact(&format!("{path}?{}", query.split('&').map(hide).collect::<Vec<_>>().join("&")))
}

/// The value of a header field as it may be shown: credentials hidden, a cookie's attributes kept.
pub(crate) fn redact_header(name: &str, value: &str) -> String {
    match name {
        "authorization" | "cookie" | "x-csrftoken" => "[hidden]".to_owned(),
        "set-cookie" => {
            let (pair, attributes) = value.split_once(';').unwrap_or((value, ""));
            let name = pair.split('=').next().unwrap_or_default();
            format!("{name}=[hidden];{attributes}")
        }
        "sec-websocket-protocol" if value.starts_with("bearer") => "bearer, [hidden]".to_owned(),
        _ => redact(value),
    }
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

/// `"password": "…"` and its like, in JSON.
fn without_values(text: &str) -> String {
    let mut out = text.to_owned();
    for key in KEYS {
        let needle = format!("\"{key}\"");
        let mut from = 0;
        while let Some(found) = out[from..].find(&needle) {
            let after = from + found + needle.len();
            let rest = &out[after..];
            let quote = rest.find(|c: char| !c.is_whitespace() && c != ':');
            from = after;
            let Some(start) = quote.filter(|index| rest[*index..].starts_with('"')) else { continue };
            let value = &rest[start + 1..];
            let length = value.find('"').unwrap_or(value.len());
            out.replace_range(after + start + 1..after + start + 1 + length, "[hidden]");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_holds_no_tokens_and_no_passwords() {
        let body =
            r#"{"access": "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln", "user": {"id": 7}, "refresh":"abc"}"#;
        assert_eq!(redact(body), r#"{"access": "[hidden]", "user": {"id": 7}, "refresh":"[hidden]"}"#);
        assert_eq!(redact("at eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln end"), "at [token] end");
        assert_eq!(redact("eyJhbGciOiJIUzI1NiJ9 alone"), "eyJhbGciOiJIUzI1NiJ9 alone");
        assert_eq!(redact_path("/ws/1/?token=abc&after=3"), "/ws/1/?token=[hidden]&after=3");
        assert_eq!(redact_header("authorization", "Bearer x"), "[hidden]");
        assert_eq!(redact_header("set-cookie", "sid=1; HttpOnly"), "sid=[hidden]; HttpOnly");
        assert_eq!(redact("\"password\": 1, \"password\""), "\"password\": 1, \"password\"");
    }

    #[test]
    fn evidence_is_short() {
        assert_eq!(redact(&"é".repeat(401)).chars().count(), LONGEST + 1);
    }
}
