//! What people send about a book. Titles and texts are made harmless here, once, before they are stored.

use crate::extract::{FromInput, Input};
use portcullis_security::sanitize::{html, text};
use utoipa::ToSchema;

/// Characters of a title, at most (contract §1).
const MAX_TITLE: usize = 200;
const BLANK: &str = "This field may not be blank.";

/// A review, to be made or put in place of another.
#[derive(ToSchema)]
#[allow(dead_code, reason = "for the OpenAPI document")]
pub struct ReviewRequest {
    /// The book's id; one review for each user and book.
    book: i64,
    /// Plain text, at most 200 characters: tags are taken out.
    title: String,
    /// HTML, at most 50,000 characters: p, br, strong, em, u, a, ul, ol and li stay, other tags are taken out.
    review_text: String,
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    rating: i64,
    /// Whether others may see it, as far as they may see the profile; true when it is made.
    is_public: Option<bool>,
}

/// What changes of a review; the rest stays.
#[derive(Clone, ToSchema)]
pub struct ReviewPatch {
    /// Another book.
    pub book: Option<i64>,
    /// Plain text, at most 200 characters.
    pub title: Option<String>,
    /// HTML, at most 50,000 characters.
    pub review_text: Option<String>,
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<i64>,
    /// Whether others may see it.
    pub is_public: Option<bool>,
}

/// A valid review whose texts are harmless.
#[derive(Clone)]
pub struct NewReview {
    /// The book's id.
    pub book: i64,
    /// Plain text.
    pub title: String,
    /// Cleaned HTML.
    pub review_text: String,
    /// 1 to 5.
    pub rating: i64,
    /// What its owner chose; one that is made is public, and one that is replaced stays as it is, if nothing is said.
    pub is_public: Option<bool>,
}

impl NewReview {
    /// Whether others may see it, once it is made.
    pub fn is_public(&self) -> bool {
        self.is_public.unwrap_or(true)
    }
}

impl FromInput for NewReview {
    fn from_input(input: &mut Input) -> Option<Self> {
        let book = input.integer("book");
        let (title, review_text) = (input.text("title"), input.text("review_text"));
        let title = input.parse("title", title, clean_title);
        let review_text = input.parse("review_text", review_text, clean_text);
        let rating = input.integer("rating");
        let rating = input.check("rating", rating, parse_rating);
        let is_public = input.optional_flag("is_public");
        Some(Self { book: book?, title: title?, review_text: review_text?, rating: rating?, is_public })
    }
}

impl FromInput for ReviewPatch {
    fn from_input(input: &mut Input) -> Option<Self> {
        let book = input.optional_integer("book");
        let (title, review_text) = (input.optional_text("title"), input.optional_text("review_text"));
        let title = input.parse("title", title, clean_title);
        let review_text = input.parse("review_text", review_text, clean_text);
        let rating = input.optional_integer("rating");
        let rating = input.check("rating", rating, parse_rating);
        let is_public = input.optional_flag("is_public");
        Some(Self { book, title, review_text, rating, is_public })
    }
}

impl From<NewReview> for ReviewPatch {
    fn from(new: NewReview) -> Self {
        Self {
            book: Some(new.book),
            title: Some(new.title),
            review_text: Some(new.review_text),
            rating: Some(new.rating),
            is_public: new.is_public,
        }
    }
}

/// A title without tags; a sentence when nothing is left, or more than 200 characters.
fn clean_title(title: &str) -> Result<String, String> {
    let plain = text::strip_tags(title).trim().to_owned();
    match plain.chars().count() {
        0 => Err(BLANK.to_owned()),
        length if length > MAX_TITLE => {
            Err(format!("Ensure this field has no more than {MAX_TITLE} characters."))
        }
        _ => Ok(plain),
    }
}

/// A text as harmless HTML; a sentence when it is too long or nested too deeply, or when nothing is left.
fn clean_text(text: &str) -> Result<String, String> {
    let cleaned = html::clean(text.trim()).map_err(|error| error.to_string())?;
    // White space beside what was taken out would go at the next cleaning.
    let cleaned = cleaned.trim();
    if cleaned.is_empty() { Err(BLANK.to_owned()) } else { Ok(cleaned.to_owned()) }
}

fn parse_rating(rating: i64) -> Result<i64, String> {
    match rating {
        1..=5 => Ok(rating),
        6.. => Err("Ensure this value is less than or equal to 5.".to_owned()),
        _ => Err("Ensure this value is greater than or equal to 1.".to_owned()),
    }
}
