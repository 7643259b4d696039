//! The list of books.

use super::catalogue::Book;
use super::figures::figures;
use super::store::WORDS;
use crate::access::Viewer;
use crate::error::{Error, Result};
use crate::extract::{Key, ListQuery, Listing, Ordering, Page, PageParameters, Search};
use crate::model::books::{Column, Entity, Model};
use crate::state::App;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sea_orm::Condition;
use sea_orm::sea_query::SelectStatement;
use std::sync::Arc;

const ORDERINGS: [Ordering; 6] = [
    Ordering { name: "title", is_descending: false },
    Ordering { name: "author", is_descending: false },
    Ordering { name: "year", is_descending: true },
    Ordering { name: "review_count", is_descending: true },
    Ordering { name: "created_at", is_descending: true },
    Ordering { name: "id", is_descending: false },
];

/// Lists books. A search finds words of title and author, whole or begun, and ISBNs.
#[utoipa::path(get, path = "/books", tag = "books", params(PageParameters,
    ("search" = Option<String>, Query, description = "Words; a book has to have all of them."),
    ("ordering" = Option<String>, Query, description = "title (the default), author, year, review_count (of the \
        reviews that everybody sees), created_at or id; with a minus the largest first.")),
    responses((status = 200, description = "A page of books; their figures count what the caller may see.",
        body = Page<Book>),
    (status = 400, description = "A parameter is wrong.")))]
pub async fn list(State(app): State<Arc<App>>, viewer: Viewer, query: ListQuery) -> Result<Response> {
    let ordering = query.ordering(&ORDERINGS)?;
    let search = Search::parse(query.parameter("search"))?;
    let key =
        (viewer == Viewer::Anonymous && search.is_none()).then(|| query.first_page_key(ordering)).flatten();
    let body = app.pages.find_or(key, read(&app, viewer, &query, (ordering, search))).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn read(
    app: &App,
    viewer: Viewer,
    query: &ListQuery,
    (ordering, search): (Ordering, Option<Search>),
) -> Result<Bytes> {
    let (db, public_url) = (app.storage.reader(), &app.config.server.public_url);
    let listing =
        Listing::<Entity> { query, public_url, ordering, by: column(ordering), id: Column::Id, place };
    let page = match &search {
        Some(search) => listing.found(db, find(search)).await?,
        None => listing.merged(db, &[Condition::all()]).await?,
    };
    let of_books = figures(db, viewer, &page.results).await?;
    let page = page.map(|book| {
        let of_book = of_books.get(&book.id).copied().unwrap_or_default();
        Book::of(book, of_book)
    });
    serde_json::to_vec(&page).map(Bytes::from).map_err(Error::internal)
}

/// The books that a search finds, without columns; `None` where there are none.
fn find(search: &Search) -> Option<SelectStatement> {
    let (candidates, condition) = search.candidates(WORDS, Column::Id)?;
    Some(Search::join::<Entity, _>(candidates, Column::Id, condition))
}

fn column(ordering: Ordering) -> Option<Column> {
    match ordering.name {
        "title" => Some(Column::Title),
        "author" => Some(Column::Author),
        "year" => Some(Column::Year),
        "review_count" => Some(Column::PublicReviewCount),
        "created_at" => Some(Column::CreatedAt),
        _ => None,
    }
}

fn place(ordering: Ordering, book: &Model) -> (Key, i64) {
    let key = match ordering.name {
        "title" => Key::Text(book.title.clone()),
        "author" => Key::Text(book.author.clone()),
        "year" => book.year.map_or(Key::None, Key::Integer),
        "review_count" => Key::Integer(book.public_review_count),
        "created_at" => Key::Integer(book.created_at),
        _ => Key::None,
    };
    (key, book.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::plan::{empty, plan};
    use axum::extract::FromRequestParts;
    use axum::http::Request;
    use sea_orm::{DbBackend, EntityTrait, QueryTrait};

    #[tokio::test]
    async fn no_list_of_books_reads_the_whole_table_or_sorts_it() {
        let (storage, _folder) = empty().await;
        let (mut parts, ()) = Request::get("/api/books").body(()).unwrap().into_parts();
        let query = ListQuery::from_request_parts(&mut parts, &()).await.unwrap();
        for ordering in ORDERINGS {
            for is_descending in [true, false] {
                let ordering = Ordering { is_descending, ..ordering };
                let select = query.seek(Entity::find(), ordering, column(ordering), Column::Id).unwrap();
                let plan = plan(&storage, select.build(DbBackend::Sqlite)).await;
                // A scan along an index, or along the ids, ends with the page.
                let in_order = plan.contains("USING INDEX") || ordering.name == "id";
                assert!(in_order && !plan.contains("TEMP B-TREE"), "{ordering:?}\n{plan}");
            }
        }
        let search = Search::parse(Some("dune worm")).unwrap().unwrap();
        let mut select = find(&search).unwrap();
        select.column((Entity, Column::Id));
        let plan = plan(&storage, DbBackend::Sqlite.build(&select)).await;
        assert!(!plan.contains("SCAN books") && !plan.contains("SCAN book_words"), "{plan}");
        storage.close().await;
    }
}
