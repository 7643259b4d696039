//! The words of the letters: a text and an HTML template each, built in, replaceable file by file.
//!
//! The first line of a text template is `Subject: …`. HTML values are escaped; a value never holds a
//! control character, so no name or device can begin a header or a line of its own.

use super::letter::{Content, Kind, Notice, Prepared};
use super::message::Worded;
use super::settings::{Settings, SettingsError, Site};
use crate::error::{Error, Result};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

/// Longer names of devices are cut.
const DEVICE_LENGTH: usize = 80;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

const BUILT_IN: [(&str, &str); 34] = built_in![
    "base.html",
    "footer.txt",
    "verify_email.html",
    "verify_email.txt",
    "already_registered.html",
    "already_registered.txt",
    "reset_password.html",
    "reset_password.txt",
    "password_changed.html",
    "password_changed.txt",
    "confirm_email_change.html",
    "confirm_email_change.txt",
    "email_changed.html",
    "email_changed.txt",
    "account_deleted.html",
    "account_deleted.txt",
    "new_device.html",
    "new_device.txt",
    "token_reused.html",
    "token_reused.txt",
    "password_guessed.html",
    "password_guessed.txt",
    "invitation.html",
    "invitation.txt",
    "new_follower.html",
    "new_follower.txt",
    "follow_request.html",
    "follow_request.txt",
    "follow_approved.html",
    "follow_approved.txt",
    "book_reviewed.html",
    "book_reviewed.txt",
    "test.html",
    "test.txt",
];

/// The templates, parsed and tried.
pub(super) struct Templates(Environment<'static>);

/// What a template may use. `link` is set where there is something to click.
#[derive(Serialize, Default)]
struct Values {
    site_name: String,
    site_url: Value,
    username: Option<String>,
    link: Option<Value>,
    lifetime: String,
    code: String,
    code_lifetime: String,
    ip_prefix: String,
    device: String,
    when: String,
    by: String,
    book: String,
    unsubscribe: Option<Value>,
}

impl Templates {
    /// Reads the templates and words every letter once, so that a mistake in one shows at start.
    pub(super) fn load(settings: &Settings, site: &Site) -> Result<Self, SettingsError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, built_in) in BUILT_IN {
            let source = match &settings.templates_dir {
                Some(folder) => own_source(&folder.join(name))?.unwrap_or_else(|| built_in.to_owned()),
                None => built_in.to_owned(),
            };
            environment.add_template_owned(name, source).map_err(|error| wrong(name, &error))?;
        }
        let templates = Self(environment);
        for kind in Kind::ALL {
            let sample =
                Prepared { to: String::new(), username: Some("sample".into()), content: sample(kind) };
            templates.word(site, &sample).map_err(|error| wrong(kind.slug(), &format!("{error:?}")))?;
        }
        Ok(templates)
    }

    /// Words a letter.
    pub(super) fn word(&self, site: &Site, prepared: &Prepared) -> Result<Worded> {
        let kind = prepared.content.kind();
        let link = link(site, &prepared.content);
        let mut values = values(&prepared.content);
        values.site_name.clone_from(&site.name);
        values.site_url = Value::from_safe_string(site.links.clone());
        values.username = prepared.username.as_deref().map(one_line);
        values.link = link.clone().map(Value::from_safe_string);
        let unsubscribe = unsubscribe(site, &prepared.content);
        values.unsubscribe = unsubscribe.clone().map(Value::from_safe_string);
        let (subject, text) = split_subject(&self.render(kind, "txt", &values)?)?;
        let html = self.render(kind, "html", &values)?;
        Ok(Worded { kind, subject, text, html, link, unsubscribe })
    }

    fn render(&self, kind: Kind, part: &str, values: &Values) -> Result<String> {
        let name = format!("{}.{part}", kind.slug());
        let template = self.0.get_template(&name).map_err(|error| broken(&name, &error))?;
        template.render(Serde(values)).map_err(|error| broken(&name, &error))
    }
}

fn own_source(path: &Path) -> Result<Option<String>, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(source) => Ok(Some(source)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SettingsError::TemplateFile(path.to_owned(), error)),
    }
}

fn wrong(name: &str, error: &impl ToString) -> SettingsError {
    SettingsError::Template(name.to_owned(), error.to_string())
}

