//! JSON from strangers: checked for depth and NUL before it is parsed.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// Objects and arrays inside each other, at most (contract §1).
const MAX_DEPTH: usize = 32;

/// Parses a body as a JSON object; an empty body is an empty object.
pub(super) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    scan(bytes)?;
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::bad_request("invalid", "Invalid data. Expected a JSON object.")),
        Err(_) => Err(malformed()),
    }
}

const fn malformed() -> Error {
    Error::bad_request("parse_error", "JSON parse error")
}

/// One pass without memory: refuses nesting that would cost a stack, and the character NUL, which
/// databases and C libraries cut texts at.
fn scan(bytes: &[u8]) -> Result<()> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => {
                if bytes[position + 1..].starts_with(b"u0000") {
                    return Err(Error::bad_request("invalid", "Null characters are not allowed."));
                }
                position += 1;
            }
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Error::bad_request("parse_error", "JSON is nested too deeply"));
        }
        position += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> &'static str {
        match parse_object(body.as_bytes()) {
            Err(Error::Refused(refusal)) => refusal.code,
            _ => "accepted",
        }
    }

    #[test]
    fn thirty_two_levels_pass_and_one_more_does_not() {
        let nested = |levels: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert_eq!(refusal(&nested(31)), "accepted");
        assert_eq!(refusal(&nested(32)), "parse_error");
        assert_eq!(refusal(&nested(100_000)), "parse_error");
        assert_eq!(refusal(&"[".repeat(1_000_000)), "parse_error");
    }

    #[test]
    fn a_nul_is_refused_however_it_is_written_but_its_spelling_is_not() {
        assert_eq!(refusal(r#"{"a":"x\u0000"}"#), "invalid");
        assert_eq!(refusal("{\"a\":\"x\0\"}"), "parse_error");
        assert_eq!(refusal(r#"{"a":"x\\u0000"}"#), "accepted");
    }

    #[test]
    fn what_is_no_object_of_whole_characters_is_refused() {
        assert_eq!(refusal("[]"), "invalid");
        assert_eq!(refusal(r#"{"a":"\ud800"}"#), "parse_error");
        assert_eq!(refusal("{\"a\":\"\u{fffd}\""), "parse_error");
        assert_eq!(refusal(r#"{"a":1}{"#), "parse_error");
        assert_eq!(refusal(""), "accepted");
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err());
    }
}
