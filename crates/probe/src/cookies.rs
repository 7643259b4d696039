//! Cookies, as a server sets them.

/// A cookie without its value.
pub(crate) struct Cookie {
    /// In lower case.
    pub name: String,
    attributes: Vec<String>,
}

impl Cookie {
    /// Reads the value of a Set-Cookie field.
    pub fn parse(value: &str) -> Self {
        let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().unwrap_or_default().split('=').next().unwrap_or_default().to_owned();
        Self { name, attributes: parts.collect() }
    }

    /// Whether it has an attribute, which is written in lower case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|found| found == attribute)
    }

    /// Whether browsers keep it from going along with most calls of other sites.
    pub fn is_same_site(&self) -> bool {
        self.has("samesite=lax") || self.has("samesite=strict")
    }
}

/// Whether a cookie of this name, in lower case, holds a session or a token: neither a setting, nor a load
/// balancer's mark, nor the token of a form, which a script must read.
pub(crate) fn is_session(name: &str) -> bool {
    const WORDS: &[&str] =
        &["sess", "token", "jwt", "auth", "refresh", "access", "identity", "aspnetcore.", "remember"];
    let ends = name == "sid" || [".sid", "_sid", "-sid"].iter().any(|end| name.ends_with(end));
    let is_form = ["csrf", "xsrf", "antiforgery"].iter().any(|word| name.contains(word));
    !is_form && (ends || WORDS.iter().any(|word| name.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_told_from_settings() {
        for name in [
            "connect.sid",
            "phpsessid",
            "jsessionid",
            ".aspnetcore.cookies",
            "sessionid",
            "__host-refresh",
            "jwt",
            "sid",
        ] {
            assert!(is_session(name), "{name}");
        }
        for name in
            ["lang", "awsalb", "csrftoken", "xsrf-token", ".aspnetcore.antiforgery.x", "theme", "inside"]
        {
            assert!(!is_session(name), "{name}");
        }
    }
}
