//! What has to be said and to whom: decided in the transaction that causes it, worded when it is sent.

use portcullis_security::clock::Timestamp;
use portcullis_security::secret::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// Who asked for a letter, for the record of what comes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    /// The network, e.g. `192.0.2.0/24`.
    pub ip_prefix: String,
    /// The device as it called itself.
    pub device: String,
    /// The request's id.
    pub request_id: String,
}

/// A letter as it waits in the outbox.
///
/// It names people and facts but holds no token: one-time tokens are made when the letter is sent, so
/// that no row, backup or replica ever holds one that works (guide §5, §6; ASVS v5.0.0-6.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    /// Asks a new user to prove the address.
    VerifyEmail {
        /// Whose address.
        user_id: i64,
    },
    /// Asks everybody who waits to prove the address again, if anybody does.
    ResendVerification {
        /// The address as it was asked for; nobody may wait for it, then nothing is sent.
        address: String,
    },
    /// Tells the owner of an address that somebody tried to register with it.
    AlreadyRegistered {
        /// Where to.
        address: String,
    },
    /// Carries the link that sets a new password, if the address belongs to an account.
    ResetPassword {
        /// The address as it was asked for; nobody may own it, then nothing is sent.
        address: String,
        /// Who asked; unknown in letters of earlier versions.
        #[serde(default)]
        by: AskedBy,
    },
    /// Tells a user that the password was changed.
    PasswordChanged {
        /// Whose password.
        user_id: i64,
        /// The network from which it was done.
        ip_prefix: String,
        /// The device as it called itself.
        device: String,
    },
    /// Asks for proof of the address that an account shall move to.
    ConfirmEmailChange {
        /// Whose address.
        user_id: i64,
        /// The new address.
        address: String,
        /// The age of the password that it was asked for with: the letter dies with it. Letters of earlier
        /// versions do not say, and are not sent.
        #[serde(default)]
        password_changed_at: i64,
    },
    /// Tells the former address that the account has left it.
    EmailChanged {
        /// Whose address.
        user_id: i64,
        /// The former address.
        old_address: String,
    },
    /// Tells a user until when the deletion can be undone.
    AccountDeleted {
        /// Whose account.
        user_id: i64,
        /// When it goes for good.
        #[serde(serialize_with = "write_micros", deserialize_with = "read_micros")]
        delete_at: Timestamp,
    },
    /// Tells a user of a login from a device that was not seen before.
    NewDevice {
        /// Whose account.
        user_id: i64,
        /// The network from which it was done.
        ip_prefix: String,
        /// The device as it called itself.
        device: String,
        /// When.
        #[serde(serialize_with = "write_micros", deserialize_with = "read_micros")]
        at: Timestamp,
    },
    /// Tells a user that a spent refresh token was shown, and that its session was ended.
    TokenReused {
        /// Whose session.
        user_id: i64,
        /// The network from which it was shown.
        ip_prefix: String,
        /// The device as it called itself.
        device: String,
        /// When.
        #[serde(serialize_with = "write_micros", deserialize_with = "read_micros")]
        at: Timestamp,
    },
    /// Tells a user that somebody is guessing their password.
    PasswordGuessed {
        /// Whose password.
        user_id: i64,
        /// When it was noticed.
        #[serde(serialize_with = "write_micros", deserialize_with = "read_micros")]
        at: Timestamp,
    },
    /// Invites somebody to make an account.
    Invitation {
        /// Where to; the invitation works for this address alone.
        address: String,
        /// How long it works, in seconds from when it is sent.
        lifetime: u64,
    },
    /// Tells a user of somebody who follows them.
    NewFollower {
        /// Who is followed.
        user_id: i64,
        /// Who follows.
        by: i64,
    },
    /// Tells a user of somebody who asks to follow them.
    FollowRequest {
        /// Who is asked.
        user_id: i64,
        /// Who asks.
        by: i64,
    },
    /// Tells a user that their request was approved.
    FollowApproved {
        /// Who asked.
        user_id: i64,
        /// Who approved.
        by: i64,
    },
    /// Tells everybody who reviewed a book of another review, each by a letter of their own.
    BookReviewed {
        /// The new review.
        review_id: i64,
    },
    /// Tells one user of another review of a book that they reviewed.
    ReviewOfSameBook {
        /// Who is told.
        user_id: i64,
        /// The new review.
        review_id: i64,
    },
    /// Shows an operator that mail works.
    Test {
        /// Where to.
        address: String,
    },
}

