//! Schemas as rows of a table.

use serde::Serialize;
use utoipa::openapi::schema::{ArrayItems, SchemaType, Type};
use utoipa::openapi::{Object, OpenApi, RefOr, Schema};

/// Fields inside fields are shown down to here; it also ends a schema that holds itself.
const DEEPEST: usize = 6;

/// One row: a field of a body, or a parameter.
#[derive(Serialize)]
pub(super) struct Field {
    /// `user.id`, `results[].id`.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) is_required: bool,
    pub(super) description: String,
}

/// Follows a reference; a dangling one is nothing.
pub(super) fn resolve<'a>(document: &'a OpenApi, schema: &'a RefOr<Schema>) -> Option<&'a Schema> {
    match schema {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next()?;
            match document.components.as_ref()?.schemas.get(name)? {
                RefOr::T(schema) => Some(schema),
                RefOr::Ref(_) => None,
            }
        }
    }
}

/// The rows of an object, those of objects inside it after their own.
pub(super) fn fields(document: &OpenApi, schema: &RefOr<Schema>) -> Vec<Field> {
    let mut rows = Vec::new();
    collect(document, schema, "", DEEPEST, &mut rows);
    rows
}

fn collect(document: &OpenApi, schema: &RefOr<Schema>, prefix: &str, depth: usize, rows: &mut Vec<Field>) {
    match resolve(document, schema) {
        Some(Schema::Object(object)) if depth > 0 => {
            for (own, property) in &object.properties {
                let name = if prefix.is_empty() { own.clone() } else { format!("{prefix}.{own}") };
                rows.push(Field {
                    name: name.clone(),
                    kind: kind(document, property),
                    is_required: object.required.contains(own),
                    description: description(property),
                });
                collect(document, property, &name, depth - 1, rows);
            }
        }
        Some(Schema::Array(array)) if depth > 0 => {
            if let ArrayItems::RefOrSchema(items) = &array.items {
                collect(document, items, &format!("{prefix}[]"), depth - 1, rows);
            }
        }
        _ => {}
    }
}

/// What a reader calls the type: `string`, `list of integer`.
pub(super) fn kind(document: &OpenApi, schema: &RefOr<Schema>) -> String {
    match resolve(document, schema) {
        Some(Schema::Object(object)) => scalar(object),
        Some(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(items) => format!("list of {}", kind(document, items)),
            ArrayItems::False => "list".to_owned(),
        },
        _ => "any".to_owned(),
    }
}

fn scalar(object: &Object) -> String {
    if let Some(values) = &object.enum_values {
        let words: Vec<_> = values.iter().map(|value| value.to_string().replace('"', "")).collect();
        return words.join(" | ");
    }
    let name = |kind: &Type| match kind {
        Type::Object => "object",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "list",
        Type::Null => "null",
    };
    match &object.schema_type {
        SchemaType::Type(kind) => name(kind).to_owned(),
        // That a field may be left out is told beside it.
        SchemaType::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().filter(|kind| !matches!(kind, Type::Null)).map(name).collect();
            kinds.join(" or ")
        }
        SchemaType::AnyValue => "any".to_owned(),
    }
}

fn description(schema: &RefOr<Schema>) -> String {
    match schema {
        RefOr::Ref(reference) => reference.description.clone(),
        RefOr::T(Schema::Object(object)) => object.description.clone().unwrap_or_default(),
        RefOr::T(Schema::Array(array)) => array.description.clone().unwrap_or_default(),
        RefOr::T(_) => String::new(),
    }
}
