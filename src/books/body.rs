//! What staff send about a book.

use super::isbn::parse_isbn;
use crate::extract::{FromInput, Input};
use portcullis_security::sanitize::text::strip_tags;
use utoipa::ToSchema;

/// Characters of a title and of an author, at most (contract §1).
const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;
/// The oldest texts that are known, and a margin for what is announced.
const YEARS: std::ops::RangeInclusive<i64> = -3500..=2200;

/// A book to be made.
#[derive(ToSchema)]
#[allow(dead_code, reason = "for the OpenAPI document")]
pub struct BookRequest {
    /// Plain text, at most 200 characters.
    pub title: String,
    /// Plain text, at most 200 characters.
    pub author: String,
    /// ISBN-10 or ISBN-13; it is kept as ISBN-13. Unique.
    pub isbn: Option<String>,
    /// Plain text, at most 10,000 characters.
    pub description: Option<String>,
    /// When it was first published.
    pub year: Option<i64>,
}

/// What changes of a book; the rest stays.
#[derive(Clone, ToSchema)]
pub struct BookPatch {
    /// Plain text, at most 200 characters.
    pub title: Option<String>,
    /// Plain text, at most 200 characters.
    pub author: Option<String>,
    /// ISBN-10 or ISBN-13; null or empty takes it away.
    #[schema(value_type = Option<String>)]
    pub isbn: Change<String>,
    /// Plain text, at most 10,000 characters.
    pub description: Option<String>,
    /// When it was first published; null takes it away.
    #[schema(value_type = Option<i64>)]
    pub year: Change<i64>,
}

/// What happens to a value that may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    Keep,
    /// It is this from now on, or nothing.
    Set(Option<T>),
}

/// A valid book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBook {
    /// The title.
    pub title: String,
    /// Who wrote it.
    pub author: String,
    /// ISBN-13.
    pub isbn: Option<String>,
    /// Plain text.
    pub description: String,
    /// When it was first published.
    pub year: Option<i64>,
}

impl FromInput for NewBook {
    fn from_input(input: &mut Input) -> Option<Self> {
        let (title, author) = (input.text("title"), input.text("author"));
        let title = input.parse("title", title, parse_line);
        let author = input.parse("author", author, parse_line);
        let isbn = input.optional_text("isbn").filter(|text| !text.trim().is_empty());
        let isbn = input.parse("isbn", isbn, parse_isbn);
        let description = input.optional_text("description");
        let description = input.parse("description", description, parse_description);
        let year = input.optional_integer("year");
        let year = input.check("year", year, parse_year);
        Some(Self {
            title: title?,
            author: author?,
            isbn,
            description: description.unwrap_or_default(),
            year,
        })
    }
}

impl FromInput for BookPatch {
    fn from_input(input: &mut Input) -> Option<Self> {
        let (title, author) = (input.optional_text("title"), input.optional_text("author"));
        let title = input.parse("title", title, parse_line);
        let author = input.parse("author", author, parse_line);
        let description = input.optional_text("description");
        let description = input.parse("description", description, parse_description);
        let is_without_isbn = input.is_null("isbn");
        let isbn = match input.optional_text("isbn") {
            Some(text) if text.trim().is_empty() => Change::Set(None),
            None if is_without_isbn => Change::Set(None),
            text => {
                input.parse("isbn", text, parse_isbn).map_or(Change::Keep, |isbn| Change::Set(Some(isbn)))
            }
        };
        let is_without_year = input.is_null("year");
        let year = input.optional_integer("year");
        let year = match input.check("year", year, parse_year) {
            None if is_without_year => Change::Set(None),
            year => year.map_or(Change::Keep, |year| Change::Set(Some(year))),
        };
        Some(Self { title, author, isbn, description, year })
    }
}

/// A line of plain text that is not blank. Control characters are spaces in it: some databases sort them before the
/// end of a text.
fn parse_line(text: &str) -> Result<String, String> {
    let plain = strip_tags(text).replace(char::is_control, " ").trim().to_owned();
    if plain.is_empty() {
        return Err("This field may not be blank.".to_owned());
    }
    limited(plain, MAX_TITLE)
}

fn parse_description(text: &str) -> Result<String, String> {
    limited(strip_tags(text).trim().to_owned(), MAX_DESCRIPTION)
}

fn limited(text: String, limit: usize) -> Result<String, String> {
    if text.chars().count() > limit {
        return Err(format!("Ensure this field has no more than {limit} characters."));
    }
    Ok(text)
}

fn parse_year(year: i64) -> Result<i64, String> {
    if YEARS.contains(&year) {
        return Ok(year);
    }
    Err(format!("Ensure this value is between {} and {}.", YEARS.start(), YEARS.end()))
}
