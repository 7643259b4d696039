//! The inputs that fuzzing keeps, for what the server reads.

#[path = "../fuzz/replay.rs"]
mod replay;
#[path = "../fuzz/server.rs"]
mod server;

use std::path::Path;

#[test]
fn what_holds_for_every_input_holds_for_the_corpora() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    replay::replay(root, "multipart", server::multipart);
    replay::replay(root, "socket_frames", server::socket_frames);
    replay::replay(root, "query", server::query);
}
