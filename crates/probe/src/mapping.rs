//! What a server's routes and fields are called.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::ops::Deref;

/// The routes and fields of a server, read from TOML; [`Mapping::default`] is the guide's API.
///
/// What a mapping does not name does not exist: a probe that needs it is skipped and says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the report calls it.
    pub name: String,
    /// Paths of HTML pages.
    #[serde(default)]
    pub pages: Vec<Path>,
    /// Paths of the API that anybody may GET.
    #[serde(default)]
    pub open: Vec<Path>,
    /// Paths of the API that answer a GET only with a token.
    #[serde(default)]
    pub private: Vec<Path>,
    /// A path of the API below which unknown routes are asked for; ends with a slash.
    #[serde(default)]
    pub api: Path,
    /// Where the keys that verify tokens are published (RFC 7517).
    #[serde(default)]
    pub jwks: Option<Path>,
    /// A header field, `Name: value`, with which a login puts the refresh token into a cookie.
    #[serde(default)]
    pub cookie_mode: Option<String>,
    /// Origins that the server is meant to allow; look-alikes of them are tried.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// The routes.
    #[serde(default)]
    pub routes: Routes,
    /// The names of fields.
    #[serde(default)]
    pub fields: Fields,
    /// What is in mails.
    #[serde(default)]
    pub mail: Mail,
    /// What a registration must hold beside name, address and password; `{password}` in a text is filled in.
    #[serde(default)]
    pub extra: Map<String, Value>,
}

/// The routes that probes know, each `METHOD /path`; `{id}` in a path is filled in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the names say it, and docs/check.md the bodies")]
pub struct Routes {
    pub register: Option<Route>,
    pub verify_email: Option<Route>,
    pub resend: Option<Route>,
    pub login: Option<Route>,
    pub refresh: Option<Route>,
    pub logout: Option<Route>,
    pub reset: Option<Route>,
    pub reset_confirm: Option<Route>,
    pub change_password: Option<Route>,
    pub me: Option<Route>,
    pub update_me: Option<Route>,
    pub delete_me: Option<Route>,
    pub upload: Option<Route>,
    pub books: Option<Route>,
    pub write_text: Option<Route>,
    pub read_text: Option<Route>,
    pub update_text: Option<Route>,
    pub delete_text: Option<Route>,
    pub make_room: Option<Route>,
    pub delete_room: Option<Route>,
    pub socket: Option<Route>,
}

macro_rules! names {
    ($(#[$about:meta])* $type:ident { $($field:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[allow(missing_docs, reason = "each is the name of what it is called")]
        pub struct $type {
            $(pub $field: String,)+
        }

        impl Default for $type {
            fn default() -> Self {
                Self { $($field: $name.to_owned(),)+ }
            }
        }
    };
}

names! {
    /// The names of fields in bodies; a dotted name leads into an object.
    Fields {
        username = "username",
        email = "email",
        password = "password",
        first_name = "first_name",
        login_name = "username",
        access = "access",
        refresh = "refresh",
        logout_refresh = "refresh_token",
        token = "token",
        current_password = "current_password",
        new_password = "new_password",
        staff = "is_staff",
        upload = "avatar",
        upload_url = "avatar_url",
        text = "review_text",
        text_title = "title",
        text_parent = "book",
        text_rating = "rating",
        text_public = "is_public",
        room_name = "name",
        id = "id",
        list = "results",
    }
}

/// What mails hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// Where the link of a verification leads; a probe opens it with GET.
    pub verify_link: Path,
    /// Where the link of a reset leads.
    pub reset_link: Path,
    /// The parameter of such links that holds the token.
    pub token_parameter: String,
}

/// A path of the server: it begins with a slash, so that no mapping leads to another host.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Path(String);

/// A method and a path.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Route {
    /// Upper case.
    pub method: String,
    /// Begins with a slash.
    pub path: String,
}

/// Why a text is no mapping.
#[derive(Debug, thiserror::Error)]
#[error("the mapping is not valid: {0}")]
pub struct MappingError(#[from] toml::de::Error);

const GUIDE: &str = include_str!("../mappings/guide.toml");

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// When the text is not TOML, names something unknown, or a route is not `METHOD /path`.
    ///
    /// ```
    /// use portcullis_probe::Mapping;
    /// let mapping = Mapping::parse("name = 'mine'\n[routes]\nlogin = 'POST /sign-in'").unwrap();
    /// assert_eq!(mapping.routes.login.unwrap().path, "/sign-in");
    /// assert!(mapping.routes.refresh.is_none());
    /// ```
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        Ok(toml::from_str(text)?)
    }
}

impl Default for Mapping {
    #[allow(clippy::expect_used, reason = "a constant, read by a test")]
    fn default() -> Self {
        Self::parse(GUIDE).expect("the built-in mapping is valid")
    }
}

impl Route {
    /// The route with `{id}` filled in.
    #[must_use]
    pub fn with_id(&self, id: &str) -> Self {
        Self { method: self.method.clone(), path: self.path.replace("{id}", id) }
    }
}

impl TryFrom<String> for Route {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.split_once(' ') {
            Some((method, path)) if !method.is_empty() => {
                let path = Path::try_from(path.to_owned())?.0;
                Ok(Self { method: method.to_ascii_uppercase(), path })
            }
            _ => Err(format!("{text:?} is not METHOD /path")),
        }
    }
}

impl Deref for Path {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} does not begin with a slash"))
        }
    }
}

impl Default for Path {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            verify_link: Path("/verify-email?token={token}".to_owned()),
            reset_link: Path("/reset-password?token={token}".to_owned()),
            token_parameter: "token".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_mapping_names_every_route() {
        let routes = format!("{:?}", Mapping::default().routes);
        assert!(!routes.contains("None"), "{routes}");
    }

    #[test]
    fn a_mapping_with_a_typing_error_is_refused() {
        for text in [
            "",
            "name = 'x'\nroute = 1",
            "name = 'x'\n[routes]\nlogin = '/login'",
            "name = 'x'\n[routes]\nlogn = 'GET /'",
            "name = 'x'\n[routes]\nlogin = 'GET @127.0.0.2/'",
            "name = 'x'\npages = ['@127.0.0.2:9131/']",
            "name = 'x'\nopen = ['https://elsewhere.example/']",
            "name = 'x'\nprivate = ['.elsewhere.example/']",
            "name = 'x'\napi = ':9131/'",
            "name = 'x'\n[mail]\nverify_link = '@127.0.0.2/{token}'",
        ] {
            assert!(Mapping::parse(text).is_err(), "{text}");
        }
    }
}
