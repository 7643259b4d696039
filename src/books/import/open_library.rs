//! Open Library's dumps: lines of type, key, revision, time and a JSON object, separated by tabs, or the objects
//! alone.
//!
//! Editions and works name their authors by key; the authors stand in the same dump, before them.

use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Authors that are remembered: more than any dump had.
const MAX_AUTHORS: usize = 20_000_000;

/// How the rows of a dump are read.
#[derive(Default)]
pub(super) struct OpenLibraryRows {
    authors: HashMap<String, String>,
}

impl OpenLibraryRows {
    /// A row as a book; nothing of a row that is about something else.
    pub(super) fn read(&mut self, line: &str) -> Option<Result<Map<String, Value>, String>> {
        if line.trim().is_empty() {
            return None;
        }
        let object =
            if line.starts_with('{') { line } else { line.splitn(5, '\t').nth(4).unwrap_or_default() };
        let Ok(object) = serde_json::from_str::<Map<String, Value>>(object) else {
            return Some(Err("it holds no JSON object".to_owned()));
        };
        let kind = line.split_once('\t').map(|(kind, _)| kind.to_owned());
        let kind = kind.filter(|kind| kind.starts_with("/type/")).or_else(|| key_of(object.get("type")?));
        match kind.as_deref() {
            Some("/type/author") => {
                self.remember(&object);
                None
            }
            None | Some("/type/edition" | "/type/work") => Some(Ok(self.book(&object))),
            Some(_) => None,
        }
    }

    fn remember(&mut self, author: &Map<String, Value>) {
        let text = |name: &str| author.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(key), Some(name)) = (text("key"), text("name"))
            && self.authors.len() < MAX_AUTHORS
        {
            self.authors.insert(key, name);
        }
    }

    fn book(&self, object: &Map<String, Value>) -> Map<String, Value> {
        let mut book = Map::new();
        let title = text_of(object.get("title"));
        let subtitle = text_of(object.get("subtitle")).map(|subtitle| format!(": {subtitle}"));
        let title = title.map(|title| title + &subtitle.unwrap_or_default());
        let isbn = ["isbn_13", "isbn_10"].iter().find_map(|name| first_of(object.get(*name)));
        let published = ["publish_date", "first_publish_date", "first_publish_year"];
        let year = published.iter().find_map(|name| year_of(object.get(*name)));
        let fields = [
            ("title", title.map(cut)),
            ("author", self.author(object).map(cut)),
            ("isbn", isbn),
            (
                "description",
                text_of(object.get("description")).map(|text| text.chars().take(10_000).collect()),
            ),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                book.insert(name.to_owned(), value.into());
            }
        }
        if let Some(year) = year {
            book.insert("year".to_owned(), json!(year));
        }
        book
    }

    fn author(&self, object: &Map<String, Value>) -> Option<String> {
        let listed = object.get("authors").or_else(|| object.get("author_name"));
        let names =
            listed.and_then(Value::as_array).into_iter().flatten().filter_map(|author| match author {
                Value::String(name) => Some(name.clone()),
                author => {
                    let named = text_of(author.get("name"));
                    let key = || key_of(author.get("author").unwrap_or(author));
                    named.or_else(|| self.authors.get(&key()?).cloned())
                }
            });
        let names = names.collect::<Vec<_>>().join(", ");
        if names.is_empty() { text_of(object.get("by_statement")) } else { Some(names) }
    }
}

/// A text, alone or as the `value` of an object.
fn text_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let text = value.as_str().or_else(|| value.get("value")?.as_str())?;
    Some(text.replace('\0', ""))
}

fn key_of(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("key")?.as_str()).map(str::to_owned)
}

fn first_of(value: Option<&Value>) -> Option<String> {
    value?.as_array()?.first()?.as_str().map(str::to_owned)
}

/// The year in "May 1, 1965" and the like: four digits.
fn year_of(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    if let Some(year) = value.as_i64() {
        return Some(year);
    }
    let numbers = value.as_str()?.split(|character: char| !character.is_ascii_digit());
    numbers.filter(|number| number.len() == 4).find_map(|number| number.parse().ok())
}

/// Titles of old books go on for pages.
fn cut(text: String) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn editions_get_their_authors_from_the_same_dump() {
        let mut rows = OpenLibraryRows::default();
        let author = "/type/author\t/authors/OL1A\t2\t2008-04-01T03:28:50.625462\t{\"key\": \"/authors/OL1A\", \
                      \"name\": \"Frank Herbert\"}\n";
        assert!(rows.read(author).is_none());
        let edition = "/type/edition\t/books/OL1M\t3\t2010\t{\"title\": \"Dune\", \"authors\": [{\"key\": \
                       \"/authors/OL1A\"}], \"isbn_10\": [\"0306406152\"], \"publish_date\": \"May 1, 1965\", \
                       \"description\": {\"type\": \"/type/text\", \"value\": \"Sand.\"}}\n";
        let book = rows.read(edition).unwrap().unwrap();
        let expected = json!({ "title": "Dune", "author": "Frank Herbert", "isbn": "0306406152", "year": 1965,
            "description": "Sand." });
        assert_eq!(Value::Object(book), expected);
        let work = "{\"type\": {\"key\": \"/type/work\"}, \"title\": \"Emma\", \"authors\": [{\"author\": {\"key\": \
                    \"/authors/OL1A\"}}], \"first_publish_year\": 1815}";
        assert_eq!(rows.read(work).unwrap().unwrap()["author"], "Frank Herbert");
        assert!(rows.read("/type/redirect\t/books/OL2M\t1\t2010\t{}").is_none());
        assert!(rows.read("/type/edition\tbroken").unwrap().is_err());
        assert!(rows.read("{\"title\": \"No author\"}").unwrap().unwrap().get("author").is_none());
    }
}
