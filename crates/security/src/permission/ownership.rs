//! Who may change what.

use super::Relation;

/// What is done with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Making one.
    Create,
    /// Changing what it says.
    Edit,
    /// Removing it.
    Delete,
}

/// The kinds of things that people and staff make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Thing {
    /// Somebody's own words: a review or a profile. Staff may remove it and never edit it.
    Text,
    /// Common property that staff keep: a book.
    Catalogue,
}

impl Relation {
    /// Whether a viewer of this relation may change a thing. For what is being made, its maker is the
    /// owner; a catalogue has none.
    ///
    /// It is asked after [`Relation::may_see`]: what is hidden is answered as if it did not exist
    /// (guide §7.1 `IsOwnerOrReadOnly`; ASVS v5.0.0-8.2.1).
    ///
    /// ```
    /// use portcullis_security::permission::{Action, Relation, Thing};
    ///
    /// assert!(Relation::Owner.may(Action::Edit, Thing::Text));
    /// assert!(Relation::Staff.may(Action::Delete, Thing::Text));
    /// assert!(!Relation::Staff.may(Action::Edit, Thing::Text));
    /// assert!(Relation::Staff.may(Action::Edit, Thing::Catalogue));
    /// assert!(!Relation::Follower.may(Action::Delete, Thing::Text));
    /// ```
    #[must_use]
    pub const fn may(self, action: Action, thing: Thing) -> bool {
        match (thing, self) {
            (Thing::Text, Self::Owner) | (Thing::Catalogue, Self::Staff) => true,
            (Thing::Text, Self::Staff) => matches!(action, Action::Delete),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permission::TABLE;

    #[test]
    fn only_owners_and_staff_change_anything() {
        for (relation, _) in TABLE {
            for action in [Action::Create, Action::Edit, Action::Delete] {
                for thing in [Thing::Text, Thing::Catalogue] {
                    let may = relation.may(action, thing);
                    assert!(!may || matches!(relation, Relation::Owner | Relation::Staff));
                }
            }
        }
        assert!(!Relation::Owner.may(Action::Edit, Thing::Catalogue));
        assert!(!Relation::Staff.may(Action::Create, Thing::Text));
    }
}
