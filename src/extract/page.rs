//! Lists as Django REST framework pages them: `{count, next, previous, results}` with an opaque cursor.
//!
//! A cursor names a place between rows (a value of the ordering and an id), not a number of rows: a page
//! costs the same wherever it is, and rows that come or go meanwhile neither repeat nor skip others.

use super::cursor::Cursor;
use crate::config::WebUrl;
use crate::error::{Error, Result};
use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::request::Parts;
use sea_orm::sea_query::{Alias, Asterisk, Expr, Query as SeaQuery};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait, Select, Value,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Rows on a page unless the caller says otherwise.
const DEFAULT_SIZE: u64 = 20;
/// Rows on a page, at most.
const MAX_SIZE: u64 = 100;
/// Counting stops here: beyond, the number is not worth reading that many rows.
pub(super) const MAX_COUNT: u64 = 10_000;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// How many there are in all; exact up to 10,000, where it stops.
    pub count: u64,
    /// The URL of the page after this one.
    pub next: Option<String>,
    /// The URL of the page before this one.
    pub previous: Option<String>,
    /// The rows.
    pub results: Vec<T>,
}

/// The parameters that every list takes, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// A place in the list, from `next` or `previous`.
    #[allow(dead_code, reason = "read by the document alone")]
    cursor: Option<String>,
    /// Rows on a page: 1 to 100, default 20. A larger number is taken for 100.
    #[allow(dead_code, reason = "read by the document alone")]
    page_size: Option<u64>,
}

/// What a caller asks of a list.
#[derive(Debug)]
pub struct ListQuery {
    path: String,
    parameters: Vec<(String, String)>,
    size: u64,
    cursor: Option<Cursor>,
}

/// In which order a list comes: by a named value, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordering {
    /// The value's name, as in `ordering=-NAME`; `id` orders by the id alone.
    pub name: &'static str,
    /// The largest first.
    pub is_descending: bool,
}

/// A value by which a list is ordered, as a cursor keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Nothing, where the id alone orders, or where a row has no value: it sorts first.
    None,
    /// A number or a time.
    Integer(i64),
    /// A text, compared byte by byte.
    Text(String),
}

impl Key {
    /// Reads a column of a row as a key; where the id alone orders, it is none.
    ///
    /// # Errors
    /// When the column is neither a number nor a text.
    pub fn read(row: &QueryResult, index: usize, is_id: bool) -> Result<Self> {
        if is_id {
            return Ok(Self::None);
        }
        if let Ok(number) = row.try_get_by_index::<Option<i64>>(index) {
            return Ok(number.map_or(Self::None, Self::Integer));
        }
        Ok(row.try_get_by_index::<Option<String>>(index)?.map_or(Self::None, Self::Text))
    }
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::None => Self::BigInt(None),
            Key::Integer(number) => number.into(),
            Key::Text(text) => text.into(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let uri = OriginalUri::from_request_parts(parts, state).await.map_err(Error::internal)?;
        let query = Query::<Vec<(String, String)>>::try_from_uri(&uri.0);
        let Query(parameters) = query.map_err(|_| wrong("The query is malformed"))?;
        Self::read(uri.path().to_owned(), parameters)
    }
}

impl ListQuery {
    fn read(path: String, parameters: Vec<(String, String)>) -> Result<Self> {
        if parameters.iter().any(|(_, value)| value.contains('\0')) {
            return Err(wrong("Null characters are not allowed."));
        }
        let mut query = Self { path, parameters, size: DEFAULT_SIZE, cursor: None };
        // As Django REST framework: what is no page size is as none, and what is too much is the most.
        let size = query.parameter("page_size").and_then(|size| size.trim().parse::<u64>().ok());
        query.size = size.filter(|size| *size > 0).map_or(DEFAULT_SIZE, |size| size.clamp(1, MAX_SIZE));
        query.cursor = match query.parameter("cursor") {
            None | Some("") => None,
            Some(text) => Some(Cursor::decode(text).ok_or_else(invalid_cursor)?),
        };
        Ok(query)
    }

