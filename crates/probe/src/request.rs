//! A call that is to be made.

use crate::client::cause;
use crate::evidence::Redactor;
use crate::mapping::Route;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;
use serde_json::Value;

/// A call to be made.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Bytes>,
}

impl Request {
    /// A call without a body.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A call of a route.
    #[must_use]
    pub fn to(route: &Route) -> Self {
        Self::new(&route.method, &route.path)
    }

    /// With a header field; its value may be anything that a header may hold.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// With an access token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body of any type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// With one file as a form sends it.
    #[must_use]
    pub fn file(self, field: &str, name: &str, content_type: &str, file: &[u8]) -> Self {
        const BOUNDARY: &str = "probe-7f3a9c1e5b2d";
        let mut body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
             Content-Type: {content_type}\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        self.body(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    /// The path, with its query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Method and path, which tell one route from another.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn build(self, http: &reqwest::Client, url: Url) -> Result<reqwest::Request, String> {
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|error| error.to_string())?;
        let mut request = http.request(method, url);
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        request.build().map_err(cause)
    }

    pub(crate) fn summary(&self, redactor: &Redactor) -> String {
        let mut text = format!("{} {}", self.method, redactor.path(&self.path));
        for (name, value) in &self.headers {
            text.push_str(&format!("\n{name}: {}", redactor.header(name, value)));
        }
        if let Some(body) = self.body.as_ref().filter(|body| body.len() < 2048)
            && let Ok(body) = std::str::from_utf8(body)
        {
            text.push_str(&format!("\n\n{}", redactor.text(body)));
        }
        text
    }
}
