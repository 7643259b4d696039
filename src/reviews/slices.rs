//! What a viewer may see, in slices that an index answers each.
//!
//! One condition with an `or` over owner and audience makes databases read whole tables. Here every slice has one
//! audience, and its rows are found by an index: in the list's own order where they may be many, else by their owner.

use crate::access::Viewer;
use crate::model::reviews::Column;
use portcullis_security::permission::{Audience, Relation};
use sea_orm::sea_query::{Expr, IntoCondition};
use sea_orm::{ColumnTrait, Condition, ExprTrait};

/// The slices of all reviews that a viewer sees; no review is in two. `unblocked` is the condition on their owners
/// that no block stands between.
///
/// Made of the truth table: what strangers see, then what those who follow see beside it, then the viewer's own.
pub(super) fn of_everybody(viewer: Viewer, unblocked: &Condition) -> Vec<Condition> {
    let Viewer::User { id, is_staff } = viewer else {
        return Relation::Anonymous.audiences().map(only).collect();
    };
    if is_staff {
        return Relation::Staff.audiences().map(only).collect();
    }
    let mut slices = Vec::new();
    for audience in Audience::ALL {
        if Relation::Stranger.may_see(audience) {
            slices.push(only(audience).add(unblocked.clone()));
            continue;
        }
        if Relation::Follower.may_see(audience) {
            let followed = viewer.followed(Column::UserId);
            slices.push(among_theirs(audience, followed).add(unblocked.clone()));
        }
        if Relation::Owner.may_see(audience) {
            slices.push(among_theirs(audience, Column::UserId.eq(id)));
        }
    }
    slices
}

/// The slices of one owner's reviews, for a viewer of this relation to the owner.
pub(super) fn of_one(owner_id: i64, relation: Relation) -> Vec<Condition> {
    relation.audiences().map(|audience| among_theirs(audience, Column::UserId.eq(owner_id))).collect()
}

/// Those of some people: few beside all with that audience. No index can answer for a sum, so that a database that
/// keeps no figures of its tables does not read them all in the order that is asked for.
fn among_theirs(audience: Audience, theirs: impl IntoCondition) -> Condition {
    let audience = Expr::col(Column::Audience).add(0).eq(audience.code());
    Condition::all().add(theirs.into_condition()).add(audience)
}

fn only(audience: Audience) -> Condition {
    Condition::all().add(Column::Audience.eq(audience.code()))
}
