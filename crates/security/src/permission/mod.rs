//! Who may see and who may change what: one truth table, without a database.
//!
//! | Type | Means |
//! |---|---|
//! | [`Relation`] | what a viewer is to the owner of a thing |
//! | [`Visibility`] | the setting of the owner's profile |
//! | [`Standing`] | whether the owner's account is in use |
//! | [`Audience`] | for whom a thing is, made of the setting, the thing's own flag and the standing |
//! | [`Action`] | what is done with a thing that can be seen |
//!
//! [`TABLE`] says which relation sees which audience. A server makes its queries from it with
//! [`Relation::audiences`] and its answers with [`Relation::may_see`], so that a list and a detail never
//! disagree (guide §7.1; ASVS v5.0.0-8.2.2).

mod ownership;
mod visibility;

pub use ownership::{Action, Thing};
pub use visibility::{Audience, Relation, Standing, TABLE, Visibility};
