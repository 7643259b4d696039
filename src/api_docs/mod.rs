//! The OpenAPI document at `/api/schema`, and the API's reference at `/api/docs`: one page, made from it.
//!
//! It loads nothing, from here or elsewhere: style and script stand in the page and bear its nonce. Without
//! the script only the filter and the copy buttons are missing.

mod example;
mod operation;
mod schema;

use crate::error::{Error, Result};
use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use minijinja::value::Serde;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior, Value, context};
use operation::Operation;
use portcullis_security::headers::{Nonce, page_csp};
use serde::Serialize;
use std::sync::Arc;
use utoipa::openapi::OpenApi;

/// Stands where each answer's nonce goes; no base64 holds a brace.
const NONCE: &str = "{nonce}";

#[derive(Serialize)]
struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Docs {
    app: Arc<App>,
    page: String,
    document: Bytes,
}

/// The routes, open and outside of throttles: page and document are written once.
///
/// # Errors
/// [`Error::Internal`] when the built-in page is broken.
pub fn router(app: &Arc<App>, document: &OpenApi) -> Result<Router> {
    let page = render(document, app.config.server.public_url.as_str())?;
    let written = serde_json::to_vec(document).map_err(Error::internal)?;
    let docs = Arc::new(Docs { app: app.clone(), page, document: written.into() });
    Ok(Router::new().route("/api/docs", get(show)).route("/api/schema", get(show_document)).with_state(docs))
}

async fn show_document(State(docs): State<Arc<Docs>>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], docs.document.clone()).into_response()
}

async fn show(State(docs): State<Arc<Docs>>) -> Response {
    let nonce = Nonce::generate(&docs.app.random);
    let policy = [(header::CONTENT_SECURITY_POLICY, page_csp(&nonce, "'none'"))];
    (policy, Html(docs.page.replace(NONCE, nonce.as_str()))).into_response()
}

fn render(document: &OpenApi, base: &str) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("prose", prose);
    environment.add_template("page.html", include_str!("page.html")).map_err(Error::internal)?;
    let values = context! {
        title => document.info.title.as_str(),
        version => document.info.version.as_str(),
        base,
        nonce => NONCE,
        groups => Serde(groups(document, base)),
        style => Value::from_safe_string(include_str!("style.css").to_owned()),
        script => Value::from_safe_string(include_str!("script.js").to_owned()),
    };
    environment.get_template("page.html").and_then(|page| page.render(values)).map_err(Error::internal)
}

/// The operations by tag: tags in the order of the document, operations in the order of the routes.
fn groups(document: &OpenApi, base: &str) -> Vec<Group> {
    let tags = document.tags.iter().flatten();
    let mut groups: Vec<Group> = tags
        .map(|tag| Group {
            name: tag.name.clone(),
            description: tag.description.clone().unwrap_or_default(),
            operations: Vec::new(),
        })
        .collect();
    for (tag, operation) in operation::all(document, base) {
        match groups.iter_mut().find(|group| group.name == tag) {
            Some(group) => group.operations.push(operation),
            None => groups.push(Group { name: tag, description: String::new(), operations: vec![operation] }),
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    groups
}

/// A sentence of the document: what stands between backticks is code.
fn prose(text: &str) -> Value {
    let parts = text.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => HtmlEscape(part).to_string(),
        _ => format!("<code>{}</code>", HtmlEscape(part)),
    });
    Value::from_safe_string(parts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_escaped_and_its_code_marked() {
        assert_eq!(prose("`<a>` & b").to_string(), "<code>&lt;a&gt;</code> &amp; b");
    }
}
