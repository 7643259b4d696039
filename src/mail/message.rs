//! A mail that is worded: its parts for people and tests, its bytes for a mail server.

use super::letter::Kind;
use super::settings::{Site, parse_address};
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use portcullis_security::clock::Timestamp;
use std::time::{Duration, UNIX_EPOCH};

/// Longer lines must not be sent as they are (RFC 5321 §4.5.3.1.6).
const LINE_LENGTH: usize = 998;

/// A mail, ready to go.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Which letter it is.
    pub kind: Kind,
    /// The recipient's address.
    pub to: String,
    /// The subject, one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The page that the letter asks to open, with its token.
    pub link: Option<String>,
    /// The URL that turns mails of this sort off, for a sort that can be.
    pub unsubscribe: Option<String>,
    /// With angle brackets; the same for every delivery of one letter (RFC 5322 §3.6.4).
    pub message_id: String,
    pub(super) name: String,
    pub(super) message: Message,
}

/// Which letter of the outbox a mail is, from which its identity follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) outbox_id: i64,
    pub(super) created: Timestamp,
}

/// What the templates made.
pub(super) struct Worded {
    pub(super) kind: Kind,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) link: Option<String>,
    /// The URL that a mail program calls to unsubscribe.
    pub(super) unsubscribe: Option<String>,
}

/// The recipient's address is none that a mail can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no mail can be sent to this address")]
pub struct Unaddressable;

impl Origin {
    /// A name for the file that sorts by time and is the same for a second delivery.
    fn name(self) -> String {
        let moment: String = self.created.to_string().chars().filter(|c| !"-:".contains(*c)).collect();
        format!("{moment}-{:012}", self.outbox_id)
    }

    fn message_id(self, host: &str) -> String {
        format!("<{}.{}@{host}>", self.outbox_id, self.created.micros())
    }
}

impl Mail {
    pub(super) fn compose(
        site: &Site,
        to: &str,
        worded: Worded,
        origin: Origin,
    ) -> Result<Self, Unaddressable> {
        let address = parse_address(to).ok_or(Unaddressable)?;
        let message_id = origin.message_id(&site.host);
        let since_1970 = Duration::from_micros(origin.created.micros().max(0).unsigned_abs());
        let mut message = Message::builder()
            .from(site.from.clone())
            .to(Mailbox::new(None, address.clone()))
            .subject(worded.subject.clone())
            .date(UNIX_EPOCH + since_1970)
            .message_id(Some(message_id.clone()))
            .header(AutoSubmitted);
        if let Some(url) = &worded.unsubscribe {
            message = message.header(ListUnsubscribe(format!("<{url}>"))).header(ListUnsubscribePost);
        }
        let parts = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, &worded.text))
            .singlepart(part(ContentType::TEXT_HTML, &worded.html));
        let message = message.multipart(parts).map_err(|_| Unaddressable)?;
        Ok(Self {
            kind: worded.kind,
            to: address.to_string(),
            subject: worded.subject,
            text: worded.text,
            html: worded.html,
            link: worded.link,
            unsubscribe: worded.unsubscribe,
            message_id,
            name: origin.name(),
            message,
        })
    }
}

/// Plain ASCII goes as it is, so that a link stays whole and readable in the source; the rest is encoded.
fn part(content_type: ContentType, content: &str) -> SinglePart {
    let is_plain = content.is_ascii() && content.lines().all(|line| line.len() <= LINE_LENGTH);
    let part = SinglePart::builder().header(content_type);
    if is_plain {
        let crlf = content.lines().collect::<Vec<_>>().join("\r\n");
        part.body(Body::dangerous_pre_encoded(crlf.into_bytes(), ContentTransferEncoding::SevenBit))
    } else {
        part.body(content.to_owned())
    }
}

/// `Auto-Submitted: auto-generated` keeps holiday notices from answering (RFC 3834 §5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// The URL that a mail program calls with a POST to unsubscribe (RFC 2369 §3.2, RFC 8058 §2).
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(value: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.to_owned()))
    }

    /// Not folded: a URL with a space in it is none.
    fn display(&self) -> HeaderValue {
        HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.clone(), self.0.clone())
    }
}

/// Says that one POST to that URL is enough (RFC 8058 §3.1).
#[derive(Clone)]
struct ListUnsubscribePost;

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::mail::Settings;

    fn source(unsubscribe: Option<String>) -> String {
        let settings = Settings {
            site_name: "Books".into(),
            public_url: "https://books.example".into(),
            links_url: "https://books.example".into(),
            from: "no-reply@books.example".into(),
            templates_dir: None,
        };
        let worded = Worded {
            kind: Kind::NewFollower,
            subject: "bob follows you".into(),
            text: "Hello\n".into(),
            html: "<p>Hello</p>".into(),
            link: None,
            unsubscribe,
        };
        let origin = Origin { outbox_id: 1, created: Timestamp::from_micros(0) };
        let mail = Mail::compose(&settings.check().unwrap(), "a@example.com", worded, origin).unwrap();
        String::from_utf8(mail.message.formatted()).unwrap()
    }

    #[test]
    fn a_mail_that_can_be_turned_off_says_how_in_one_click() {
        let url = format!("https://books.example/api/notifications/unsubscribe/?token={}", "x".repeat(120));
        let source = source(Some(url.clone()));
        assert!(source.lines().any(|line| line == format!("List-Unsubscribe: <{url}>")), "{source}");
        let post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click";
        assert!(source.lines().any(|line| line == post), "{source}");
    }

    #[test]
    fn a_security_notice_offers_no_way_out() {
        assert!(!source(None).contains("List-Unsubscribe"));
    }
}
