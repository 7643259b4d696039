//! docs/asvs.md and docs/threats.md hold what they promise: every requirement stands there once, and every test that
//! they name exists and is run. `scripts/named_tests_ran.py` asks afterwards whether it ran.

use crate::tidy::{Source, assert_tidy, collected, root, sources};
use std::collections::BTreeMap;

/// What the contract of the API excludes, and the setting that mends it. Nothing else may be called an exception.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("3.3.1", "`PORTCULLIS_ACCOUNTS__COOKIE_MODE=false`"),
    ("6.2.5", "`PORTCULLIS_PASSWORD__POLICY=nist`"),
    ("6.3.8", "`PORTCULLIS_ACCOUNTS__REGISTRATION=invite`"),
];
const VERDICTS: [&str; 3] = ["met", "not applicable", "not met"];
/// Fewer characters than these are no reason for what is not met.
const SHORTEST_REASON: usize = 20;
const SHORTEST_TEXT: usize = 5;

#[test]
fn the_page_of_asvs_judges_every_requirement_once() {
    let listed: Vec<(String, String)> = rows(&page("asvs.md"), 5)
        .into_iter()
        .filter(|row| row[0].starts_with("v5.0.0-"))
        .map(|row| (row[0].trim_start_matches("v5.0.0-").to_owned(), row[1].clone()))
        .collect();
    let required = include_str!("fixtures/asvs.tsv");
    let required: Vec<(String, String)> = required
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(id, level)| (id.to_owned(), level.to_owned()))
        .collect();
    assert_eq!(required.len(), 273, "of levels 1 and 2, and of level 3 in four chapters");
    assert_eq!(listed, required);
}

#[test]
fn every_verdict_of_asvs_has_its_evidence_or_its_reason() {
    let rows = requirements();
    assert_tidy(rows.iter().filter_map(|row| verdict_problem(row)));
    for (id, _) in EXCEPTIONS {
        let row = rows.iter().find(|row| row[0] == format!("v5.0.0-{id}"));
        assert_eq!(row.map(|row| row[2].as_str()), Some("not met"), "an exception is not met: {id}");
    }
}

#[test]
fn the_exceptions_of_asvs_are_those_of_the_contract() {
    let page = page("asvs.md");
    let written: Vec<(String, String)> = rows(&page, 3)
        .into_iter()
        .filter(|row| row[0].starts_with("v5.0.0-"))
        .map(|row| (row[0].trim_start_matches("v5.0.0-").to_owned(), row[2].clone()))
        .collect();
    let fixed: Vec<_> =
        EXCEPTIONS.iter().map(|(id, setting)| ((*id).to_owned(), (*setting).to_owned())).collect();
    assert_eq!(written, fixed);
}

#[test]
fn the_totals_of_asvs_are_counted_right() {
    let mut counts = BTreeMap::<String, [usize; 3]>::new();
    for row in requirements() {
        let index = VERDICTS.iter().position(|verdict| *verdict == row[2]).expect("a verdict");
        counts.entry(row[1].clone()).or_default()[index] += 1;
    }
    let counted: Vec<Vec<String>> = counts
        .into_iter()
        .map(|(level, of)| [vec![level], of.iter().map(usize::to_string).collect()].concat())
        .collect();
    let written: Vec<Vec<String>> =
        rows(&page("asvs.md"), 4).into_iter().filter(|row| row[0].len() == 1).collect();
    assert_eq!(written, counted);
}

#[test]
fn the_pages_of_asvs_and_threats_name_tests_that_are_run() {
    let asvs = requirements().into_iter().map(|row| row[4].clone());
    let threats = threats().into_iter().map(|row| row[3].clone());
    let tests = Tests::read();
    let names: Vec<String> = asvs.chain(threats).flat_map(|cell| quoted(&cell)).collect();
    assert!(names.len() > 200, "only {} tests are named", names.len());
    assert_tidy(names.iter().filter_map(|name| tests.problem(name)));
}

#[test]
fn every_threat_has_an_answer_in_a_file_and_a_test() {
    let all = threats();
    assert!(all.len() > 30, "only {} threats", all.len());
    assert_tidy(all.iter().flat_map(|row| {
        let files = quoted(&row[2]);
        let lacks = (files.is_empty() || quoted(&row[3]).is_empty())
            .then(|| format!("{}: lacks a file or a test", row[0]));
        let missing = files.into_iter().filter(|file| !root().join(file).exists());
        lacks.into_iter().chain(missing.map(|file| format!("{}: no file {file}", row[0]))).collect::<Vec<_>>()
    }));
}