fn broken(name: &str, error: &minijinja::Error) -> Error {
    Error::internal(format_args!("the mail template {name} does not work: {error}"))
}

/// `{links_url}/PAGE?token=T`, or `?invite=T` (contract §2); nothing of any request enters it.
fn link(site: &Site, content: &Content) -> Option<String> {
    if let Content::Notice(notice) = content {
        return Some(format!("{}/{}", site.links, notice_page(notice)));
    }
    let (page, token) = match content {
        Content::VerifyEmail { token, .. } => ("verify-email?token", token),
        Content::ResetPassword { token, .. } => ("reset-password?token", token),
        Content::ConfirmEmailChange { token, .. } => ("confirm-email?token", token),
        Content::Invitation { token, .. } => ("sign-up?invite", token),
        _ => return None,
    };
    Some(format!("{}/{page}={}", site.links, token.expose_text()))
}

/// The page of what a notice is about; a username is ASCII, but an imported one may hold `@` and `+`.
fn notice_page(notice: &Notice) -> String {
    match (notice.kind, &notice.book) {
        (Kind::FollowRequest, _) => "follow-requests".to_owned(),
        (_, Some((_, book_id))) => format!("books/{book_id}"),
        _ => {
            let plain = |c: &char| c.is_ascii_alphanumeric() || "_-.@+".contains(*c);
            format!("people/{}", notice.by.chars().filter(plain).collect::<String>())
        }
    }
}

/// `{public_url}/api/notifications/unsubscribe/?token=T`: the server itself, which a mail program calls.
fn unsubscribe(site: &Site, content: &Content) -> Option<String> {
    let Content::Notice(notice) = content else { return None };
    let token = notice.unsubscribe.expose_text();
    Some(format!("{}/api/notifications/unsubscribe/?token={token}", site.public))
}

fn values(content: &Content) -> Values {
    match content {
        Content::VerifyEmail { lifetime, code, code_lifetime, .. } => Values {
            lifetime: in_words(*lifetime),
            code: one_line(code.expose_text()),
            code_lifetime: in_words(*code_lifetime),
            ..Values::default()
        },
        Content::ResetPassword { lifetime, .. }
        | Content::ConfirmEmailChange { lifetime, .. }
        | Content::Invitation { lifetime, .. } => {
            Values { lifetime: in_words(*lifetime), ..Values::default() }
        }
        Content::PasswordChanged { ip_prefix, device } => {
            Values { ip_prefix: one_line(ip_prefix), device: harmless(device), ..Values::default() }
        }
        Content::AccountDeleted { delete_at } => Values { when: as_date(*delete_at), ..Values::default() },
        Content::PasswordGuessed { at } => Values { when: as_date(*at), ..Values::default() },
        Content::NewDevice { ip_prefix, device, at } | Content::TokenReused { ip_prefix, device, at } => {
            Values {
                ip_prefix: one_line(ip_prefix),
                device: harmless(device),
                when: as_date(*at),
                ..Values::default()
            }
        }
        Content::Notice(notice) => Values {
            by: one_line(&notice.by),
            book: notice.book.as_ref().map(|(title, _)| one_line(title)).unwrap_or_default(),
            ..Values::default()
        },
        Content::AlreadyRegistered | Content::EmailChanged | Content::Test => Values::default(),
    }
}

