//! What people send about rooms.

use crate::extract::{FromInput, Input};
use utoipa::ToSchema;

/// Characters of a room's name, at most (contract §1).
const MAX_NAME: usize = 100;

/// A room to be made.
#[derive(Clone, ToSchema)]
pub struct NewRoom {
    /// Plain text, at most 100 characters.
    pub name: String,
    /// Whether everybody finds it and may join; true.
    #[schema(value_type = Option<bool>)]
    pub is_public: bool,
}

/// What changes of a room; the rest stays.
#[derive(Clone, ToSchema)]
pub struct RoomPatch {
    /// Plain text, at most 100 characters.
    pub name: Option<String>,
    /// Whether everybody finds it and may join.
    pub is_public: Option<bool>,
}

impl FromInput for NewRoom {
    fn from_input(input: &mut Input) -> Option<Self> {
        let name = input.text("name");
        let name = input.parse("name", name, parse_name);
        let is_public = input.optional_flag("is_public").unwrap_or(true);
        Some(Self { name: name?, is_public })
    }
}

impl FromInput for RoomPatch {
    fn from_input(input: &mut Input) -> Option<Self> {
        let name = input.optional_text("name");
        let name = input.parse("name", name, parse_name);
        Some(Self { name, is_public: input.optional_flag("is_public") })
    }
}

/// Kept as it is typed, without white space around it.
fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err("This field may not be blank.".to_owned()),
        length if length > MAX_NAME => {
            Err(format!("Ensure this field has no more than {MAX_NAME} characters."))
        }
        _ if name.contains(char::is_control) => Err("Control characters are not allowed.".to_owned()),
        _ => Ok(name.to_owned()),
    }
}

/// Who is to be a member.
#[derive(ToSchema)]
pub struct MemberRequest {
    /// The username of an account.
    pub username: String,
}

impl FromInput for MemberRequest {
    fn from_input(input: &mut Input) -> Option<Self> {
        input.text("username").map(|username| Self { username })
    }
}

/// How far somebody has read.
#[derive(ToSchema)]
pub struct ReadRequest {
    /// The number of the newest message that was read.
    #[schema(minimum = 0)]
    pub seq: i64,
}

impl FromInput for ReadRequest {
    fn from_input(input: &mut Input) -> Option<Self> {
        let seq = input.integer("seq");
        let seq = input.check("seq", seq, |seq| match seq {
            0.. => Ok(seq),
            _ => Err("Ensure this value is greater than or equal to 0.".to_owned()),
        });
        seq.map(|seq| Self { seq })
    }
}
