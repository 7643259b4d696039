//! What a viewer may see, in slices that an index answers each.
//!
//! One condition with an `or` over owner and audience makes databases read whole tables. Here every slice has one
//! audience, and each of its rows is found by an index in the list's own order.

use crate::access::Viewer;
use crate::model::reviews::Column;
use portcullis_security::permission::{Audience, Relation};
use sea_orm::{ColumnTrait, Condition};

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
            slices.push(only(audience).add(followed).add(unblocked.clone()));
        }
        if Relation::Owner.may_see(audience) {
            slices.push(only(audience).add(Column::UserId.eq(id)));
        }
    }
    slices
}

/// The slices of one owner's reviews, for a viewer of this relation to the owner.
pub(super) fn of_one(owner_id: i64, relation: Relation) -> Vec<Condition> {
    relation.audiences().map(|audience| only(audience).add(Column::UserId.eq(owner_id))).collect()
}

fn only(audience: Audience) -> Condition {
    Condition::all().add(Column::Audience.eq(audience.code()))
}
