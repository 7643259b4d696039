//! JSON by dotted names: `user.email` is the email within the user.

use serde_json::{Map, Value};

/// An object with these fields.
pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let mut whole = Value::Object(Map::new());
    for (name, value) in fields {
        set(&mut whole, name, value);
    }
    whole
}

/// Puts a value where its name leads; objects on the way are made.
pub(crate) fn set(whole: &mut Value, name: &str, value: Value) {
    if !whole.is_object() {
        *whole = Value::Object(Map::new());
    }
    let Some(object) = whole.as_object_mut() else { return };
    match name.split_once('.') {
        Some((first, rest)) => set(object.entry(first).or_insert(Value::Null), rest, value),
        None => {
            object.insert(name.to_owned(), value);
        }
    }
}

/// What stands where a name leads.
pub(crate) fn get<'a>(whole: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(whole, |value, part| value.get(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_dotted_name_leads_into_an_object_both_ways() {
        let whole = object([("user.email", "a@b".into()), ("user.name", "a".into()), ("x", json!([1]))]);
        assert_eq!(whole, json!({"user": {"email": "a@b", "name": "a"}, "x": [1]}));
        assert_eq!(get(&whole, "user.email"), Some(&json!("a@b")));
        assert_eq!(get(&whole, "user.age"), None);
    }
}
