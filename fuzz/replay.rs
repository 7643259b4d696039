//! What fuzzing keeps (`fuzz/corpus`), replayed by tests: what broke once stays mended.

use std::path::Path;

/// Runs a target on each file of its corpus, `root` being the folder of the project.
pub fn replay(root: &Path, target: &str, holds: fn(&[u8])) {
    let folder = root.join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).expect("a corpus");
    let read = |file: std::io::Result<std::fs::DirEntry>| std::fs::read(file.expect("an entry").path());
    let count = files.map(|file| holds(&read(file).expect("an input"))).count();
    assert!(count > 4, "{count} in {}", folder.display());
}
