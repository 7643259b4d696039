//! CSV as RFC 4180 has it: a header with the names of the columns, fields in quotation marks where they hold commas,
//! quotation marks or line ends. Semicolons and tabs separate too, where the header is so.

use serde_json::{Map, Value};

/// Names of columns, and the field that they are.
const COLUMNS: [(&str, &str); 13] = [
    ("title", "title"),
    ("author", "author"),
    ("authors", "author"),
    ("isbn", "isbn"),
    ("isbn13", "isbn"),
    ("isbn_13", "isbn"),
    ("isbn10", "isbn"),
    ("isbn_10", "isbn"),
    ("description", "description"),
    ("year", "year"),
    ("publication_year", "year"),
    ("original_publication_year", "year"),
    ("published", "year"),
];

/// How the rows of a file are read.
#[derive(Default)]
pub(super) struct CsvRows {
    separator: char,
    /// The field of each column; none where it means nothing here.
    columns: Vec<Option<&'static str>>,
}

impl CsvRows {
    /// Reads the header.
    pub(super) fn read_header(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim_start_matches('\u{feff}');
        self.separator =
            [',', ';', '\t'].into_iter().max_by_key(|mark| line.matches(*mark).count()).unwrap_or(',');
        let names =
            split(line, self.separator).into_iter().map(|name| name.trim().to_lowercase().replace(' ', "_"));
        let field = |name: String| COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
        self.columns = names.map(field).collect();
        let has = |wanted| self.columns.contains(&Some(wanted));
        if has("title") && has("author") {
            return Ok(());
        }
        Err("the first line has to name the columns, among them title and author".to_owned())
    }

    /// A row as a book; nothing of an empty line.
    pub(super) fn read(&self, line: &str) -> Option<Result<Map<String, Value>, String>> {
        if line.trim().is_empty() {
            return None;
        }
        if is_open(line) {
            return Some(Err("a quotation mark is not closed".to_owned()));
        }
        let mut book = Map::new();
        for (field, value) in self.columns.iter().zip(split(line, self.separator)) {
            let Some(field) = field else { continue };
            let value = value.trim();
            // Of two columns for one field the first that says something counts.
            if !value.is_empty() && !book.contains_key(*field) {
                book.insert((*field).to_owned(), value.into());
            }
        }
        Some(Ok(book))
    }
}

/// Whether a row goes on in the next line.
pub(super) fn is_open(text: &str) -> bool {
    text.matches('"').count() % 2 == 1
}

fn split(line: &str, separator: char) -> Vec<String> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            _ if character == separator && !is_quoted => fields.push(std::mem::take(&mut field)),
            _ => field.push(character),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn fields_are_read_by_their_names_and_quotation_marks() {
        let mut rows = CsvRows::default();
        rows.read_header("\u{feff}id,Title,Authors,ISBN,isbn13\r\n").unwrap();
        let book = rows.read("7,\"A \"\"b\"\",\nc\",Ann,,9780306406157\n").unwrap().unwrap();
        let expected =
            serde_json::json!({ "title": "A \"b\",\nc", "author": "Ann", "isbn": "9780306406157" });
        assert_eq!(Value::Object(book), expected);
        assert!(rows.read("\r\n").is_none());
        assert!(rows.read("1,\"open\n").unwrap().is_err());
        assert!(CsvRows::default().read_header("a,b").is_err());
        rows.read_header("title;author").unwrap();
        assert_eq!(rows.read("a, b;c").unwrap().unwrap()["title"], "a, b");
    }
}
