//! Columns as JSON and back: the same text whichever database they come from.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sea_orm::sea_query::ArrayType;
use sea_orm::{Value, prelude::Json};

/// A column's value as JSON; `None` for a kind of value that no table of ours has.
pub(super) fn encode(value: Value) -> Option<Json> {
    Some(match value {
        Value::Bool(value) => value.into(),
        Value::TinyInt(value) => value.into(),
        Value::SmallInt(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::BigInt(value) => value.into(),
        Value::Double(value) => value.into(),
        Value::String(value) => value.into(),
        Value::Bytes(value) => value.map(|bytes| BASE64_STANDARD.encode(bytes)).into(),
        _ => return None,
    })
}

/// The value of a column of type `kind`; `None` when the JSON is no such value.
pub(super) fn decode(kind: &ArrayType, json: &Json) -> Option<Value> {
    if json.is_null() {
        return null(kind);
    }
    Some(match kind {
        ArrayType::Bool => Value::Bool(Some(json.as_bool()?)),
        ArrayType::TinyInt => Value::TinyInt(Some(json.as_i64()?.try_into().ok()?)),
        ArrayType::SmallInt => Value::SmallInt(Some(json.as_i64()?.try_into().ok()?)),
        ArrayType::Int => Value::Int(Some(json.as_i64()?.try_into().ok()?)),
        ArrayType::BigInt => Value::BigInt(Some(json.as_i64()?)),
        ArrayType::Double => Value::Double(Some(json.as_f64()?)),
        ArrayType::String => Value::String(Some(json.as_str()?.to_owned())),
        ArrayType::Bytes => Value::Bytes(Some(BASE64_STANDARD.decode(json.as_str()?).ok()?)),
        _ => return None,
    })
}

const fn null(kind: &ArrayType) -> Option<Value> {
    Some(match kind {
        ArrayType::Bool => Value::Bool(None),
        ArrayType::TinyInt => Value::TinyInt(None),
        ArrayType::SmallInt => Value::SmallInt(None),
        ArrayType::Int => Value::Int(None),
        ArrayType::BigInt => Value::BigInt(None),
        ArrayType::Double => Value::Double(None),
        ArrayType::String => Value::String(None),
        ArrayType::Bytes => Value::Bytes(None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn every_value_comes_back_as_it_was() {
        let values = [
            (ArrayType::Bool, Value::Bool(Some(true))),
            (ArrayType::BigInt, Value::BigInt(Some(i64::MAX))),
            (ArrayType::BigInt, Value::BigInt(Some(i64::MIN))),
            (ArrayType::BigInt, Value::BigInt(None)),
            (ArrayType::Double, Value::Double(Some(0.1))),
            (ArrayType::String, Value::String(Some("Ada 📚\n\"\\".to_owned()))),
            (ArrayType::Bytes, Value::Bytes(Some(vec![0, 255, 10]))),
            (ArrayType::Bytes, Value::Bytes(Some(Vec::new()))),
        ];
        for (kind, value) in values {
            let text = encode(value.clone()).unwrap().to_string();
            assert_eq!(decode(&kind, &serde_json::from_str(&text).unwrap()), Some(value));
        }
        assert_eq!(decode(&ArrayType::BigInt, &Json::from("1")), None);
        assert_eq!(decode(&ArrayType::Bytes, &Json::from("?")), None);
    }
}