#[test]
fn the_rules_of_these_pages_catch_what_they_are_for() {
    let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
    let why = "because of something long enough";
    assert_eq!(verdict_problem(&row(["v", "1", "met", why, "`a::b`"])), None);
    assert_eq!(verdict_problem(&row(["v", "1", "met", why, "[keys](keys.md)"])), None);
    assert!(verdict_problem(&row(["v", "1", "met", why, "[keys](nowhere.md)"])).is_some());
    assert!(verdict_problem(&row(["v", "1", "met", why, "—"])).is_some());
    assert!(verdict_problem(&row(["v", "1", "not met", "not yet", "`a::b`"])).is_some());
    assert!(verdict_problem(&row(["v", "1", "perhaps", why, "`a::b`"])).is_some());

    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let rust =
        "#[test]\nfn runs() {\n\n#[tokio::test]\n#[ignore = \"slow\"]\nasync fn waits() {\n\nfn helps() {";
    let many = "on_each_database! {\n    async fn is_run_twice(app: TestApp) {";
    let tests = Tests {
        rust: vec![
            source("tests/a/b.rs", rust),
            source("crates/security/src/c/mod.rs", rust),
            source("tests/d.rs", many),
        ],
        typescript: vec![source("web/e2e/x.spec.ts", "test('it\\'s here', async\ntest.skip('not here', ")],
    };
    let problem = |name: &str| tests.problem(name).is_some();
    assert!(!problem("a::b::runs") && !problem("security::c::runs") && !problem("d::is_run_twice"));
    assert!(problem("a::runs") && problem("c::runs") && problem("a::b::waits") && problem("a::b::helps"));
    assert!(
        !problem("x.spec.ts: it's here") && problem("x.spec.ts: not here") && problem("y.spec.ts: it's here")
    );
}

/// The sources in which tests stand.
struct Tests {
    rust: Vec<Source>,
    typescript: Vec<Source>,
}

impl Tests {
    fn read() -> Self {
        let folders = ["web/e2e", "web/src", "clients/typescript/tests"];
        let mut typescript = collected(&folders, "ts");
        typescript.extend(collected(&["web/src"], "tsx"));
        Self { rust: sources(&["src", "crates", "tests"]), typescript }
    }

    /// `module::name` is a test of Rust, `file.ts: title` one of the pages or the client.
    fn problem(&self, name: &str) -> Option<String> {
        let is_run = match name.split_once(": ") {
            Some((file, title)) => self.typescript.iter().any(|source| {
                source.path.ends_with(&format!("/{file}")) && has_typescript_test(&source.text, title)
            }),
            None => name.rsplit_once("::").is_some_and(|(module, name)| {
                self.rust
                    .iter()
                    .any(|source| module_of(&source.path) == module && has_rust_test(&source.text, name))
            }),
        };
        (!is_run).then(|| format!("no test that is run is named `{name}`"))
    }
}

/// `tests/chat/closing.rs` is `chat::closing`, `crates/security/src/token/jwt.rs` is `security::token::jwt`.
fn module_of(path: &str) -> String {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let path = path.strip_prefix("src/").or(path.strip_prefix("tests/")).unwrap_or(path);
    path.replace("crates/security/src/", "security/").replace('/', "::")
}

fn has_rust_test(text: &str, name: &str) -> bool {
    let Some((before, after)) = text.split_once(&format!("fn {name}(")) else { return false };
    let attributes: Vec<&str> = before
        .lines()
        .rev()
        .skip(usize::from(!before.ends_with('\n')))
        .take_while(|line| line.trim_start().starts_with("#["))
        .collect();
    let is_ignored = attributes.iter().any(|line| line.contains("ignore"));
    let is_marked = attributes.iter().any(|line| line.contains("test]") || line.contains("test("));
    let is_on_each_database = before.contains("on_each_database! {") && after.starts_with("app: TestApp)");
    !is_ignored && (is_marked || is_on_each_database)
}

fn has_typescript_test(text: &str, title: &str) -> bool {
    let escaped = title.replace('\'', "\\'");
    [format!("test('{title}'"), format!("test(\"{title}\""), format!("test('{escaped}'")]
        .iter()
        .any(|call| text.contains(call))
}

fn verdict_problem(row: &[String]) -> Option<String> {
    let [id, _, verdict, what, evidence] = row else { return Some("a row without five cells".to_owned()) };
    let least = if verdict == "not met" { SHORTEST_REASON } else { SHORTEST_TEXT };
    let problem = if !VERDICTS.contains(&verdict.as_str()) {
        "no verdict"
    } else if what.chars().count() < least {
        "says nothing"
    } else if verdict == "met" && quoted(evidence).is_empty() && linked(evidence).is_empty() {
        "met without a test or a page"
    } else if linked(evidence).iter().any(|path| !root().join("docs").join(path).exists()) {
        "names a page that does not exist"
    } else {
        return None;
    };
    Some(format!("{id}: {problem}"))
}

fn requirements() -> Vec<Vec<String>> {
    let rows = rows(&page("asvs.md"), 5);
    rows.into_iter().filter(|row| row[0].starts_with("v5.0.0-")).collect()
}

/// The rows of the table of threats: threat, answer, files, tests.
fn threats() -> Vec<Vec<String>> {
    rows(&page("threats.md"), 4).into_iter().filter(|row| row[0] != "Threat").collect()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).expect("a page")
}

/// The rows of the tables that have so many columns, but for the lines below their heads.
fn rows(page: &str, columns: usize) -> Vec<Vec<String>> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cells| cells.len() == columns)
        .collect()
}

/// Text between backticks is every second part.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The targets of the links to files.
fn linked(cell: &str) -> Vec<String> {
    let targets = cell.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.split('#').next().unwrap_or_default().to_owned()).collect()
}
