//! The API's Server-Sent Events, read as they arrive in pieces.

use super::Failure;
use serde::Deserialize;

/// Bytes of one line, at most.
const MAX_LINE: usize = 64 * 1024;

/// What has arrived of a line that has no end yet.
#[derive(Default)]
pub(super) struct Events {
    rest: Vec<u8>,
    /// Why the model stopped, once it has said so.
    stop_reason: Option<String>,
}

/// What an event says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// More of the reply.
    Text(String),
    /// The reply is whole.
    End,
    /// The API has broken off.
    Broken,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    delta: Option<Delta>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    stop_reason: Option<String>,
}

impl Events {
    /// Reads what has arrived. Every event of the API is one line of data, which says itself what it is.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Heard>, Failure> {
        self.rest.extend_from_slice(bytes);
        let mut heard = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            heard.extend(self.event(data)?);
        }
        if self.rest.len() > MAX_LINE { Err(Failure::Nonsense) } else { Ok(heard) }
    }

    fn event(&mut self, data: &[u8]) -> Result<Option<Heard>, Failure> {
        let Message { kind, delta } = serde_json::from_slice(data).map_err(|_| Failure::Nonsense)?;
        let heard = match (kind.as_str(), delta) {
            ("content_block_delta", Some(Delta { kind: Some(kind), text: Some(text), .. }))
                if kind == "text_delta" =>
            {
                Some(Heard::Text(text))
            }
            ("message_delta", Some(delta)) => {
                self.stop_reason = delta.stop_reason.or(self.stop_reason.take());
                None
            }
            // An answer that was cut at its greatest length, or refused, is none.
            ("message_stop", _) if self.stop_reason.as_deref() == Some("end_turn") => Some(Heard::End),
            ("message_stop", _) => return Err(Failure::Nonsense),
            ("error", _) => Some(Heard::Broken),
            _ => None,
        };
        Ok(heard)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const STREAM: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n\
        event: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n\
        data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"é!\"}}\n\n\
        data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{}}\n\n\
        data: {\"type\":\"message_stop\"}\n\n";

    #[test]
    fn events_are_read_however_they_are_cut() {
        for size in [1, 7, 10_000] {
            let mut events = Events::default();
            let heard: Vec<Heard> =
                STREAM.as_bytes().chunks(size).flat_map(|piece| events.read(piece).unwrap()).collect();
            assert_eq!(heard, [Heard::Text("é!".to_owned()), Heard::End], "{size}");
        }
    }

    #[test]
    fn errors_other_ends_and_what_is_no_event_are_told_apart() {
        let read = |text: &str| Events::default().read(text.as_bytes());
        let overloaded = "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n";
        assert_eq!(read(overloaded), Ok(vec![Heard::Broken]));
        for nonsense in [
            "data: {\"type\":\"message_stop\"}\n",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"}}\ndata: {\"type\":\"message_stop\"}\n",
            "data: <html>\n",
            "data: {}\n",
        ] {
            assert_eq!(read(nonsense), Err(Failure::Nonsense), "{nonsense}");
        }
        assert_eq!(read(&"x".repeat(MAX_LINE + 1)), Err(Failure::Nonsense));
        assert_eq!(read("id: 7\n: a comment\n\n"), Ok(Vec::new()));
    }
}
