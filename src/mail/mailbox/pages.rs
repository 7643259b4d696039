//! The pages of the development mailbox.

use super::Summary;
use super::eml::Parsed;
use crate::error::{Error, Result};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};

pub(super) struct Pages(Environment<'static>);

impl Pages {
    pub(super) fn load() -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let sources = [
            ("layout.html", include_str!("layout.html")),
            ("list.html", include_str!("list.html")),
            ("mail.html", include_str!("mail.html")),
        ];
        for (name, source) in sources {
            environment.add_template(name, source).map_err(Error::internal)?;
        }
        Ok(Self(environment))
    }

    pub(super) fn list(&self, mails: &[Summary]) -> Result<String> {
        self.render("list.html", context! { mails => Serde(mails) })
    }

    pub(super) fn mail(&self, id: &str, mail: &Parsed) -> Result<String> {
        let subject = mail.header("Subject");
        let shown = ["From", "To", "Date", "Message-ID"].map(|name| (name, mail.header(name)));
        let values = context! {
            id,
            subject,
            headers => Serde(shown),
            link => mail.link().map(|link| Value::from_safe_string(link.to_owned())),
            text => mail.text.as_deref().unwrap_or_default(),
            has_html => mail.html.is_some(),
        };
        self.render("mail.html", values)
    }

    fn render(&self, name: &str, values: Value) -> Result<String> {
        self.0.get_template(name).and_then(|template| template.render(values)).map_err(Error::internal)
    }
}