    /// A parameter's value; of several the last, as in Django.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The first ordering that was asked for among those allowed, else the first of them, as it stands there: as
    /// Django REST framework, which passes over names that it does not know.
    ///
    /// # Errors
    /// 400 when the cursor belongs to another ordering.
    pub fn ordering(&self, allowed: &[Ordering]) -> Result<Ordering> {
        let asked = self.parameter("ordering").unwrap_or_default().split(',').find_map(|wanted| {
            let wanted = wanted.trim();
            let (name, is_descending) = wanted.strip_prefix('-').map_or((wanted, false), |name| (name, true));
            let found = allowed.iter().find(|ordering| ordering.name == name);
            found.map(|ordering| Ordering { is_descending, ..*ordering })
        });
        let default = Ordering { name: "id", is_descending: true };
        let ordering = asked.or(allowed.first().copied()).unwrap_or(default);
        match &self.cursor {
            Some(cursor) if cursor.ordering != ordering.tag() => Err(invalid_cursor()),
            _ => Ok(ordering),
        }
    }

    /// A name for the first page of a list without a search or a user; `None` for any other page.
    pub fn first_page_key(&self, ordering: Ordering) -> Option<String> {
        let is_plain =
            self.is_first_page() && ["search", "user"].iter().all(|name| self.parameter(name).is_none());
        // All parameters are part of `next`.
        is_plain.then(|| self.link(&self.path, None) + " " + &ordering.tag())
    }

    /// Of places in any order, those of the page: nearest to the cursor first, one more than the page holds if
    /// there are so many.
    pub fn cut(&self, ordering: Ordering, places: &mut [(Key, i64)]) -> Vec<i64> {
        let is_descending = ordering.is_descending != self.is_backwards();
        places.sort_unstable();
        if is_descending {
            places.reverse();
        }
        let begin = self.cursor.as_ref().map_or(0, |cursor| {
            places.partition_point(|(key, id)| {
                let order = (key, *id).cmp(&(&cursor.key, cursor.id));
                if is_descending { order.is_ge() } else { order.is_le() }
            })
        });
        let limit = usize::try_from(self.limit()).unwrap_or(usize::MAX);
        places.iter().skip(begin).take(limit).map(|(_, id)| *id).collect()
    }

    /// Rows to fetch: one more than the page holds tells whether another page follows.
    pub const fn limit(&self) -> u64 {
        self.size + 1
    }

    /// Whether rows have to be fetched against the ordering, the nearest to the cursor first:
    /// [`ListQuery::page`] turns them.
    pub fn is_backwards(&self) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| cursor.is_backwards)
    }

    /// Whether the list is asked for from its beginning.
    pub fn is_first_page(&self) -> bool {
        self.cursor.is_none()
    }

    /// The place from which rows have to be fetched.
    pub fn place(&self) -> Option<(&Key, i64)> {
        self.cursor.as_ref().map(|cursor| (&cursor.key, cursor.id))
    }

    /// Begins a query at the cursor, in the ordering, with [`ListQuery::limit`] rows. Without `by` the id
    /// alone orders.
    ///
    /// # Errors
    /// 400 when the cursor's value does not fit the column.
    pub fn seek<Q, C>(&self, select: Q, ordering: Ordering, by: Option<C>, id: C) -> Result<Q>
    where
        Q: QueryFilter + QueryOrder + QuerySelect,
        C: ColumnTrait,
    {
        let is_descending = ordering.is_descending != self.is_backwards();
        let direction = if is_descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
        let mut select = select;
        if let Some(cursor) = &self.cursor {
            select = select.filter(beyond(cursor, by, id, is_descending)?);
        }
        if let Some(by) = by {
            select = select.order_by(by, direction.clone());
        }
        Ok(select.order_by(id, direction).limit(self.limit()))
    }

    /// Makes the page of fetched rows: nearest to the cursor first, one more than the page holds if there
    /// are so many. `place` tells a row's value of the ordering and its id.
    pub fn page<T>(
        &self,
        public_url: &WebUrl,
        ordering: Ordering,
        mut rows: Vec<T>,
        place: impl Fn(&T) -> (Key, i64),
    ) -> Page<T> {
        let has_more = rows.len() as u64 >= self.limit();
        rows.truncate(usize::try_from(self.size).unwrap_or(usize::MAX));
        let is_backwards = self.is_backwards();
        if is_backwards {
            rows.reverse();
        }
        let link = |row: Option<&T>, is_backwards| {
            let cursor = row.map(|row| {
                let (key, id) = place(row);
                Cursor { is_backwards, ordering: ordering.tag(), key, id }
            });
            self.link(public_url.as_str(), cursor.as_ref())
        };
        let has_cursor = self.cursor.is_some();
        let next = if is_backwards { has_cursor } else { has_more };
        let previous = if is_backwards { has_more } else { has_cursor };
        Page {
            count: 0,
            next: next.then(|| link(rows.last(), false)),
            previous: previous.then(|| link(rows.first(), true)),
            results: rows,
        }
    }

    /// This list's URL with another cursor; without one, its first page.
    fn link(&self, public_url: &str, cursor: Option<&Cursor>) -> String {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        let encoded = cursor.map(Cursor::encode);
        if let Some(encoded) = &encoded {
            pairs.push(("cursor", encoded));
        }
        let kept = self.parameters.iter().filter(|(name, _)| name != "cursor");
        pairs.extend(kept.map(|(name, value)| (name.as_str(), value.as_str())));
        let query = form(&pairs);
        let question = if query.is_empty() { "" } else { "?" };
        format!("{public_url}{}/{question}{query}", self.path.trim_end_matches('/'))
    }
}

