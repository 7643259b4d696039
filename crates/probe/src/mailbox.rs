//! Where the server's mails arrive: a directory of `.eml` files.

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
    /// The whole mail, soft line breaks joined and `=XX` decoded where it is quoted-printable.
    pub text: String,
}

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
                found.push((written, Letter { path, text: decoded(&raw) }));
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

fn decoded(raw: &str) -> String {
    if !raw.to_ascii_lowercase().contains("quoted-printable") {
        return raw.to_owned();
    }
    let joined = raw.replace("=\r\n", "").replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match code.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| *first == b'=') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MAIL: &str = "From: a@b\r\nTo: <Probe@example.org>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                        Open https://x.example/verify?to=\r\nken=3Dab-c_=31 now: caf=C3=A9 =\r\n\r\n";

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