/// The sorts of letters: one pair of templates each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// [`Letter::VerifyEmail`].
    VerifyEmail,
    /// [`Letter::AlreadyRegistered`].
    AlreadyRegistered,
    /// [`Letter::ResetPassword`].
    ResetPassword,
    /// [`Letter::PasswordChanged`].
    PasswordChanged,
    /// [`Letter::ConfirmEmailChange`].
    ConfirmEmailChange,
    /// [`Letter::EmailChanged`].
    EmailChanged,
    /// [`Letter::AccountDeleted`].
    AccountDeleted,
    /// [`Letter::NewDevice`].
    NewDevice,
    /// [`Letter::TokenReused`].
    TokenReused,
    /// [`Letter::PasswordGuessed`].
    PasswordGuessed,
    /// [`Letter::Invitation`].
    Invitation,
    /// [`Letter::NewFollower`].
    NewFollower,
    /// [`Letter::FollowRequest`].
    FollowRequest,
    /// [`Letter::FollowApproved`].
    FollowApproved,
    /// [`Letter::BookReviewed`] and [`Letter::ReviewOfSameBook`].
    BookReviewed,
    /// [`Letter::Test`].
    Test,
}

/// A letter that is ready to be worded: the user was looked up and the tokens are made.
pub struct Prepared {
    /// The address it goes to.
    pub to: String,
    /// Who is greeted; nobody when the address has no account of that name. Other names of a user are
    /// never used, since whoever registers a stranger's address chooses them.
    pub username: Option<String>,
    /// What it says.
    pub content: Content,
}

/// What a letter says beyond the greeting. Links are made from the tokens when it is worded.
pub enum Content {
    /// A link and a code that prove the address.
    VerifyEmail {
        /// For the link.
        token: Secret,
        /// How long the link works.
        lifetime: Duration,
        /// The digits to type instead.
        code: Secret,
        /// How long the code works.
        code_lifetime: Duration,
    },
    /// Somebody tried to register with an address that has an account.
    AlreadyRegistered,
    /// A link that sets a new password.
    ResetPassword {
        /// For the link.
        token: Secret,
        /// How long it works.
        lifetime: Duration,
    },
    /// The password was changed.
    PasswordChanged {
        /// The network from which it was done.
        ip_prefix: String,
        /// The device as it called itself.
        device: String,
    },
    /// A link that proves the address an account shall move to.
    ConfirmEmailChange {
        /// For the link.
        token: Secret,
        /// How long it works.
        lifetime: Duration,
    },
    /// The account has left this address.
    EmailChanged,
    /// The account is deleted and can be had back.
    AccountDeleted {
        /// When it goes for good.
        delete_at: Timestamp,
    },
    /// A login from a device that was not seen before.
    NewDevice {
        /// The network from which it was done.
        ip_prefix: String,
        /// The device as it called itself.
        device: String,
        /// When.
        at: Timestamp,
    },
    /// A spent refresh token was shown, and its session was ended.
    TokenReused {
        /// The network from which it was shown.
        ip_prefix: String,
        /// The device as it called itself.
        device: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody is guessing the password.
    PasswordGuessed {
        /// When it was noticed.
        at: Timestamp,
    },
    /// A link that makes an account.
    Invitation {
        /// For the link.
        token: Secret,
        /// How long it works.
        lifetime: Duration,
    },
    /// Something happened in the community that the user wants to hear of.
    Notice(Notice),
    /// Mail works.
    Test,
}

/// News of the community. Each sort can be turned off, by its recipient's settings or by the link that
/// `unsubscribe` makes.
pub struct Notice {
    /// One of the sorts that can be turned off.
    pub kind: Kind,
    /// The username of whom it is about.
    pub by: String,
    /// The title and the id of the book that it is about, if it is about one.
    pub book: Option<(String, i64)>,
    /// For the link that turns this sort off (RFC 8058).
    pub unsubscribe: Secret,
}

impl Letter {
    /// Which sort it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::VerifyEmail { .. } | Self::ResendVerification { .. } => Kind::VerifyEmail,
            Self::AlreadyRegistered { .. } => Kind::AlreadyRegistered,
            Self::ResetPassword { .. } => Kind::ResetPassword,
            Self::PasswordChanged { .. } => Kind::PasswordChanged,
            Self::ConfirmEmailChange { .. } => Kind::ConfirmEmailChange,
            Self::EmailChanged { .. } => Kind::EmailChanged,
            Self::AccountDeleted { .. } => Kind::AccountDeleted,
            Self::NewDevice { .. } => Kind::NewDevice,
            Self::TokenReused { .. } => Kind::TokenReused,
            Self::PasswordGuessed { .. } => Kind::PasswordGuessed,
            Self::Invitation { .. } => Kind::Invitation,
            Self::NewFollower { .. } => Kind::NewFollower,
            Self::FollowRequest { .. } => Kind::FollowRequest,
            Self::FollowApproved { .. } => Kind::FollowApproved,
            Self::BookReviewed { .. } | Self::ReviewOfSameBook { .. } => Kind::BookReviewed,
            Self::Test { .. } => Kind::Test,
        }
    }
}