impl Ordering {
    /// The value's name with its sign, as in the parameter.
    fn tag(self) -> String {
        format!("{}{}", if self.is_descending { "-" } else { "" }, self.name)
    }
}

impl<T> Page<T> {
    /// The page with its count.
    #[must_use]
    pub fn counted(self, count: u64) -> Self {
        Self { count, ..self }
    }

    /// The page with other rows in place of these.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        let results = self.results.into_iter().map(each).collect();
        Page { count: self.count, next: self.next, previous: self.previous, results }
    }
}

/// How many rows a query has, exact up to 10,000, where it stops.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn count_up_to_limit<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
) -> Result<u64> {
    let rows = rows.select_only().expr_as(Expr::val(1), "one").limit(MAX_COUNT).into_query();
    let count = SeaQuery::select()
        .expr_as(Expr::col(Asterisk).count(), Alias::new("rows"))
        .from_subquery(rows, Alias::new("counted"))
        .to_owned();
    let row = db.query_one(&count).await?;
    let count = row.map(|row| row.try_get::<i64>("", "rows")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(count).unwrap_or(0))
}

fn beyond<C: ColumnTrait>(cursor: &Cursor, by: Option<C>, id: C, is_descending: bool) -> Result<Condition> {
    let past = |column: C, value: Value| match is_descending {
        true => column.lt(value),
        false => column.gt(value),
    };
    let Some(by) = by else {
        return match cursor.key {
            Key::None => Ok(Condition::all().add(past(id, cursor.id.into()))),
            _ => Err(invalid_cursor()),
        };
    };
    let tied = Condition::all().add(past(id, cursor.id.into()));
    Ok(match &cursor.key {
        // Both databases sort rows without a value first, and compare nothing with it.
        Key::None if is_descending => tied.add(by.is_null()),
        Key::None => Condition::any().add(by.is_not_null()).add(tied.add(by.is_null())),
        key => {
            let value = Value::from(key.clone());
            let beyond = Condition::any().add(past(by, value.clone())).add(tied.add(by.eq(value.clone())));
            // Says nothing new, but is a range: an index is read from the cursor on.
            let range = if is_descending { by.lte(value) } else { by.gte(value) };
            let beyond = Condition::all().add(range).add(beyond);
            if is_descending { Condition::any().add(beyond).add(by.is_null()) } else { beyond }
        }
    })
}

/// Pairs as a query: everything but letters, digits and `-._~` is escaped (RFC 3986 §2.3).
fn form(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut escaped, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                escaped.push(char::from(byte));
            } else {
                escaped.push_str(&format!("%{byte:02X}"));
            }
            escaped
        })
    };
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}

