//! The inputs that fuzzing keeps, for what this crate does.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../../fuzz/properties.rs"]
mod properties;
#[path = "../../../fuzz/replay.rs"]
mod replay;

use std::path::Path;

#[test]
fn what_holds_for_every_input_holds_for_the_corpora() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let replay = |target, holds| replay::replay(&root, target, holds);
    replay("token", properties::token);
    replay("password_hash", properties::password_hash);
    replay("html", properties::html);
    replay("plain_text", properties::plain_text);
    replay("picture", properties::picture);
    replay("forwarded", properties::forwarded);
    replay("origin_and_cookie", properties::origin_and_cookie);
}
