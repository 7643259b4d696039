//! The list of books.

use super::catalogue::Book;
use super::figures::figures;
use crate::access::Viewer;
use crate::error::{Error, Result};
use crate::extract::{Key, ListQuery, Ordering, Page, PageParameters, Search, count_up_to_limit};
use crate::model::book_words;
use crate::model::books::{Column, Entity, Model};
use crate::state::App;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryResult};
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
    let ordering = query.known_ordering(&ORDERINGS)?;
    let search = Search::parse(query.parameter("search"))?;
    let key =
        (viewer == Viewer::Anonymous && search.is_none()).then(|| query.first_page_key(ordering)).flatten();
    if let Some(page) = key.as_ref().and_then(|key| app.pages.find(key)) {
        return Ok(json(page));
    }
    let moment = app.pages.moment();
    let db = app.storage.reader();
    let page = match &search {
        Some(search) => found(&app, &query, ordering, search).await?,
        None => {
            let rows = query.seek(Entity::find(), ordering, column(ordering), Column::Id)?.all(db).await?;
            let page =
                query.page(&app.config.server.public_url, ordering, rows, |book| place(ordering, book));
            page.counted(count_up_to_limit(db, Entity::find()).await?)
        }
    };
    let of_books = figures(db, viewer, &page.results).await?;
    let page = page.map(|book| {
        let of_book = of_books.get(&book.id).copied().unwrap_or_default();
        Book::of(book, of_book)
    });
    let body = Bytes::from(serde_json::to_vec(&page).map_err(Error::internal)?);
    if let Some(key) = key {
        app.pages.keep(key, moment, body.clone());
    }
    Ok(json(body))
}

/// The books that a search finds are few: they are ordered here.
async fn found(app: &App, query: &ListQuery, ordering: Ordering, search: &Search) -> Result<Page<Model>> {
    let db = app.storage.reader();
    let mut places = match find(search, column(ordering).unwrap_or(Column::Id)) {
        None => Vec::new(),
        Some(select) => {
            let rows = db.query_all(&select).await?;
            let is_id = column(ordering).is_none();
            let read = |row: &QueryResult| Ok((Key::read(row, 1, is_id)?, row.try_get_by_index(0)?));
            rows.iter().map(read).collect::<Result<Vec<(Key, i64)>>>()?
        }
    };
    let count = places.len() as u64;
    let ids = query.cut(ordering, &mut places);
    let rows = load(db, ids).await?;
    let page = query.page(&app.config.server.public_url, ordering, rows, |book| place(ordering, book));
    Ok(page.counted(count))
}

/// The ids of the books that a search finds, each with its place in the order.
fn find(search: &Search, by: Column) -> Option<SelectStatement> {
    let table = (book_words::Entity, book_words::Column::BookId, book_words::Column::Word);
    let (candidates, condition) = search.candidates(table, Column::Id)?;
    let mut select = Search::join::<Entity, _>(candidates, Column::Id, condition);
    select.column((Entity, Column::Id)).column((Entity, by));
    Some(select)
}

/// Rows in the order of their ids' list.
async fn load(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<Vec<Model>> {
    let mut rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(db).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
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

fn json(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::plan::{empty, plan};
    use axum::extract::FromRequestParts;
    use axum::http::Request;
    use sea_orm::{DbBackend, QueryTrait};

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
        let plan = plan(&storage, DbBackend::Sqlite.build(&find(&search, Column::Title).unwrap())).await;
        assert!(!plan.contains("SCAN books") && !plan.contains("SCAN book_words"), "{plan}");
        storage.close().await;
    }
}
