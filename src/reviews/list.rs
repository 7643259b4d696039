//! The list of reviews: the caller's own, and what others show (guide §7.2).

use super::companions::{self, Companions};
use super::slices;
use super::store::WORDS;
use super::view::Review;
use crate::access::{Viewer, find_by_username, relation};
use crate::error::{Error, Result};
use crate::extract::{Key, ListQuery, Listing, Ordering, Page, PageParameters, Search};
use crate::model::reviews::{Column, Entity, Model};
use crate::state::App;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ColumnTrait, Condition};
use std::sync::Arc;

/// Ids grow with time: they stand for it.
const ORDERINGS: [Ordering; 3] = [
    Ordering { name: "created_at", is_descending: true },
    Ordering { name: "id", is_descending: true },
    Ordering { name: "rating", is_descending: true },
];

/// Lists reviews, the newest first. A search finds words of their titles, whole or begun.
#[utoipa::path(get, path = "/reviews", tag = "reviews", params(PageParameters,
    ("book" = Option<i64>, Query, description = "Of this book alone."),
    ("user" = Option<String>, Query, description = "By this user alone: a username."),
    ("search" = Option<String>, Query, description = "Words; a title has to have all of them."),
    ("ordering" = Option<String>, Query, description = "created_at, id or rating; with a minus the largest first. \
        -created_at by default."),
    ("include" = Option<String>, Query, description = companions::ABOUT)),
    responses((status = 200, description = "A page of the reviews that the caller may see.", body = Page<Review>),
    (status = 400, description = "A parameter is wrong.")))]
