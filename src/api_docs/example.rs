//! Examples: the document's own, else made up by the field's name and type.

use super::schema::{kind, resolve};
use serde_json::{Value, json};
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// A body as indented JSON, fields in the order of the schema.
pub(super) fn body(document: &OpenApi, schema: &RefOr<Schema>) -> String {
    write(document, "", schema, 0)
}

fn write(document: &OpenApi, name: &str, schema: &RefOr<Schema>, depth: usize) -> String {
    let (outer, inner) = ("  ".repeat(depth), "  ".repeat(depth + 1));
    match resolve(document, schema) {
        Some(Schema::Object(object)) if object.example.is_some() || !object.examples.is_empty() => {
            object.example.as_ref().or(object.examples.first()).unwrap_or(&Value::Null).to_string()
        }
        Some(Schema::Object(object)) if !object.properties.is_empty() && depth < 8 => {
            let fields = object.properties.iter().map(|(name, property)| {
                format!("{inner}\"{name}\": {}", write(document, name, property, depth + 1))
            });
            format!("{{\n{}\n{outer}}}", fields.collect::<Vec<_>>().join(",\n"))
        }
        Some(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(items) => {
                format!("[\n{inner}{}\n{outer}]", write(document, name, items, depth + 1))
            }
            ArrayItems::False => "[]".to_owned(),
        },
        _ => value(name, &kind(document, schema)).to_string(),
    }
}

/// What a field of this name may hold; also for parameters.
pub(super) fn value(name: &str, kind: &str) -> Value {
    match (name, kind) {
        ("id", "integer") => json!(42),
        ("min_length", _) => json!(8),
        ("max_length", _) => json!(128),
        (_, "integer" | "number") => json!(1),
        ("is_staff", _) => json!(false),
        (_, "boolean") => json!(true),
        ("username", _) => json!("ada"),
        ("email", _) => json!("ada@example.com"),
        ("first_name", _) => json!("Ada"),
        ("last_name", _) => json!("Lovelace"),
        ("new_password", _) => json!("Louder-Meadow-78!"),
        ("code", _) => json!("20250917"),
        ("access" | "refresh" | "refresh_token", _) => json!("eyJhbGciOiJIUzI1NiIs…"),
        ("token" | "csrftoken", _) => json!("6bYd0kqYl8y2Tt…"),
        ("device", _) => json!("Firefox on Linux"),
        ("ip", _) => json!("203.0.113.0/24"),
        ("message", _) => json!("…"),
        ("policy", _) => json!("guide"),
        ("date_joined" | "created" | "last_seen", _) => json!("2026-01-31T09:30:00.000000Z"),
        _ if name.ends_with("password") => json!("Quiet-Meadow-77!"),
        _ if name.ends_with("_at") => json!("2026-01-31T09:30:00.000000Z"),
        (_, "object" | "any") => json!({}),
        _ => json!("…"),
    }
}
