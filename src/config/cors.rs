//! `[cors]`: which other origins may call (guide §10).

use super::{Profile, reader::Reader, spec::Spec, web_url::WebUrl};

pub(super) const SPECS: &[Spec] = &[Spec::list(
    "CORS__ALLOWED_ORIGINS",
    "Origins of front ends elsewhere, exactly; development adds http://localhost:3000 and http://localhost:5173. A \
     wildcard is refused: calls carry credentials.",
)];

/// Where front ends are developed: React's and Vite's servers.
const DEVELOPMENT_ORIGINS: [&str; 2] = ["http://localhost:3000", "http://localhost:5173"];

/// Which other origins may call.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Origins as a browser spells them; none, and localhost's two in development only.
    pub allowed_origins: Vec<String>,
}

impl Cors {
    pub(super) fn read(reader: &mut Reader<'_>, profile: Profile, own: &WebUrl) -> Self {
        let mut allowed_origins: Vec<String> = reader.required("CORS__ALLOWED_ORIGINS");
        for origin in &mut allowed_origins {
            // What is not an origin stays as it is, for the check that refuses it.
            if let Some(url) = WebUrl::parse(origin).filter(|url| url.path().is_empty()) {
                *origin = url.origin().to_owned();
            }
        }
        if profile == Profile::Development {
            allowed_origins.extend(DEVELOPMENT_ORIGINS.map(str::to_owned));
            // Whoever tries it out types localhost, too.
            let port = own.origin().strip_prefix("http://127.0.0.1");
            allowed_origins.extend(port.map(|port| format!("http://localhost{port}")));
        }
        allowed_origins.sort();
        allowed_origins.dedup();
        Self { allowed_origins }
    }
}
