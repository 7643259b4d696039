//! The design's rules, read off the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// From the top down: a module may use what stands below it, and nothing above or beside it.
const ORDER: [&[&str]; 7] = [
    &["app", "admin", "load"],
    &["accounts"],
    &["routes", "edge", "health"],
    &["state"],
    &["access"],
    &["mail", "audit", "extract"],
    &["model"],
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    sources(&root.join("src"), &mut found);
    sources(&root.join("crates/security/src"), &mut found);
    assert!(found.len() > 50, "the sources were not found");
    found.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a source"))).collect()
}

fn level(module: &str) -> Option<usize> {
    ORDER.iter().position(|modules| modules.contains(&module))
}

#[test]
fn imports_point_downwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (path, text) in all() {
        let Ok(inside) = path.strip_prefix(&root) else { continue };
        let own =
            inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default().trim_end_matches(".rs");
        let Some(own_level) = level(own) else { continue };
        for line in text.lines().filter(|line| line.trim_start().starts_with("use crate::")) {
            let module = line.trim_start().trim_start_matches("use crate::").split([':', ';', '{']).next();
            if let Some(theirs) = module.filter(|module| *module != own).and_then(level) {
                let audit_names_clients = own == "audit" && line.contains("crate::access::Client");
                assert!(theirs > own_level || audit_names_clients, "{}: {line}", inside.display());
            }
        }
    }
}

#[test]
fn files_are_short_and_hold_no_raw_sql_nor_work_left_undone() {
    for (path, text) in all() {
        let name = path.display();
        assert!(text.lines().count() <= 600, "{name} is too long");
        for forbidden in
            ["TODO", "FIXME", "from_string(", "execute_unprepared", "query_one_raw", "query_all_raw"]
        {
            assert!(!text.contains(forbidden), "{name} holds {forbidden}");
        }
    }
}
