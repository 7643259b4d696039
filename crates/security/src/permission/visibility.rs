//! Who may see what.

/// What a viewer is to the owner of a thing. Exactly one holds; of several that seem to, the one that
/// stands last here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// Nobody is logged in.
    Anonymous,
    /// Somebody with an account and nothing else.
    Stranger,
    /// Somebody whose request to follow waits for the owner's answer.
    Requested,
    /// Somebody who follows the owner.
    Follower,
    /// Either of the two has blocked the other.
    Blocked,
    /// A member of staff, whom blocks do not bind.
    Staff,
    /// The owner.
    Owner,
}

/// The setting of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Visibility {
    /// For everybody.
    #[default]
    Public,
    /// For those whom the owner lets follow.
    FollowersOnly,
    /// For the owner.
    Private,
}

/// Whether the owner's account is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// As usual.
    Active,
    /// Shut out by staff, or never verified: for the owner and staff alone.
    Suspended,
    /// Deleted by its owner, who may still come back: hidden at once, from staff too.
    Deleted,
}

/// For whom a thing is. The numbers are stored; a higher one is for fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum Audience {
    /// For all, logged in or not.
    Everyone = 0,
    /// For those who follow the owner.
    Followers = 1,
    /// For the owner and for staff.
    OwnerOnly = 2,
    /// For nobody.
    Nobody = 3,
}

/// The truth table: who sees a thing that is for [`Audience::Everyone`], [`Audience::Followers`],
/// [`Audience::OwnerOnly`], [`Audience::Nobody`], in this order.
///
/// ```
/// use portcullis_security::permission::TABLE;
///
/// assert!(TABLE.iter().all(|(_, sees)| !sees[3]), "nobody sees what is for nobody");
/// ```
pub const TABLE: [(Relation, [bool; 4]); 7] = [
    (Relation::Anonymous, [true, false, false, false]),
    (Relation::Stranger, [true, false, false, false]),
    (Relation::Requested, [true, false, false, false]),
    (Relation::Follower, [true, true, false, false]),
    (Relation::Blocked, [false, false, false, false]),
    (Relation::Staff, [true, true, true, false]),
    (Relation::Owner, [true, true, true, false]),
];

impl Relation {
    /// Whether a viewer of this relation sees a thing for this audience.
    ///
    /// ```
    /// use portcullis_security::permission::{Audience, Relation};
    ///
    /// assert!(Relation::Follower.may_see(Audience::Followers));
    /// assert!(!Relation::Requested.may_see(Audience::Followers));
    /// assert!(!Relation::Blocked.may_see(Audience::Everyone));
    /// ```
    #[must_use]
    pub fn may_see(self, audience: Audience) -> bool {
        let column = usize::from(audience.code().unsigned_abs());
        TABLE.iter().any(|(relation, sees)| *relation == self && sees.get(column) == Some(&true))
    }

    /// The audiences that a viewer of this relation sees, for a query.
    ///
    /// ```
    /// use portcullis_security::permission::{Audience, Relation};
    ///
    /// let seen: Vec<_> = Relation::Follower.audiences().collect();
    /// assert_eq!(seen, [Audience::Everyone, Audience::Followers]);
    /// ```
    pub fn audiences(self) -> impl Iterator<Item = Audience> {
        Audience::ALL.into_iter().filter(move |audience| self.may_see(*audience))
    }
}

impl Visibility {
    /// Every setting, the widest first.
    pub const ALL: [Self; 3] = [Self::Public, Self::FollowersOnly, Self::Private];

    /// Reads the setting's name; `None` for any other text.
    ///
    /// ```
    /// use portcullis_security::permission::Visibility;
    ///
    /// assert_eq!(Visibility::parse("followers_only"), Some(Visibility::FollowersOnly));
    /// assert_eq!(Visibility::parse("Public"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|visibility| visibility.as_str() == name)
    }

    /// The setting's name, as in the API and the database.
    ///
    /// ```
    /// use portcullis_security::permission::Visibility;
    ///
    /// assert_eq!(Visibility::default().as_str(), "public");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::FollowersOnly => "followers_only",
            Self::Private => "private",
        }
    }
}

