//! Reading JSON more strictly than JSON asks: each member once, each id in one spelling.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The names of members that nobody reads: they too may stand only once (RFC 7515 §4, RFC 7519 §4).
#[derive(Default)]
pub(super) struct SkippedNames<'a>(Vec<Cow<'a, str>>);

impl<'a> SkippedNames<'a> {
    pub(super) fn add<E: de::Error>(&mut self, name: Cow<'a, str>) -> Result<(), E> {
        if self.0.contains(&name) {
            return Err(E::custom("a member stands twice"));
        }
        self.0.push(name);
        Ok(())
    }
}

pub(super) fn set_once<T, E: de::Error>(slot: &mut Option<T>, value: T) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a member stands twice")),
    }
}

/// A JSON string that is borrowed unless it holds an escape.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(AnyText)
    }
}

/// An id that is written as a string and read as a string or an integer.
pub(super) struct Decimal(pub(super) i64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = Decimal;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an integer, also as a string")
            }

            fn visit_i64<E>(self, id: i64) -> Result<Decimal, E> {
                Ok(Decimal(id))
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<Decimal, E> {
                i64::try_from(id).map(Decimal).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                parse_decimal(text).map(Decimal).ok_or_else(|| E::custom("not a decimal id"))
            }
        }
        deserializer.deserialize_any(Id)
    }
}

/// One number, one spelling: no plus sign, no leading zero, no blanks.
fn parse_decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.starts_with('0') && text != "0" || digits.starts_with('+') {
        return None;
    }
    text.parse().ok()
}
