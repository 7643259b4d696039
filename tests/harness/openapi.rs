//! The routes as the server itself describes them, so that a new one is tried without being listed here.

use reqwest::Method;
use serde_json::{Map, Value, json};

/// One method of one path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub method: Method,
    /// With `{name}` where a parameter belongs.
    pub path: String,
    /// The names of the body's fields.
    pub fields: Vec<String>,
    /// The names of parameters in the path and in the query.
    pub parameters: Vec<String>,
    pub is_closed: bool,
}

/// Every operation of an OpenAPI document.
pub fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let all: Vec<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("a path item");
            item.iter().map(|(method, operation)| read(document, path, method, operation))
        })
        .collect();
    assert!(all.len() >= 20, "the document describes {} operations", all.len());
    assert!(all.iter().map(|operation| operation.fields.len()).sum::<usize>() >= 20, "no fields");
    all
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let schema = name.map_or(schema, |name| &document["components"]["schemas"][name]);
    let fields = schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect();
    assert!(
        operation["requestBody"]["content"]["application/json"].is_null() || schema["properties"].is_object(),
        "{method} {path}: {schema}"
    );
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    Operation {
        method: method.to_uppercase().parse().expect("a method"),
        path: path.to_owned(),
        fields,
        parameters: parameters.filter_map(|given| given["name"].as_str().map(str::to_owned)).collect(),
        is_closed: operation["security"].as_array().is_some_and(|security| !security.is_empty()),
    }
}

impl Operation {
    /// The path with every parameter, those of the query too, given by `value`.
    pub fn path_with(&self, mut value: impl FnMut(&str) -> String) -> String {
        let (mut path, mut query) = (self.path.clone(), Vec::new());
        for name in &self.parameters {
            let place = format!("{{{name}}}");
            match path.contains(&place) {
                true => path = path.replace(&place, &value(name)),
                false => query.push(format!("{name}={}", value(name))),
            }
        }
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// A body with every field given by `value`.
    pub fn body_with(&self, mut value: impl FnMut(&str) -> Value) -> Value {
        json!(self.fields.iter().map(|name| (name.clone(), value(name))).collect::<Map<_, _>>())
    }
}