impl Audience {
    /// Every audience, in the order of [`TABLE`]'s columns.
    pub const ALL: [Self; 4] = [Self::Everyone, Self::Followers, Self::OwnerOnly, Self::Nobody];

    /// For whom a thing is: at most for whom its owner's profile is, for the owner alone where it is
    /// not public, and for fewer while the owner's account is not in use.
    ///
    /// ```
    /// use portcullis_security::permission::{Audience, Standing, Visibility};
    ///
    /// let of = |visibility, is_public| Audience::of(visibility, is_public, Standing::Active);
    /// assert_eq!(of(Visibility::Public, true), Audience::Everyone);
    /// assert_eq!(of(Visibility::FollowersOnly, true), Audience::Followers);
    /// assert_eq!(of(Visibility::Public, false), Audience::OwnerOnly);
    /// assert_eq!(Audience::of(Visibility::Public, true, Standing::Deleted), Audience::Nobody);
    /// ```
    #[must_use]
    pub fn of(visibility: Visibility, is_public: bool, standing: Standing) -> Self {
        let by_setting = match (is_public, visibility) {
            (false, _) | (true, Visibility::Private) => Self::OwnerOnly,
            (true, Visibility::FollowersOnly) => Self::Followers,
            (true, Visibility::Public) => Self::Everyone,
        };
        let by_standing = match standing {
            Standing::Active => Self::Everyone,
            Standing::Suspended => Self::OwnerOnly,
            Standing::Deleted => Self::Nobody,
        };
        by_setting.max(by_standing)
    }

    /// The stored number.
    ///
    /// ```
    /// use portcullis_security::permission::Audience;
    ///
    /// assert_eq!(Audience::Followers.code(), 1);
    /// ```
    #[must_use]
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The audience of a stored number; an unknown one is for nobody.
    ///
    /// ```
    /// use portcullis_security::permission::Audience;
    ///
    /// assert_eq!(Audience::from_code(0), Audience::Everyone);
    /// assert_eq!(Audience::from_code(77), Audience::Nobody);
    /// ```
    #[must_use]
    pub fn from_code(code: i16) -> Self {
        Self::ALL.into_iter().find(|audience| audience.code() == code).unwrap_or(Self::Nobody)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// The design's words, written down a second time.
    fn expected(relation: Relation, audience: Audience) -> bool {
        match (audience, relation) {
            (Audience::Nobody, _) | (_, Relation::Blocked) => false,
            (_, Relation::Owner | Relation::Staff) | (Audience::Everyone, _) => true,
            (Audience::Followers, relation) => relation == Relation::Follower,
            (Audience::OwnerOnly, _) => false,
        }
    }

    #[test]
    fn every_cell_of_the_table_is_as_designed() {
        for (relation, _) in TABLE {
            for audience in Audience::ALL {
                let sees = expected(relation, audience);
                assert_eq!(relation.may_see(audience), sees, "{relation:?} {audience:?}");
                assert_eq!(relation.audiences().any(|seen| seen == audience), sees);
            }
        }
    }

    #[test]
    fn every_relation_has_one_row() {
        let mut rows: Vec<_> = TABLE.iter().map(|(relation, _)| *relation).collect();
        rows.sort_unstable();
        rows.dedup();
        assert_eq!(rows.len(), TABLE.len());
        for (index, audience) in Audience::ALL.into_iter().enumerate() {
            assert_eq!(usize::try_from(audience.code()).unwrap(), index, "a column's number is its place");
        }
    }

    #[test]
    fn a_thing_is_never_for_more_than_its_owners_profile() {
        for standing in [Standing::Active, Standing::Suspended, Standing::Deleted] {
            for visibility in Visibility::ALL {
                let profile = Audience::of(visibility, true, standing);
                assert!(Audience::of(visibility, false, standing) >= profile);
                assert!(profile >= Audience::of(visibility, true, Standing::Active));
            }
        }
    }
}
