//! A message as it goes out: made once, the same for every listener and in the history.

use super::store;
use crate::error::Result;
use crate::model::messages;
use portcullis_security::clock::Timestamp;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use utoipa::ToSchema;

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatMessage {
    /// `chat_message`.
    #[serde(rename = "type")]
    kind: &'static str,
    id: i64,
    /// Its number in the room, from 1 on without a gap.
    pub(super) seq: i64,
    /// The text with HTML's five characters escaped: safe wherever it is put (guide §9).
    message: String,
    /// The text as it was typed: encode it where it is shown.
    text: String,
    /// The username of who said it; null when the account is gone.
    user: Option<String>,
    timestamp: String,
}

impl ChatMessage {
    pub(super) fn of(row: messages::Model, user: Option<String>) -> Self {
        Self {
            kind: "chat_message",
            id: row.id,
            seq: row.seq,
            message: escape(&row.text),
            text: row.text,
            user,
            timestamp: Timestamp::from_micros(row.created_at).to_string(),
        }
    }

    /// Rows with their authors' names read from the database.
    pub(super) async fn load(db: &impl ConnectionTrait, rows: Vec<messages::Model>) -> Result<Vec<Self>> {
        let names = store::usernames(db, rows.iter().filter_map(|row| row.user_id)).await?;
        let with_name = |row: messages::Model| {
            let name = row.user_id.and_then(|id| names.get(&id).cloned());
            Self::of(row, name)
        };
        Ok(rows.into_iter().map(with_name).collect())
    }
}

/// As `django.utils.html.escape`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_escaped_as_django_does_and_kept_as_typed() {
        let row = messages::Model {
            id: 9,
            room_id: 1,
            seq: 4,
            user_id: Some(1),
            text: "<b>\"AT&T\"</b> isn't &amp;".to_owned(),
            created_at: 0,
        };
        let message = ChatMessage::of(row, Some("ada".to_owned()));
        assert_eq!(message.message, "&lt;b&gt;&quot;AT&amp;T&quot;&lt;/b&gt; isn&#x27;t &amp;amp;");
        assert_eq!(message.text, "<b>\"AT&T\"</b> isn't &amp;");
        assert_eq!(
            (message.kind, message.timestamp.as_str()),
            ("chat_message", "1970-01-01T00:00:00.000000Z")
        );
    }
}
