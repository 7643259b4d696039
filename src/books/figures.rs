//! What a book's reviews come to, as a viewer may see them.
//!
//! A book keeps the sum and the number of the ratings that everybody sees. What a viewer sees beside them, and what
//! of them is hidden from the viewer, is little and found by index: both are added up here.

use crate::access::Viewer;
use crate::error::Result;
use crate::model::books::Model as Book;
use crate::model::reviews::{Column, Entity};
use portcullis_security::permission::{Audience, Relation};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;

/// The ratings of a book that a viewer may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    sum: i64,
    /// How many there are.
    pub(super) count: i64,
}

impl Figures {
    /// The mean; none without a rating.
    #[expect(clippy::cast_precision_loss, reason = "ratings are small numbers")]
    pub(super) fn average(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

/// The figures of some books, by id.
pub(super) async fn figures(
    db: &impl ConnectionTrait,
    viewer: Viewer,
    books: &[Book],
) -> Result<HashMap<i64, Figures>> {
    let public = |book: &Book| Figures { sum: book.public_rating_sum, count: book.public_review_count };
    let mut figures: HashMap<i64, Figures> = books.iter().map(|book| (book.id, public(book))).collect();
    let Viewer::User { id, is_staff } = viewer else { return Ok(figures) };
    if books.is_empty() {
        return Ok(figures);
    }
    let of_books = || Column::BookId.is_in(books.iter().map(|book| book.id));
    let seen_by = |relation: Relation| {
        let more = relation.audiences().filter(|audience| *audience != Audience::Everyone);
        Column::Audience.is_in(more.map(Audience::code))
    };
    let all = || Condition::all().add(of_books());
    if is_staff {
        add(db, &mut figures, all().add(seen_by(Relation::Staff)), 1).await?;
        return Ok(figures);
    }
    add(db, &mut figures, all().add(Column::UserId.eq(id)).add(seen_by(Relation::Owner)), 1).await?;
    let followed = all().add(viewer.followed(Column::UserId)).add(viewer.unblocked(Column::UserId));
    add(db, &mut figures, followed.add(seen_by(Relation::Follower)), 1).await?;
    let blocked = viewer.blocked_ids(db).await?;
    if !blocked.is_empty() && !Relation::Blocked.may_see(Audience::Everyone) {
        let public = Column::Audience.eq(Audience::Everyone.code());
        add(db, &mut figures, all().add(Column::UserId.is_in(blocked)).add(public), -1).await?;
    }
    Ok(figures)
}

async fn add(
    db: &impl ConnectionTrait,
    figures: &mut HashMap<i64, Figures>,
    which: Condition,
    sign: i64,
) -> Result<()> {
    let rated: Vec<(i64, i64, i64)> = Entity::find()
        .select_only()
        .column(Column::BookId)
        .column(Column::Rating)
        .column_as(Column::Id.count(), "ratings")
        .filter(which)
        .group_by(Column::BookId)
        .group_by(Column::Rating)
        .into_tuple()
        .all(db)
        .await?;
    for (book_id, rating, count) in rated {
        let of_book = figures.entry(book_id).or_default();
        of_book.sum += sign * rating * count;
        of_book.count += sign * count;
    }
    Ok(())
}
