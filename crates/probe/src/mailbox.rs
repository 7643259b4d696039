//! Where the server's mails arrive: a directory of `.eml` files.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A directory into which the server, or a mail server before it, writes each mail as a file.
#[derive(Clone, Debug)]
pub struct Mailbox {
    directory: PathBuf,
}

/// A mail as it was written.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The file.
    pub path: PathBuf,
    /// The head as it is, then every part, decoded.
    pub text: String,
}

/// How deep parts within parts are read.
const DEEPEST: usize = 4;
const GLANCE: Duration = Duration::from_millis(50);

impl Mailbox {
    /// The mailbox in this directory.
    #[must_use]
    pub fn directory(path: &Path) -> Self {
        Self { directory: path.to_owned() }
    }

    /// The mails to an address that are there now, oldest first.
    pub async fn letters(&self, address: &str) -> Vec<Letter> {
        let mut found = Vec::new();
        let Ok(mut entries) = tokio::fs::read_dir(&self.directory).await else { return Vec::new() };
        while let Ok(Some(entry)) = entries.next_entry().await {
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != "eml") {
                continue;
            }
            let Ok(bytes) = tokio::fs::read(&path).await else { continue };
            let raw = String::from_utf8_lossy(&bytes);
            if is_to(&raw, address) {
                let written = entry.metadata().await.ok().and_then(|data| data.modified().ok());
                found.push((written, Letter { path, text: decoded(&bytes) }));
            }
        }
        found.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.path.cmp(&other.path)));
        found.into_iter().map(|(_, letter)| letter).collect()
    }

    /// Waits for a mail to an address that was not there before; `seen` then knows it.
    pub async fn wait(
        &self,
        address: &str,
        seen: &mut HashSet<PathBuf>,
        patience: Duration,
    ) -> Option<Letter> {
        let end = Instant::now() + patience;
        loop {
            let new = self.letters(address).await.into_iter().find(|letter| seen.insert(letter.path.clone()));
            if new.is_some() || Instant::now() >= end {
                return new;
            }
            sleep(GLANCE).await;
        }
    }
}

impl Letter {
    /// The value of a query parameter of the first link that has it.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let needle = [format!("?{name}="), format!("&{name}="), format!("&amp;{name}=")];
        let start = needle.iter().find_map(|key| self.text.find(key).map(|index| index + key.len()))?;
        let value =
            self.text[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.~%".contains(*c));
        Some(value.collect())
    }

    /// Every `http://` or `https://` link.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        let starts = self.text.match_indices("http").map(|(index, _)| &self.text[index..]);
        let links = starts.filter(|rest| rest.starts_with("http://") || rest.starts_with("https://"));
        links
            .map(|rest| rest.chars().take_while(|c| !c.is_whitespace() && !"\"<>')".contains(*c)).collect())
            .collect()
    }
}

/// Whether the head of the mail names the address as a receiver.
fn is_to(raw: &str, address: &str) -> bool {
    let head = raw.split("\r\n\r\n").next().and_then(|head| head.split("\n\n").next()).unwrap_or_default();
    let head = head.to_ascii_lowercase();
    let address = address.to_ascii_lowercase();
    head.lines().any(|line| (line.starts_with("to:") || line.starts_with("x-to:")) && line.contains(&address))
}

/// What a reader sees: every part of the mail, its transfer encoding taken off. The head stays before it.
fn decoded(raw: &[u8]) -> String {
    let (head, body) = parted(raw);
    format!("{}\n\n{}", String::from_utf8_lossy(head), content(head, body, 0))
}

/// Head and body, where an empty line is between them.
fn parted(raw: &[u8]) -> (&[u8], &[u8]) {
    let end = |mark: &[u8]| {
        raw.windows(mark.len()).position(|window| window == mark).map(|at| (at, at + mark.len()))
    };
    match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(one), Some(other)) => cut(raw, one.min(other)),
        (one, other) => one.or(other).map_or((&[], raw), |place| cut(raw, place)),
    }
}

fn cut(raw: &[u8], (end, start): (usize, usize)) -> (&[u8], &[u8]) {
    (raw.get(..end).unwrap_or_default(), raw.get(start..).unwrap_or_default())
}

fn content(head: &[u8], body: &[u8], depth: usize) -> String {
    let head = String::from_utf8_lossy(head).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    if let Some(boundary) = field(&head, "content-type").and_then(boundary).filter(|_| depth < DEEPEST) {
        let text = String::from_utf8_lossy(body).into_owned();
        let mark = format!("--{boundary}");
        let parts = text.split(&mark).skip(1);
        let parts = parts.filter(|part| !part.starts_with("--")).map(|part| {
            let (head, body) = parted(part.trim_start().as_bytes());
            content(head, body, depth + 1)
        });
        return parts.collect::<Vec<_>>().join("\n");
    }
    let encoding = field(&head, "content-transfer-encoding").unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = match encoding.as_str() {
        "quoted-printable" => quoted_printable(body),
        "base64" => {
            let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            BASE64_STANDARD.decode(text).unwrap_or_else(|_| body.to_vec())
        }
        _ => body.to_vec(),
    };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The value of a header field, whose lines are joined.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

fn boundary(kind: &str) -> Option<&str> {
    let kind = kind.trim();
    if !kind.get(..10)?.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    let mut parameters = kind.split(';').filter_map(|part| part.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    Some(value.trim().trim_matches('"')).filter(|value| !value.is_empty())
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = code.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        (rest, _) = match (first, byte) {
            (b'=', Some(byte)) => (after.get(2..).unwrap_or_default(), bytes.push(byte)),
            (b'=', None) if after.starts_with(b"\r\n") => (after.get(2..).unwrap_or_default(), ()),
            (b'=', None) if after.starts_with(b"\n") => (after.get(1..).unwrap_or_default(), ()),
            _ => (after, bytes.push(*first)),
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MAIL: &str = "From: a@b\r\nTo: <Probe@example.org>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                        Open https://x.example/verify?to=\r\nken=3Dab-c_=31 now: caf=C3=A9 =\r\n\r\n";

    #[test]
    fn every_part_is_decoded_by_its_own_encoding() {
        let whole = "To: a@b\nContent-Type: multipart/alternative;\n boundary=\"x y\"\n\nignored\n--x y\n\
                     Content-Transfer-Encoding: base64\n\nL3Y/dG9rZW49YWJj\nLWQK\n--x y\n\
                     Content-Transfer-Encoding: Quoted-Printable\nContent-Type: text/html\n\n<b>=C3=BC=\n</b>=\n--x y--\n";
        let text = decoded(whole.as_bytes());
        assert!(
            text.contains("/v?token=abc-d") && text.contains("<b>ü</b>") && !text.contains("ignored"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_mail_is_found_by_its_receiver_and_read_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1.eml"), MAIL).unwrap();
        std::fs::write(folder.path().join("2.eml"), "To: other@example.org\n\nprobe@example.org").unwrap();
        let mailbox = Mailbox::directory(folder.path());
        let mut seen = HashSet::new();
        let letter = mailbox.wait("probe@example.org", &mut seen, Duration::ZERO).await.unwrap();
        assert_eq!(letter.parameter("token").unwrap(), "ab-c_1");
        assert_eq!(letter.links(), ["https://x.example/verify?token=ab-c_1"]);
        assert!(letter.text.contains("café"));
        assert!(mailbox.wait("probe@example.org", &mut seen, Duration::ZERO).await.is_none());
    }
}
