//! Reading a JSON object field by field, in Django REST framework's words.

use crate::error::{Error, Invalid, Result};
use portcullis_security::secret::Secret;
use serde_json::{Map, Value};

const REQUIRED: &str = "This field is required.";
const NULL: &str = "This field may not be null.";
const BLANK: &str = "This field may not be blank.";
const NOT_INTEGER: &str = "A valid integer is required.";
const NOT_TEXT: &str = "Not a valid string.";
const NOT_BOOLEAN: &str = "Must be a valid boolean.";
const NOT_OBJECT: &str = "Expected an object.";

/// A body that can be read from a JSON object.
///
/// `from_input` reads every field before it gives up, so that the caller hears all problems at once:
/// it may return `None` only after [`Input`] noted one.
pub trait FromInput: Sized {
    /// What the guide says when a required field is missing or blank.
    const MISSING: &'static str = "Missing or invalid fields";

    /// Reads the fields.
    fn from_input(input: &mut Input) -> Option<Self>;
}

/// The fields of a body, and what was wrong with them.
pub struct Input {
    object: Map<String, Value>,
    missing: bool,
    /// The problems so far; a type may add its own.
    pub invalid: Invalid,
}

impl Input {
    /// Reads a whole body as `T`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every problem.
    pub fn read<T: FromInput>(object: Map<String, Value>) -> Result<T> {
        let mut input = Self { object, missing: false, invalid: Invalid::default() };
        let value = T::from_input(&mut input);
        if input.missing {
            input.invalid.headline = Some(T::MISSING);
        }
        input.invalid.into_result()?;
        value.ok_or_else(|| Error::internal("a body was refused without a reason"))
    }

    /// A text that must be there and must not be blank. It is not trimmed.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.object.remove(name) {
            None => self.lacking(name, REQUIRED),
            Some(Value::Null) => self.lacking(name, NULL),
            Some(Value::String(text)) if text.is_empty() => self.lacking(name, BLANK),
            Some(Value::String(text)) => Some(text),
            Some(_) => self.wrong(name, NOT_TEXT),
        }
    }

    /// A text that may be missing or blank.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => self.wrong(name, NOT_TEXT),
        }
    }

    /// A whole number that may be missing.
    pub fn optional_integer(&mut self, name: &'static str) -> Option<i64> {
        match self.object.remove(name)? {
            Value::Null => None,
            value => as_integer(&value).or_else(|| self.wrong(name, NOT_INTEGER)),
        }
    }

    /// A whole number that must be there.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        match self.object.remove(name) {
            None => self.lacking(name, REQUIRED),
            Some(Value::Null) => self.lacking(name, NULL),
            Some(value) => as_integer(&value).or_else(|| self.wrong(name, NOT_INTEGER)),
        }
    }

    /// Turns a number into what it stands for, or notes why it cannot.
    pub fn check<T>(
        &mut self,
        name: &'static str,
        number: Option<i64>,
        parse: impl FnOnce(i64) -> Result<T, String>,
    ) -> Option<T> {
        parse(number?).map_or_else(|problem| self.wrong(name, &problem), Some)
    }

    /// Whether a field is there and null: it is to be emptied.
    pub fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Value::is_null)
    }

    /// A truth value that may be missing; null is neither.
    pub fn optional_flag(&mut self, name: &'static str) -> Option<bool> {
        match self.object.remove(name) {
            None => None,
            Some(Value::Null) => self.wrong(name, NULL),
            Some(Value::Bool(flag)) => Some(flag),
            Some(_) => self.wrong(name, NOT_BOOLEAN),
        }
    }

    /// An object inside the object that may be missing; its fields are read by their own names.
    pub fn optional_object<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(inner)) => {
                let outer = std::mem::replace(&mut self.object, inner);
                let value = read(self);
                self.object = outer;
                Some(value)
            }
            Some(_) => self.wrong(name, NOT_OBJECT),
        }
    }

    /// A required text that is a secret from here on.
    pub fn secret(&mut self, name: &'static str) -> Option<Secret> {
        self.text(name).map(Secret::from)
    }

    /// A secret that may be missing.
    pub fn optional_secret(&mut self, name: &'static str) -> Option<Secret> {
        self.optional_text(name).filter(|text| !text.is_empty()).map(Secret::from)
    }

    /// Turns a text into what it stands for, or notes why it cannot.
    pub fn parse<T>(
        &mut self,
        name: &'static str,
        text: Option<String>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(&text?) {
            Ok(value) => Some(value),
            Err(problem) => self.wrong(name, &problem),
        }
    }

    fn lacking<T>(&mut self, name: &'static str, problem: &str) -> Option<T> {
        self.missing = true;
        self.wrong(name, problem)
    }

    fn wrong<T>(&mut self, name: &'static str, problem: &str) -> Option<T> {
        self.invalid.add(name, problem);
        None
    }
}

/// A number, or a text of one as Django REST framework takes it.
/// A number without a fraction is whole however it is written, as for Django REST framework.
fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Beyond 2^53 a float does not say which whole number is meant.
#[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}