/// The first line is the subject, the rest the text.
fn split_subject(rendered: &str) -> Result<(String, String)> {
    let (first, rest) = rendered.split_once('\n').unwrap_or((rendered, ""));
    let subject = first.strip_prefix("Subject:").map(one_line).filter(|subject| !subject.is_empty());
    let subject =
        subject.ok_or_else(|| Error::internal("a mail's text template begins with \"Subject: …\""))?;
    Ok((subject, format!("{}\n", rest.trim())))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// A device names itself, also an attacker's: what could be read as an address or a link goes.
fn harmless(device: &str) -> String {
    let characters: Vec<char> = device.chars().take(DEVICE_LENGTH).collect();
    let kept = characters.iter().enumerate().filter(|&(at, c)| match c {
        '.' => characters.get(at + 1).is_some_and(char::is_ascii_digit),
        _ => c.is_alphanumeric() || " ()-_,;/".contains(*c),
    });
    let name = kept.map(|(_, c)| c).collect::<String>();
    if name.trim().is_empty() { "an unknown device".into() } else { name.trim().to_owned() }
}

/// A duration as one says it, in the largest unit that divides it.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    // A day is called 24 hours: that is how long a link of yesterday evening works.
    let units = [(86_400 * 2, 86_400, "day"), (3600, 3600, "hour"), (60, 60, "minute")];
    let fits = |&(least, unit, _): &(u64, u64, &str)| seconds >= least && seconds.is_multiple_of(unit);
    let (count, unit) =
        units.into_iter().find(fits).map_or((seconds, "second"), |(_, unit, name)| (seconds / unit, name));
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

fn as_date(moment: Timestamp) -> String {
    chrono::DateTime::from_timestamp_micros(moment.micros())
        .map_or_else(|| moment.to_string(), |date| date.format("%-d %B %Y, %H:%M UTC").to_string())
}

fn sample(kind: Kind) -> Content {
    let token = Secret::from("sample");
    let lifetime = Duration::from_secs(3600);
    let (ip_prefix, device) = ("192.0.2.0/24".to_owned(), "Firefox on Linux".to_owned());
    let moment = Timestamp::from_micros(0);
    match kind {
        Kind::VerifyEmail => {
            let (code, code_lifetime) = (Secret::from("00000000"), lifetime);
            Content::VerifyEmail { token, lifetime, code, code_lifetime }
        }
        Kind::AlreadyRegistered => Content::AlreadyRegistered,
        Kind::ResetPassword => Content::ResetPassword { token, lifetime },
        Kind::PasswordChanged => Content::PasswordChanged { ip_prefix, device },
        Kind::ConfirmEmailChange => Content::ConfirmEmailChange { token, lifetime },
        Kind::EmailChanged => Content::EmailChanged,
        Kind::AccountDeleted => Content::AccountDeleted { delete_at: moment },
        Kind::NewDevice => Content::NewDevice { ip_prefix, device, at: moment },
        Kind::TokenReused => Content::TokenReused { ip_prefix, device, at: moment },
        Kind::PasswordGuessed => Content::PasswordGuessed { at: moment },
        Kind::Invitation => Content::Invitation { token, lifetime },
        Kind::NewFollower | Kind::FollowRequest | Kind::FollowApproved | Kind::BookReviewed => {
            let book = (kind == Kind::BookReviewed).then(|| ("A Book".to_owned(), 1));
            Content::Notice(Notice { kind, by: "sample".into(), book, unsubscribe: token })
        }
        Kind::Test => Content::Test,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn settings() -> Settings {
        Settings {
            site_name: "Books & <Friends>".into(),
            public_url: "https://accounts.example.com".into(),
            links_url: "https://app.example.com".into(),
            from: "no-reply@example.com".into(),
            templates_dir: None,
        }
    }

    fn word(settings: &Settings, username: &str, content: Content) -> Worded {
        let site = settings.check().unwrap();
        let prepared = Prepared { to: "a@example.com".into(), username: Some(username.into()), content };
        Templates::load(settings, &site).unwrap().word(&site, &prepared).unwrap()
    }

    #[test]
    fn a_verification_letter_has_the_link_the_code_and_the_name_of_the_site() {
        let content = Content::VerifyEmail {
            token: Secret::from("T0k-en_"),
            lifetime: Duration::from_secs(86_400),
            code: Secret::from("01234567"),
            code_lifetime: Duration::from_secs(600),
        };
        let letter = word(&settings(), "ann", content);
        let link = "https://app.example.com/verify-email?token=T0k-en_";
        assert_eq!(letter.link.as_deref(), Some(link));
        assert!(letter.subject.contains("Books & <Friends>"), "{}", letter.subject);
        assert!(letter.text.lines().any(|line| line == link), "{}", letter.text);
        assert!(letter.html.contains(&format!("href=\"{link}\"")), "{}", letter.html);
        assert!(letter.html.contains("Books &amp; &lt;Friends&gt;"), "{}", letter.html);
        for part in [&letter.text, &letter.html] {
            assert!(part.contains("01234567") && part.contains("10 minutes") && part.contains("24 hours"));
            assert!(part.contains("ann"));
        }
    }

    #[test]
    fn every_letter_is_worded_in_ascii_unless_a_value_is_not() {
        for kind in Kind::ALL {
            let plain = Settings { site_name: "Portcullis".into(), ..settings() };
            let letter = word(&plain, "ann", sample(kind));
            assert!(letter.text.is_ascii() && letter.html.is_ascii(), "{kind:?}");
            assert!(!letter.text.contains("\n\n\n"), "{}", letter.text);
            assert!(letter.html.contains("</html>") && letter.html.len() < 9000, "{kind:?}");
        }
    }

    #[test]
    fn hostile_values_cannot_break_out_of_their_place() {
        let content = Content::NewDevice {
            ip_prefix: "192.0.2.0/24\r\nBcc: x@example.com".into(),
            device: "http://evil.example <script>alert(1)</script>\r\nX: y 1.2".into(),
            at: Timestamp::from_micros(1_767_225_600_000_000),
        };
        let letter = word(&settings(), "<b>\r\nBcc: x</b>", content);
        assert!(!letter.text.contains("\nBcc:") && !letter.subject.contains(['\r', '\n']));
        assert!(!letter.html.contains("<script") && !letter.html.contains("<b>"), "{}", letter.html);
        assert!(!letter.text.contains("http://") && !letter.text.contains("evil."), "{}", letter.text);
        assert!(letter.text.contains("1 January 2026, 00:00 UTC"), "{}", letter.text);
    }

    #[test]
    fn a_notice_leads_to_its_page_and_out_of_the_list() {
        let settings = settings();
        for (kind, page) in [
            (Kind::NewFollower, "people/bob"),
            (Kind::FollowRequest, "follow-requests"),
            (Kind::FollowApproved, "people/bob"),
            (Kind::BookReviewed, "books/7"),
        ] {
            let book = (kind == Kind::BookReviewed).then(|| ("A <Book>\r\nBcc: x".to_owned(), 7));
            let notice = Notice { kind, by: "bob".into(), book, unsubscribe: Secret::from("T.0-k_") };
            let letter = word(&settings, "ann", Content::Notice(notice));
            let link = format!("https://app.example.com/{page}");
            let out = "https://accounts.example.com/api/notifications/unsubscribe/?token=T.0-k_";
            assert_eq!(letter.link, Some(link.clone()));
            assert_eq!(letter.unsubscribe.as_deref(), Some(out));
            for part in [&letter.text, &letter.html] {
                assert!(part.contains(&link) && part.contains(out) && part.contains("bob"), "{part}");
            }
            assert!(!letter.html.contains("<Book>") && !letter.subject.contains(['\r', '\n']));
        }
        assert_eq!(word(&settings, "ann", Content::Test).unsubscribe, None);
    }

    #[test]
    fn one_template_can_be_replaced_and_a_broken_one_is_named_at_start() {
        let folder = tempfile::tempdir().unwrap();
        let own = Settings { templates_dir: Some(folder.path().into()), ..settings() };
        std::fs::write(folder.path().join("test.txt"), "Subject: Own words\nHello {{ username }}").unwrap();
        let letter = word(&own, "ann", Content::Test);
        assert_eq!((letter.subject.as_str(), letter.text.as_str()), ("Own words", "Hello ann\n"));
        assert!(letter.html.contains("</html>"));

        for broken in ["Subject: x\n{{ nowhere }}", "no subject", "Subject: {% if %}"] {
            std::fs::write(folder.path().join("test.txt"), broken).unwrap();
            let site = own.check().unwrap();
            let error = Templates::load(&own, &site).err().expect("refused");
            assert!(error.to_string().contains("test"), "{error}");
        }
    }

    #[test]
    fn durations_are_said_in_the_largest_unit_that_divides_them() {
        let said = |seconds| in_words(Duration::from_secs(seconds));
        let expected = [
            (600, "10 minutes"),
            (3600, "1 hour"),
            (86_400, "24 hours"),
            (604_800, "7 days"),
            (90, "90 seconds"),
            (1, "1 second"),
        ];
        for (seconds, words) in expected {
            assert_eq!(said(seconds), words);
        }
    }
}
