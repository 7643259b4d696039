//! The rules of ARCHITECTURE.md that no compiler knows, checked by reading the sources.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The modules of `src/`, highest first. A module may import from lower rows only.
const LAYERS: &[&[&str]] = &[
    &["main", "verbs"],
    &["app"],
    &["demo", "background"],
    &["admin", "check", "load", "backup", "calibrate"],
    &["accounts", "profiles", "books", "reviews", "chat", "search"],
    &["routes", "edge", "health", "serve", "web", "webhooks", "log", "api_docs"],
    &["state"],
    &["access", "uploads", "hub"],
    &["mail", "audit", "export", "extract"],
    &["model"],
    &["storage"],
    &["config", "error", "finish"],
];

/// Imports upwards that are allowed, each with its reason.
const UPWARD: &[(&str, &str)] = &[
    // An audit event names the client that caused it.
    ("audit", "access"),
];

const LONGEST_FILE: usize = 600;
/// A test that proves everything proves nothing.
const LINES_PER_TEST: usize = 3;

const RAW_SQL: &[&str] = &[
    "Statement::from_",
    "execute_unprepared",
    "execute_raw",
    "query_one_raw",
    "query_all_raw",
    "stream_raw",
    "from_raw_sql",
];
const BACKENDS: &[&str] = &["DatabaseBackend", "DbBackend"];
const PANICS: &[&str] = &[".unwrap()", ".expect("];
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

pub(super) struct Source {
    /// Relative to the root of the project.
    pub path: String,
    pub text: String,
}

#[test]
fn imports_point_downwards() {
    assert_tidy(sources(&["src"]).iter().flat_map(imports_upwards));
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let all = sources(&["src", "crates", "tests", "benches"]);
    assert_tidy(all.iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines", source.path))
    }));
}

#[test]
fn the_server_never_panics_by_unwrapping() {
    // Clippy watches the library, where an `expect` may stand with its reason.
    assert_tidy(sources(&["src"]).iter().flat_map(|source| words(source, PANICS)));
}

#[test]
fn nothing_is_left_to_do() {
    let all = sources(&["src", "crates"]);
    assert_tidy(all.iter().flat_map(|source| {
        let lines = numbered(&source.text).filter(|(_, line)| UNFINISHED.iter().any(|w| line.contains(w)));
        lines.map(|(number, line)| at(source, number, line)).collect::<Vec<_>>()
    }));
}

#[test]
fn all_sql_is_made_by_the_orm() {
    let all = sources(&["src"]);
    // The ORM's own statements pass through it.
    let others = all.iter().filter(|source| source.path != "src/storage/reader.rs");
    assert_tidy(others.flat_map(|source| words(source, RAW_SQL)));
}

#[test]
fn only_storage_and_the_schema_know_the_kinds_of_databases() {
    let all = sources(&["src"]);
    let others = all
        .iter()
        .filter(|source| !source.path.starts_with("src/storage/") && source.path != "src/model/schema.rs");
    assert_tidy(others.flat_map(|source| words(source, BACKENDS)));
}

#[test]
fn the_page_of_conformance_names_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/guide-conformance.md")).expect("the page");
    let all: String = sources(&["src", "crates", "tests"]).into_iter().map(|source| source.text).collect();
    let browser = collected(&["web/e2e", "web/src", "clients/typescript/tests"], "ts");
    let browser: String = browser.into_iter().map(|source| source.text).collect();
    let exists = |name: &str| all.contains(&format!("fn {name}(")) || is_typescript_test(&browser, name);
    assert_tidy(conformance_problems(&page, &exists).into_iter());
}

#[test]
fn the_rules_catch_what_they_are_for() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let imports = |path: &str, text: &str| imports_upwards(&source(path, text)).len();
    assert_eq!(imports("src/access/keys.rs", "use crate::state::App;"), 1);
    assert_eq!(imports("src/accounts/login.rs", "use crate::books::store;"), 1, "a sibling");
    assert_eq!(imports("src/accounts/login.rs", "use super::super::app::Running;"), 1);
    assert_eq!(imports("src/accounts/login.rs", "let x = crate::nowhere::x();"), 1, "in no layer");
    assert_eq!(imports("src/accounts/login.rs", "use crate::{error, app};"), 1, "hides its targets");
    let fine =
        "use super::store;\nuse crate::access::Door;\n// crate::app\n#[cfg(test)]\nmod tests {\ncrate::app";
    assert_eq!(imports("src/accounts/login.rs", fine), 0);
    let code = "a.unwrap();\n/// b.unwrap()\n#[cfg(test)]\nmod tests {\nc.unwrap();";
    assert_eq!(words(&source("src/x.rs", code), PANICS), ["src/x.rs:1: a.unwrap();"]);

    let page = "| guide | test |\n|---|---|\n| `x` one | `a::known` |\n| two | `unknown`, `often` |\n\
                | 3 | `often` |\n| 4 | `often` |\n| 5 | `often` |\n";
    assert!(is_typescript_test("test('signs in', async", "signs in"));
    assert!(is_typescript_test("test(\"it's there\", ", "it's there"));
    assert!(!is_typescript_test("test('signs in twice', ", "signs in"));
    let problems = conformance_problems(page, &|name| name != "unknown");
    assert_eq!(problems, ["no test is named `unknown`", "`often` is named on 4 lines"]);
}