const fn wrong(message: &'static str) -> Error {
    Error::bad_request("invalid", message)
}

const fn invalid_cursor() -> Error {
    wrong("Invalid cursor")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const BY_ID: Ordering = Ordering { name: "id", is_descending: true };

    fn query(text: &str) -> Result<ListQuery> {
        let uri = format!("http://localhost/api/books?{text}").parse().unwrap();
        let Query(parameters) = Query::try_from_uri(&uri).unwrap();
        ListQuery::read("/api/books".to_owned(), parameters)
    }

    fn page(query: &ListQuery, rows: Vec<i64>) -> Page<i64> {
        let url = WebUrl::parse("https://books.example").unwrap();
        query.page(&url, BY_ID, rows, |id| (Key::None, *id))
    }

    fn cursor_of(link: &str) -> &str {
        link.split("cursor=").nth(1).unwrap().split('&').next().unwrap()
    }

    #[test]
    fn a_page_size_is_kept_within_its_limits() {
        for (text, limit) in [("", 21), ("page_size=1", 2), ("page_size=100", 101), ("page_size=5000", 101)] {
            assert_eq!(query(text).unwrap().limit(), limit, "{text}");
        }
        for text in ["page_size=0", "page_size=-3", "page_size=x", "page_size="] {
            assert_eq!(query(text).unwrap().limit(), 21, "{text}");
        }
    }

    #[test]
    fn links_lead_forth_and_back_and_keep_the_other_parameters() {
        let first = page(&query("page_size=2&search=a%26b%20c").unwrap(), vec![9, 8, 7]);
        assert_eq!((first.results.as_slice(), &first.previous), (&[9, 8][..], &None));
        let next = first.next.unwrap();
        assert!(next.starts_with("https://books.example/api/books/?cursor="), "{next}");
        assert!(next.ends_with("&page_size=2&search=a%26b%20c"), "{next}");

        let second = query(&format!("page_size=2&cursor={}", cursor_of(&next))).unwrap();
        assert_eq!((second.place(), second.is_backwards()), (Some((&Key::None, 8)), false));
        let second = page(&second, vec![7, 6]);
        assert_eq!(second.next, None);
        let back = query(&format!("page_size=2&cursor={}", cursor_of(&second.previous.unwrap()))).unwrap();
        assert_eq!((back.place(), back.is_backwards()), (Some((&Key::None, 7)), true));
        assert_eq!(page(&back, vec![8, 9]).results, [9, 8], "fetched from the cursor upwards");
    }

    #[test]
    fn a_page_after_the_last_row_leads_back_to_the_first() {
        let first = page(&query("page_size=1").unwrap(), vec![2, 1]);
        let gone = query(&format!("cursor={}", cursor_of(&first.next.unwrap()))).unwrap();
        let empty = page(&gone, Vec::new());
        assert_eq!(empty.previous.as_deref(), Some("https://books.example/api/books/"));
    }

    #[test]
    fn an_ordering_is_one_of_those_allowed_and_a_cursor_belongs_to_one() {
        let title = Ordering { name: "title", is_descending: false };
        let allowed = [BY_ID, title];
        assert_eq!(query("").unwrap().ordering(&allowed).unwrap(), BY_ID);
        assert_eq!(query("ordering=password").unwrap().ordering(&allowed).unwrap(), BY_ID);
        assert_eq!(query("ordering=title").unwrap().ordering(&allowed).unwrap(), title);
        assert_eq!(query("ordering=password,%20title,-id").unwrap().ordering(&allowed).unwrap(), title);
        let next = page(&query("page_size=1").unwrap(), vec![2, 1]).next.unwrap();
        let moved = query(&format!("ordering=title&cursor={}", cursor_of(&next))).unwrap();
        assert_eq!(moved.ordering(&allowed).unwrap_err().status(), 400);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["cursor=x", "cursor=%00", "cursor=%ff", "search=a%00b", "cursor=bnVsbA"] {
            assert_eq!(query(text).unwrap_err().status(), 400, "{text}");
        }
        assert!(query("cursor=").unwrap().is_first_page());
    }
}
