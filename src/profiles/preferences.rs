//! Which mails somebody wants. Security notices are not among them: they cannot be turned off.

use crate::extract::Input;
use crate::mail::Kind;
use crate::model::notification_preferences::{Column, Model};
use serde::Serialize;
use utoipa::ToSchema;

/// A sort of mails that can be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preference {
    NewFollower,
    FollowRequest,
    FollowApproved,
    BookReviewed,
}

/// Which mails somebody wants.
#[derive(Serialize, ToSchema)]
pub struct Preferences {
    /// Somebody follows me.
    new_follower: bool,
    /// Somebody asks to follow me.
    follow_request: bool,
    /// My request was approved.
    follow_approved: bool,
    /// A book that I reviewed got another review.
    book_reviewed: bool,
}

/// The mails to turn on or off; others stay.
#[derive(ToSchema)]
pub struct PreferencesPatch {
    /// Somebody follows me.
    pub new_follower: Option<bool>,
    /// Somebody asks to follow me.
    pub follow_request: Option<bool>,
    /// My request was approved.
    pub follow_approved: Option<bool>,
    /// A book that I reviewed got another review.
    pub book_reviewed: Option<bool>,
}

impl Preference {
    pub(super) const ALL: [Self; 4] =
        [Self::NewFollower, Self::FollowRequest, Self::FollowApproved, Self::BookReviewed];

    /// The sort of letters that it governs.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::NewFollower => Kind::NewFollower,
            Self::FollowRequest => Kind::FollowRequest,
            Self::FollowApproved => Kind::FollowApproved,
            Self::BookReviewed => Kind::BookReviewed,
        }
    }

    /// What it is called in a link: as the letter, and as the field of the settings.
    pub(super) const fn slug(self) -> &'static str {
        self.kind().slug()
    }

    pub(super) fn of_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preference| preference.slug() == slug)
    }

    pub(super) const fn column(self) -> Column {
        match self {
            Self::NewFollower => Column::NewFollower,
            Self::FollowRequest => Column::FollowRequest,
            Self::FollowApproved => Column::FollowApproved,
            Self::BookReviewed => Column::BookReviewed,
        }
    }

    pub(super) const fn is_wanted(self, row: &Model) -> bool {
        match self {
            Self::NewFollower => row.new_follower,
            Self::FollowRequest => row.follow_request,
            Self::FollowApproved => row.follow_approved,
            Self::BookReviewed => row.book_reviewed,
        }
    }

    /// For people: "mails that tell you …".
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::NewFollower => "somebody follows you",
            Self::FollowRequest => "somebody asks to follow you",
            Self::FollowApproved => "a request of yours was approved",
            Self::BookReviewed => "a book that you reviewed got another review",
        }
    }
}

impl Preferences {
    pub(super) const fn of(row: &Model) -> Self {
        Self {
            new_follower: row.new_follower,
            follow_request: row.follow_request,
            follow_approved: row.follow_approved,
            book_reviewed: row.book_reviewed,
        }
    }
}

impl PreferencesPatch {
    pub(super) fn read(input: &mut Input) -> Self {
        Self {
            new_follower: input.optional_flag("new_follower"),
            follow_request: input.optional_flag("follow_request"),
            follow_approved: input.optional_flag("follow_approved"),
            book_reviewed: input.optional_flag("book_reviewed"),
        }
    }

    /// What is to be changed, and to what.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Preference, bool)> {
        let asked = [self.new_follower, self.follow_request, self.follow_approved, self.book_reviewed];
        Preference::ALL.into_iter().zip(asked).filter_map(|(preference, asked)| Some((preference, asked?)))
    }
}
