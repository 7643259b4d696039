//! The inputs that fuzzing keeps (`fuzz/corpus`), replayed: what broke once stays mended.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../../fuzz/properties.rs"]
mod properties;

use std::path::Path;

/// Runs a target on each file of its corpus.
fn replay(target: &str, holds: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).expect("a corpus");
    let mut count = 0;
    for file in files {
        let path = file.expect("an entry").path();
        println!("{}", path.display());
        holds(&std::fs::read(&path).expect("an input"));
        count += 1;
    }
    assert!(count > 4, "{count} in {}", folder.display());
}

#[test]
fn what_holds_for_every_input_holds_for_the_corpora() {
    replay("token", properties::token);
    replay("password_hash", properties::password_hash);
    replay("html", properties::html);
    replay("plain_text", properties::plain_text);
    replay("picture", properties::picture);
    replay("forwarded", properties::forwarded);
    replay("origin_and_cookie", properties::origin_and_cookie);
}