impl Letter {
    /// Whether it is news of the community, which can be turned off; security notices cannot.
    pub const fn is_of_community(&self) -> bool {
        matches!(
            self.kind(),
            Kind::NewFollower | Kind::FollowRequest | Kind::FollowApproved | Kind::BookReviewed
        )
    }
}

impl Content {
    /// Which sort of letter it belongs to.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::VerifyEmail { .. } => Kind::VerifyEmail,
            Self::AlreadyRegistered => Kind::AlreadyRegistered,
            Self::ResetPassword { .. } => Kind::ResetPassword,
            Self::PasswordChanged { .. } => Kind::PasswordChanged,
            Self::ConfirmEmailChange { .. } => Kind::ConfirmEmailChange,
            Self::EmailChanged => Kind::EmailChanged,
            Self::AccountDeleted { .. } => Kind::AccountDeleted,
            Self::NewDevice { .. } => Kind::NewDevice,
            Self::TokenReused { .. } => Kind::TokenReused,
            Self::PasswordGuessed { .. } => Kind::PasswordGuessed,
            Self::Invitation { .. } => Kind::Invitation,
            Self::Notice(notice) => notice.kind,
            Self::Test => Kind::Test,
        }
    }
}

impl Kind {
    /// Every sort.
    pub const ALL: [Self; 16] = [
        Self::VerifyEmail,
        Self::AlreadyRegistered,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::ConfirmEmailChange,
        Self::EmailChanged,
        Self::AccountDeleted,
        Self::NewDevice,
        Self::TokenReused,
        Self::PasswordGuessed,
        Self::Invitation,
        Self::NewFollower,
        Self::FollowRequest,
        Self::FollowApproved,
        Self::BookReviewed,
        Self::Test,
    ];

    /// The name in the outbox, in metrics and of the templates.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::ConfirmEmailChange => "confirm_email_change",
            Self::EmailChanged => "email_changed",
            Self::AccountDeleted => "account_deleted",
            Self::NewDevice => "new_device",
            Self::TokenReused => "token_reused",
            Self::PasswordGuessed => "password_guessed",
            Self::Invitation => "invitation",
            Self::NewFollower => "new_follower",
            Self::FollowRequest => "follow_request",
            Self::FollowApproved => "follow_approved",
            Self::BookReviewed => "book_reviewed",
            Self::Test => "test",
        }
    }
}

fn write_micros<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(moment.micros())
}

fn read_micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    i64::deserialize(deserializer).map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_letter_is_read_back_as_it_was_written() {
        let letter = Letter::NewDevice {
            user_id: 7,
            ip_prefix: "192.0.2.0/24".into(),
            device: "Firefox on Linux".into(),
            at: Timestamp::from_micros(1_767_225_600_000_001),
        };
        let text = serde_json::to_string(&letter).unwrap();
        assert!(text.contains(r#""kind":"new_device""#), "{text}");
        assert_eq!(serde_json::from_str::<Letter>(&text).unwrap(), letter);
    }

    #[test]
    fn every_kind_has_a_slug_of_its_own_that_fits_the_column() {
        let slugs: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
        assert!(slugs.iter().all(|slug| slug.len() <= 32));
    }
}
