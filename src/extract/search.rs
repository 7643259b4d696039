//! Texts as words, for searches that cost the same however many rows there are.
//!
//! The words of a row are rows of a table of their own; a search asks for rows that have every word of it, each
//! as a whole word or as the beginning of one. A `LIKE '%…%'` would read the whole table.

use crate::error::{Error, Result};
use sea_orm::sea_query::{Alias, Condition, Expr, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a search, at most.
const MAX_SEARCH: usize = 200;
/// Words of a search that count.
const MAX_WORDS: usize = 8;
/// Characters of a word that count.
const MAX_WORD: usize = 32;
/// Rows that the most telling word of a search finds, at most: beyond, nobody reads on.
const MAX_CANDIDATES: u64 = 10_000;
/// Rows in one statement: SQLite binds at most 32,766 values.
const ROWS: usize = 500;

/// The words of a text without regard to case and accents, each once.
pub fn words(text: &str) -> Vec<String> {
    let plain: String = text.nfkd().filter(|character| !is_combining_mark(*character)).collect();
    let lower = plain.to_lowercase();
    let found = lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = found.map(|word| word.chars().take(MAX_WORD).collect()).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// What is searched for.
#[derive(Debug, PartialEq, Eq)]
pub struct Search {
    /// The most telling word first: the longest.
    words: Vec<String>,
}

/// The table of words of some table, its column of that table's ids, and its column of words.
pub type WordTable<W> = (W, <W as EntityTrait>::Column, <W as EntityTrait>::Column);

impl Search {
    /// Reads the parameter; `None` when nothing is searched for.
    ///
    /// # Errors
    /// 400 when it is too long.
    pub fn parse(text: Option<&str>) -> Result<Option<Self>> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        if text.chars().count() > MAX_SEARCH {
            return Err(Error::field("search", "Ensure this value has at most 200 characters."));
        }
        let mut words = words(text);
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        words.truncate(MAX_WORDS);
        Ok(Some(Self { words }))
    }

    /// The ids of rows that have the first word, as a table named `candidates` with a column `id`, and the
    /// condition that the row of `id` has the others. `None` when no row can be found: there is no word.
    pub fn candidates<W: EntityTrait, C: ColumnTrait>(
        &self,
        (table, id_column, word_column): WordTable<W>,
        id: C,
    ) -> Option<(SelectStatement, Condition)> {
        let (first, others) = self.words.split_first()?;
        let candidates = Query::select()
            .distinct()
            .expr_as(Expr::col((table, id_column)), Alias::new("id"))
            .from(table)
            .cond_where(begins(word_column, first))
            .limit(MAX_CANDIDATES)
            .to_owned();
        let has = |word: &String| {
            let same_row = Expr::col((table, id_column)).equals(id.as_column_ref());
            let found = Query::select()
                .expr(Expr::val(1))
                .from(table)
                .and_where(same_row)
                .cond_where(begins(word_column, word))
                .to_owned();
            Expr::exists(found)
        };
        let condition = others.iter().map(has).fold(Condition::all(), Condition::add);
        Some((candidates, condition))
    }

    /// A query over the rows of `candidates`, without columns. SQLite joins across in the order that is written: else
    /// it may read the whole table and look for each row among the candidates.
    pub fn join<E: EntityTrait, C: ColumnTrait>(
        candidates: SelectStatement,
        id: C,
        condition: Condition,
    ) -> SelectStatement {
        let name = Alias::new("candidates");
        let same = Expr::col((name.clone(), Alias::new("id"))).equals(id.as_column_ref());
        Query::select()
            .from_subquery(candidates, name)
            .cross_join(E::default())
            .and_where(same)
            .cond_where(condition)
            .to_owned()
    }
}

/// As a range, which an index answers.
fn begins<C: ColumnTrait>(column: C, word: &str) -> Condition {
    Condition::all().add(column.gte(word)).add(column.lt(format!("{word}{}", char::MAX)))
}

/// Notes by which words rows are found, each given by its id and its text.
///
/// # Errors
/// When the database refuses.
pub async fn insert_words<W: EntityTrait, T: AsRef<str> + Sync>(
    tx: &impl ConnectionTrait,
    (table, id, word): WordTable<W>,
    texts: &[(i64, T)],
) -> Result<()> {
    let rows: Vec<_> = texts
        .iter()
        .flat_map(|(id, text)| words(text.as_ref()).into_iter().map(|word| [Expr::val(*id), Expr::val(word)]))
        .collect();
    for chunk in rows.chunks(ROWS) {
        let mut insert = Query::insert();
        insert.into_table(table).columns([id, word]);
        for row in chunk {
            insert.values(row.clone()).map_err(Error::internal)?;
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Forgets the words of a row.
///
/// # Errors
/// When the database refuses.
pub async fn delete_words<W: EntityTrait>(
    tx: &impl ConnectionTrait,
    (_, id_column, _): WordTable<W>,
    id: i64,
) -> Result<()> {
    W::delete_many().filter(id_column.eq(id)).exec(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn words_are_found_without_regard_to_case_and_accents() {
        assert_eq!(words("Jane Eyre — by Brontë, brontë!"), ["bronte", "by", "eyre", "jane"]);
        assert_eq!(words("978-0 Ｄｕｎｅ Война"), ["0", "978", "dune", "воина"]);
        assert_eq!(words(&"x".repeat(100)), ["x".repeat(32)]);
        assert_eq!(words("— !"), Vec::<String>::new());
    }

    #[test]
    fn a_search_is_led_by_its_longest_word_and_has_a_limit() {
        assert_eq!(Search::parse(Some("a Dune ")).unwrap().unwrap().words, ["dune", "a"]);
        assert_eq!(Search::parse(Some("  ")).unwrap(), None);
        assert_eq!(Search::parse(None).unwrap(), None);
        assert!(Search::parse(Some(&"x".repeat(201))).is_err());
        assert_eq!(Search::parse(Some("a b c d e f g h i j")).unwrap().unwrap().words.len(), 8);
    }
}
