//! Operations as the page shows them.

use super::example;
use super::schema::{Field, fields, kind};
use serde::Serialize;
use utoipa::openapi::path::{self, Parameter, ParameterIn};
use utoipa::openapi::{Content, OpenApi, PathItem, RefOr, Required, Response, Schema};

const JSON: &str = "application/json";

#[derive(Serialize)]
pub(super) struct Operation {
    /// The name of its place in the page, which links may rely on: `post-auth-login`.
    anchor: String,
    method: &'static str,
    path: String,
    summary: String,
    description: String,
    is_closed: bool,
    parameters: Vec<Field>,
    body: Vec<Field>,
    answers: Vec<Answer>,
    /// A command that calls it.
    request: String,
}

#[derive(Serialize)]
struct Answer {
    status: String,
    description: String,
    fields: Vec<Field>,
    example: Option<String>,
}

/// Every operation of the document with its tag.
pub(super) fn all(document: &OpenApi, base: &str) -> Vec<(String, Operation)> {
    let paths = document.paths.paths.iter();
    let each = paths.flat_map(|(path, item)| methods(item).map(move |(method, found)| (path, method, found)));
    each.map(|(path, method, found)| {
        let tag = found.tags.iter().flatten().next().cloned().unwrap_or_else(|| "other".to_owned());
        (tag, operation(document, base, (method, path), found))
    })
    .collect()
}

fn methods(item: &PathItem) -> impl Iterator<Item = (&'static str, &path::Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operation(
    document: &OpenApi,
    base: &str,
    (method, path): (&'static str, &str),
    found: &path::Operation,
) -> Operation {
    let body = match &found.request_body {
        Some(RefOr::T(body)) => content(&body.content),
        _ => None,
    };
    let parameters: Vec<&Parameter> = found.parameters.iter().flatten().filter_map(whole).collect();
    let is_closed = found.security.as_ref().is_some_and(|needed| !needed.is_empty());
    Operation {
        anchor: anchor(method, path),
        method,
        path: path.to_owned(),
        summary: found.summary.clone().unwrap_or_default(),
        description: found.description.clone().unwrap_or_default(),
        is_closed,
        body: body.map(|(_, schema)| fields(document, schema)).unwrap_or_default(),
        answers: found
            .responses
            .responses
            .iter()
            .filter_map(|(status, answer)| Some(self::answer(document, status, whole(answer)?)))
            .collect(),
        request: request(document, (method, &format!("{base}{path}"), is_closed), &parameters, body),
        parameters: parameters.into_iter().map(|parameter| field(document, parameter)).collect(),
    }
}

const fn whole<T>(value: &RefOr<T>) -> Option<&T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

/// The JSON of a body, or else its first form.
fn content<'a>(
    forms: impl IntoIterator<Item = (&'a String, &'a RefOr<Content>)>,
) -> Option<(&'a str, &'a RefOr<Schema>)> {
    let forms: Vec<_> = forms.into_iter().collect();
    let (form, content) = forms.iter().find(|(form, _)| *form == JSON).or(forms.first())?;
    Some((form, whole(content)?.schema.as_ref()?))
}

fn field(document: &OpenApi, parameter: &Parameter) -> Field {
    let place = match parameter.parameter_in {
        ParameterIn::Path => "in the path",
        ParameterIn::Header => "header",
        ParameterIn::Cookie => "cookie",
        _ => "query",
    };
    let schema = parameter.schema.as_ref().map(|schema| kind(document, schema)).unwrap_or_default();
    Field {
        name: parameter.name.clone(),
        kind: format!("{schema}, {place}"),
        is_required: matches!(parameter.required, Required::True),
        description: parameter.description.clone().unwrap_or_default(),
    }
}

fn answer(document: &OpenApi, status: &str, response: &Response) -> Answer {
    let schema = content(&response.content).map(|(_, schema)| schema);
    Answer {
        status: status.to_owned(),
        description: response.description.clone(),
        fields: schema.map(|schema| fields(document, schema)).unwrap_or_default(),
        example: schema.map(|schema| example::body(document, schema)),
    }
}

/// The call as a command.
fn request(
    document: &OpenApi,
    (method, url, is_closed): (&str, &str, bool),
    parameters: &[&Parameter],
    body: Option<(&str, &RefOr<Schema>)>,
) -> String {
    let mut url = url.to_owned();
    for parameter in parameters.iter().filter(|parameter| parameter.parameter_in == ParameterIn::Path) {
        let kind = parameter.schema.as_ref().map(|schema| kind(document, schema)).unwrap_or_default();
        let value = example::value(&parameter.name, &kind).to_string();
        url = url.replace(&format!("{{{}}}", parameter.name), value.trim_matches('"'));
    }
    let mut lines = vec![match method {
        "GET" => format!("curl {url}"),
        _ => format!("curl -X {method} {url}"),
    }];
    if is_closed {
        lines.push("-H \"Authorization: Bearer $ACCESS\"".to_owned());
    }
    match body {
        Some((JSON, schema)) => {
            lines.push(format!("-H 'Content-Type: {JSON}'"));
            lines.push(format!("-d '{}'", example::body(document, schema).replace('\n', "\n  ")));
        }
        Some((_, schema)) => {
            lines.extend(fields(document, schema).iter().map(|field| format!("-F {0}=@{0}", field.name)));
        }
        None => {}
    }
    lines.join(" \\\n  ")
}

/// `POST /api/auth/login/` is at `post-auth-login`.
fn anchor(method: &str, path: &str) -> String {
    let path = path.trim_start_matches("/api").split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let words = std::iter::once(method).chain(path.filter(|word| !word.is_empty()));
    words.collect::<Vec<_>>().join("-").to_lowercase()
}
