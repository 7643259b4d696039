//! The lists of one table: rows of slices that are merged, or rows that a search finds.

use super::page::{Key, ListQuery, MAX_COUNT, Ordering, Page, count_up_to_limit};
use crate::config::WebUrl;
use crate::error::Result;
use sea_orm::sea_query::SelectStatement;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryResult, Select};

/// How one call lists a table.
pub struct Listing<'a, E: EntityTrait> {
    /// What is asked for.
    pub query: &'a ListQuery,
    /// Where the links to other pages lead.
    pub public_url: &'a WebUrl,
    /// In which order.
    pub ordering: Ordering,
    /// The column of the order's value; none where the id alone orders.
    pub by: Option<E::Column>,
    /// The column of the id.
    pub id: E::Column,
    /// A row's value of the order and its id.
    pub place: fn(Ordering, &E::Model) -> (Key, i64),
}

impl<E: EntityTrait> Listing<'_, E> {
    /// A page of the rows in any of the slices, of which no two share a row: an index answers each, where one
    /// condition with an `or` would read the whole table.
    ///
    /// # Errors
    /// 400 when the cursor does not fit; otherwise when the database does not answer.
    pub async fn merged(&self, db: &impl ConnectionTrait, slices: &[Condition]) -> Result<Page<E::Model>> {
        let (mut rows, mut count) = (Vec::new(), 0);
        for slice in slices {
            let select = E::find().filter(slice.clone());
            if count < MAX_COUNT {
                count += count_up_to_limit(db, select.clone()).await?;
            }
            rows.extend(self.query.seek(select, self.ordering, self.by, self.id)?.all(db).await?);
        }
        rows.sort_by_cached_key(|row| (self.place)(self.ordering, row));
        if self.ordering.is_descending != self.query.is_backwards() {
            rows.reverse();
        }
        rows.truncate(usize::try_from(self.query.limit()).unwrap_or(usize::MAX));
        Ok(self.page(rows).counted(count.min(MAX_COUNT)))
    }

    /// A page of the rows that a search finds: they are few, and ordered here. `select` has no columns yet;
    /// without it there is nothing to find.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn found(
        &self,
        db: &impl ConnectionTrait,
        select: Option<SelectStatement>,
    ) -> Result<Page<E::Model>> {
        let mut places = match select {
            None => Vec::new(),
            Some(select) => self.places(db, select).await?,
        };
        let count = places.len() as u64;
        let ids = self.query.cut(self.ordering, &mut places);
        let mut rows = E::find().filter(self.id.is_in(ids.iter().copied())).all(db).await?;
        rows.sort_by_key(|row| ids.iter().position(|id| *id == (self.place)(self.ordering, row).1));
        Ok(self.page(rows).counted(count))
    }

    async fn places(
        &self,
        db: &impl ConnectionTrait,
        mut select: SelectStatement,
    ) -> Result<Vec<(Key, i64)>> {
        select.column(self.id.as_column_ref()).column(self.by.unwrap_or(self.id).as_column_ref());
        let read = |row: &QueryResult| Ok((Key::read(row, 1, self.by.is_none())?, row.try_get_by_index(0)?));
        db.query_all(&select).await?.iter().map(read).collect()
    }

    fn page(&self, rows: Vec<E::Model>) -> Page<E::Model> {
        self.query.page(self.public_url, self.ordering, rows, |row| (self.place)(self.ordering, row))
    }
}

/// Who is in a list, and since when: the row's id, the time in microseconds, the username.
pub(crate) type NamedRow = (i64, i64, String);

impl ListQuery {
    /// A page of people, in the order of the rows' ids. `select` has the columns of a [`NamedRow`].
    ///
    /// # Errors
    /// 400 when the cursor does not fit; otherwise when the database does not answer.
    pub async fn people<E: EntityTrait>(
        &self,
        db: &impl ConnectionTrait,
        public_url: &WebUrl,
        ordering: Ordering,
        (select, id): (Select<E>, E::Column),
    ) -> Result<Page<NamedRow>> {
        let count = count_up_to_limit(db, select.clone()).await?;
        let rows: Vec<NamedRow> = self.seek(select, ordering, None, id)?.into_tuple().all(db).await?;
        Ok(self.page(public_url, ordering, rows, |row| (Key::None, row.0)).counted(count))
    }
}