pub async fn list(State(app): State<Arc<App>>, viewer: Viewer, query: ListQuery) -> Result<Response> {
    let ordering = query.ordering(&ORDERINGS)?;
    let filter = Filter::read(&app, viewer, &query).await?;
    let is_public = viewer == Viewer::Anonymous && filter.search.is_none();
    let key = is_public.then(|| query.first_page_key(ordering)).flatten();
    let body = app.pages.find_or(key, read(&app, &query, ordering, &filter)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn read(app: &App, query: &ListQuery, ordering: Ordering, filter: &Filter) -> Result<Bytes> {
    let (db, public_url) = (app.storage.reader(), &app.config.server.public_url);
    let listing =
        Listing::<Entity> { query, public_url, ordering, by: column(ordering), id: Column::Id, place };
    let page = match &filter.search {
        Some(search) => listing.found(db, filter.find(search)).await?,
        None => listing.merged(db, &filter.slices).await?,
    };
    let companions = Companions::read(app, &page.results, &query.include()).await?;
    let page = page.map(|review| companions.show(review));
    serde_json::to_vec(&page).map(Bytes::from).map_err(Error::internal)
}

struct Filter {
    viewer: Viewer,
    /// Which reviews, as slices without a common row.
    slices: Vec<Condition>,
    search: Option<Search>,
}

impl Filter {
    async fn read(app: &App, viewer: Viewer, query: &ListQuery) -> Result<Self> {
        let search = Search::parse(query.parameter("search"))?;
        let mut slices = match query.parameter("user").filter(|name| !name.is_empty()) {
            None => {
                let unblocked = viewer.unblocked_ids(app.storage.reader(), Column::UserId).await?;
                slices::of_everybody(viewer, &unblocked)
            }
            Some(name) => of_user(app, viewer, name).await?,
        };
        if let Some(book) = query.parameter("book").filter(|book| !book.is_empty()) {
            let book: i64 = book.trim().parse().map_err(|_| Error::field("book", "Enter a number."))?;
            slices = slices.into_iter().map(|slice| slice.add(Column::BookId.eq(book))).collect();
        }
        Ok(Self { viewer, slices, search })
    }

    /// The reviews that a search finds, without columns; `None` where there are none.
    fn find(&self, search: &Search) -> Option<SelectStatement> {
        let (candidates, condition) = search.candidates(WORDS, Column::Id)?;
        if self.slices.is_empty() {
            return None;
        }
        let slices = self.slices.iter().cloned().fold(Condition::any(), Condition::add);
        let visible = self.viewer.visible(Column::UserId, Column::Audience);
        let condition = condition.add(visible).add(slices);
        Some(Search::join::<Entity, _>(candidates, Column::Id, condition))
    }
}

/// Nothing for an unknown user, as for one who shows nothing.
async fn of_user(app: &App, viewer: Viewer, name: &str) -> Result<Vec<Condition>> {
    let db = app.storage.reader();
    let Some(owner) = find_by_username(db, name).await? else { return Ok(Vec::new()) };
    Ok(slices::of_one(owner.id, relation(db, viewer, owner.id).await?))
}

fn column(ordering: Ordering) -> Option<Column> {
    (ordering.name == "rating").then_some(Column::Rating)
}

fn place(ordering: Ordering, review: &Model) -> (Key, i64) {
    let key = if ordering.name == "rating" { Key::Integer(review.rating) } else { Key::None };
    (key, review.id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::model::plan::{empty, plan};
    use crate::storage::Storage;
    use axum::extract::FromRequestParts;
    use axum::http::Request;
    use portcullis_security::permission::Relation;
    use sea_orm::sea_query::IntoCondition;
    use sea_orm::{DbBackend, EntityTrait, QueryFilter, QueryTrait};

    #[tokio::test]
    async fn no_list_reads_a_whole_table_or_sorts_one() {
        let (storage, _folder) = empty().await;
        let viewers = [
            Viewer::Anonymous,
            Viewer::User { id: 1, is_staff: false },
            Viewer::User { id: 1, is_staff: true },
        ];
        for viewer in viewers {
            for ordering in ORDERINGS {
                for unblocked in [Condition::all(), Column::UserId.is_not_in([8, 9]).into_condition()] {
                    for (index, slice) in slices::of_everybody(viewer, &unblocked).into_iter().enumerate() {
                        // What those show whom one follows, and one's own, is little: it may be sorted.
                        let is_small = index > 0 && viewer == viewers[1];
                        check(&storage, ordering, slice.clone(), is_small).await;
                        check(&storage, ordering, slice.add(Column::BookId.eq(7)), is_small).await;
                    }
                }
                for slice in slices::of_one(7, Relation::Owner) {
                    check(&storage, ordering, slice, true).await;
                }
            }
        }
        storage.close().await;
    }

    #[tokio::test]
    async fn a_search_begins_with_the_index_of_words() {
        let (storage, _folder) = empty().await;
        for viewer in [Viewer::Anonymous, Viewer::User { id: 1, is_staff: false }] {
            let filter =
                Filter { viewer, slices: slices::of_everybody(viewer, &Condition::all()), search: None };
            let search = Search::parse(Some("dune worm")).unwrap().unwrap();
            let mut select = filter.find(&search).unwrap();
            select.column((Entity, Column::Id));
            let plan = plan(&storage, DbBackend::Sqlite.build(&select)).await;
            assert!(!plan.contains("SCAN reviews") && !plan.contains("SCAN review_words"), "{plan}");
        }
        storage.close().await;
    }

    async fn check(storage: &Storage, ordering: Ordering, slice: Condition, is_small: bool) {
        for uri in ["/api/reviews", "/api/reviews?cursor=W2ZhbHNlLCItcmF0aW5nIiwzLDVd"] {
            let ordering = Ordering { is_descending: true, ..ordering };
            if uri.contains("cursor") && ordering.name != "rating" {
                continue;
            }
            let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
            let query = ListQuery::from_request_parts(&mut parts, &()).await.unwrap();
            let select = Entity::find().filter(slice.clone());
            let select = query.seek(select, ordering, column(ordering), Column::Id).unwrap();
            let plan = plan(storage, select.build(DbBackend::Sqlite)).await;
            assert!(!plan.contains("SCAN reviews"), "{ordering:?} {slice:?}\n{plan}");
            if is_small {
                assert!(plan.contains("user_id=?"), "by their owners: {ordering:?} {slice:?}\n{plan}");
            } else {
                assert!(!plan.contains("TEMP B-TREE"), "{ordering:?} {slice:?}\n{plan}");
            }
        }
    }
}