fn imports_upwards(source: &Source) -> Vec<String> {
    let module = module_of(&source.path);
    let targets = code(&source.text).flat_map(|(number, line)| {
        let targets = targets(line, depth_of(&source.path));
        targets.into_iter().map(move |target| (number, line, target))
    });
    let wrong = targets.filter(|(_, _, target)| !may_import(&module, target));
    wrong.map(|(number, line, _)| at(source, number, line)).collect()
}

fn may_import(module: &str, target: &str) -> bool {
    let layer = |name: &str| LAYERS.iter().position(|row| row.contains(&name));
    match (layer(module), layer(target)) {
        // The table of contents imports nothing.
        _ if module == target => true,
        (Some(from), Some(to)) => to > from || UPWARD.contains(&(module, target)),
        _ => false,
    }
}

/// The modules of the root that a line names, as `crate::NAME` or by enough `super::`.
fn targets(line: &str, depth: usize) -> Vec<String> {
    let to_root = "super::".repeat(depth);
    let after = line.match_indices("crate::").map(|(index, found)| &line[index + found.len()..]);
    let above = line.match_indices(&to_root).map(|(index, found)| &line[index + found.len()..]);
    after
        .chain(above)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '{').collect())
        .filter(|name| name != "super")
        .collect()
}

/// `src/mail/worker.rs` and `src/mail/mod.rs` belong to `mail`, `src/app.rs` is `app`.
fn module_of(path: &str) -> String {
    let rest = path.strip_prefix("src/").unwrap_or(path);
    rest.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// How many modules a file is below the root.
fn depth_of(path: &str) -> usize {
    let names = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
    names.filter(|name| *name != "mod").count()
}

/// A test of the pages or of the client is called by a sentence.
fn is_typescript_test(text: &str, name: &str) -> bool {
    ["test", "it"]
        .iter()
        .any(|call| ['\'', '"'].iter().any(|quote| text.contains(&format!("{call}({quote}{name}{quote}"))))
}

fn conformance_problems(page: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let (mut column, mut uses, mut order) = (None, HashMap::<String, usize>::new(), Vec::new());
    for line in page.lines() {
        if !line.trim_start().starts_with('|') {
            column = None;
            continue;
        }
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let Some(index) = column else {
            column = cells.iter().position(|cell| cell.to_lowercase().contains("test"));
            continue;
        };
        // Text between backticks is every second part.
        for name in cells.get(index).unwrap_or(&"").split('`').skip(1).step_by(2) {
            let name = name.rsplit("::").next().unwrap_or(name).to_owned();
            *uses.entry(name.clone()).or_insert_with(|| {
                order.push(name);
                0
            }) += 1;
        }
    }
    let missing = order.iter().filter(|name| !exists(name)).map(|name| format!("no test is named `{name}`"));
    let frequent = order.iter().filter(|name| uses[*name] > LINES_PER_TEST);
    missing.chain(frequent.map(|name| format!("`{name}` is named on {} lines", uses[name]))).collect()
}

/// The lines of code that hold one of the words.
fn words(source: &Source, words: &[&str]) -> Vec<String> {
    let found = code(&source.text).filter(|(_, line)| words.iter().any(|word| line.contains(word)));
    found.map(|(number, line)| at(source, number, line)).collect()
}

/// The lines before the tests, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_module = |(index, _): &(usize, &str)| {
        let after = text[*index..].lines().nth(1).unwrap_or_default();
        after.contains("mod ") && after.ends_with('{')
    };
    let tests = text.match_indices("#[cfg(test)]\n").find(is_module).map_or(text.len(), |(index, _)| index);
    numbered(&text[..tests]).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn at(source: &Source, number: usize, line: &str) -> String {
    format!("{}:{number}: {}", source.path, line.trim())
}

#[track_caller]
pub(super) fn assert_tidy(problems: impl Iterator<Item = String>) {
    let problems: Vec<String> = problems.collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below these folders. `crates` means what is in its `src` folders.
pub(super) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut files = collected(folders, "rs");
    files.retain(|source| !source.path.starts_with("crates/") || source.path.contains("/src/"));
    files
}

/// Every file below these folders whose name ends like this.
pub(super) fn collected(folders: &[&str], extension: &str) -> Vec<Source> {
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(&root().join(folder), extension, &mut files));
    assert!(!files.is_empty(), "no sources in {folders:?}");
    files
        .into_iter()
        .map(|file| Source {
            path: file.strip_prefix(root()).expect("below the root").display().to_string(),
            text: std::fs::read_to_string(&file).expect("a source"),
        })
        .collect()
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}
