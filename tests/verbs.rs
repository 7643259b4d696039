//! The command line: what it prints, what it exits with.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs a verb in a folder of its own, without settings from elsewhere.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.output().expect("the program")
}

#[track_caller]
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// What a verb says that fails: one line.
#[track_caller]
fn fail(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn users(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let text = r#"{"users": [{"username": "ada", "email": "ada@example.com", "password_hash": "!"}]}"#;
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn every_verb_explains_itself() {
    let folder = folder();
    let verbs: [&[&str]; 13] = [
        &["books", "import"],
        &["demo"],
        &["backup"],
        &["restore"],
        &["keys"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["keys", "revoke"],
        &["hash", "calibrate"],
        &["invite", "create"],
        &["users"],
        &["users", "ban"],
        &["config", "explain"],
    ];
    for verb in verbs {
        let help = succeed(folder.path(), &[verb, &["--help"]].concat());
        assert!(help.contains("Usage: portcullis"), "{help}");
    }
    let help = succeed(folder.path(), &["restore", "--help"]);
    assert!(help.contains("SECRET_KEY") && help.contains("one transaction"), "{help}");
}

#[test]
fn a_backup_of_development_brings_its_secret_to_another_machine() {
    let (here, there) = (folder(), folder());
    users(here.path(), "users.json");
    succeed(here.path(), &["load", "users.json"]);
    let keys = succeed(here.path(), &["keys", "list"]);
    let files = here.path().join("portcullis-data/files/ab");
    std::fs::create_dir_all(&files).expect("a folder");
    std::fs::write(files.join("cd.png"), b"\x89PNG").expect("a file");
    let target = there.path().join("backups/");
    let target = target.to_str().expect("text");
    let said = succeed(here.path(), &["backup", target]);
    assert!(said.contains("2 files") && said.contains("It holds the development secret"), "{said}");
    let backup =
        std::fs::read_dir(target).expect("a folder").next().expect("a backup").expect("an entry").path();
    let name = backup.file_name().and_then(|name| name.to_str()).expect("text");
    assert!(name.starts_with("portcullis-20") && name.ends_with("Z.backup"), "{name}");
    assert_eq!(std::fs::metadata(&backup).expect("a file").permissions().mode() & 0o777, 0o600);
    let backup = backup.to_str().expect("text");

    succeed(there.path(), &["restore", backup]);
    assert_eq!(succeed(there.path(), &["keys", "list"]), keys);
    assert_eq!(
        std::fs::read(there.path().join("portcullis-data/files/ab/cd.png")).expect("a file"),
        b"\x89PNG"
    );
    let refused = fail(there.path(), &["restore", backup]);
    assert!(refused.contains("--replace"), "{refused}");
    succeed(there.path(), &["restore", backup, "--replace"]);
    let exists = fail(there.path(), &["backup", backup]);
    assert!(exists.contains("choose another name"), "{exists}");

    let other = ["--set", "SECRET_KEY=0123456789abcdef0123456789abcdef0123"];
    let refused = fail(there.path(), &[&["restore", backup, "--replace"], &other[..]].concat());
    assert!(refused.contains("another SECRET_KEY"), "{refused}");
    succeed(there.path(), &[&["restore", backup, "--replace", "--other-secret"], &other[..]].concat());
    let keys = succeed(there.path(), &[&["keys", "list"], &other[..]].concat());
    assert!(keys.contains("signs") && !keys.contains("unusable"), "{keys}");
}

#[test]
fn what_is_no_backup_is_refused_in_one_sentence() {
    let folder = folder();
    std::fs::write(folder.path().join("x"), "hello").expect("a file");
    assert!(fail(folder.path(), &["restore", "x"]).contains("no backup"));
    assert!(fail(folder.path(), &["restore", "nowhere"]).contains("cannot read nowhere"));
    assert!(!folder.path().join("portcullis-data/portcullis.sqlite3").exists());
}

#[test]
fn keys_rotate_from_the_command_line() {
    let folder = folder();
    let list = || succeed(folder.path(), &["keys", "list"]);
    let kid_of = |list: &str, state: &str| {
        let line = list.lines().find(|line| line.ends_with(state)).expect("such a key");
        line.split_whitespace().next().expect("a kid").to_owned()
    };
    let old = kid_of(&list(), "signs");
    assert!(fail(folder.path(), &["keys", "revoke", &old]).contains("keys rotate"));
    for unknown in ["nonsense", "-hyphens-may-begin-one"] {
        assert!(fail(folder.path(), &["keys", "revoke", unknown]).contains("keys list"));
    }
    succeed(folder.path(), &["keys", "rotate"]);
    assert!(!kid_of(&list(), "will sign").is_empty());
    succeed(folder.path(), &["keys", "revoke", &old]);
    let after = list();
    assert!(after.contains("revoked at") && after.contains("signs"), "{after}");
    assert!(succeed(folder.path(), &["keys", "revoke", &old]).contains("was revoked before"));
}

#[test]
fn calibrating_advises_nothing_below_owasps_floor() {
    let folder = folder();
    let said = succeed(folder.path(), &["hash", "calibrate", "--target-ms", "1"]);
    assert!(said.contains("take its floor"), "{said}");
    for setting in ["MEMORY_KIB=19456", "ITERATIONS=2", "PARALLELISM=1"] {
        assert!(said.contains(&format!("PORTCULLIS_PASSWORD__{setting}\n")), "{said}");
    }
    for known in [["19456", "2", "1"], ["47104", "1", "1"], ["102400", "2", "8"]] {
        let is_it = |line: &&str| line.split_whitespace().take(3).eq(known);
        assert!(said.lines().any(|line| is_it(&line)), "{said}");
    }
    assert!(!folder.path().join("portcullis-data").exists(), "nothing is written");
}

#[test]
fn an_invitation_is_printed_as_a_link() {
    let folder = folder();
    let link = succeed(folder.path(), &["invite", "create", "--email", "ada@example.com", "--expires", "2d"]);
    assert!(link.starts_with("http://127.0.0.1:8000/sign-up?invite="), "{link}");
    let mailed = succeed(folder.path(), &["invite", "create", "--email", "ada@example.com", "--mail"]);
    assert!(mailed.contains("ada@example.com") && !mailed.contains("invite="), "{mailed}");
    for wrong in [&["--expires", "soon"][..], &["--email", "nonsense"], &["--mail"]] {
        assert!(!run(folder.path(), &[&["invite", "create"], wrong].concat()).status.success(), "{wrong:?}");
    }
}

#[test]
fn books_are_imported_once_and_bad_rows_are_told_with_their_line() {
    let folder = folder();
    let csv = "title,author,isbn,year\nDune,Frank Herbert,0306406152,1965\n\"Two\nlines\",Ann,,\n,Nobody,,\n\
               Again,Ann,9780306406157,\nBad,Ann,123,\nTwo lines,Ann,,\n";
    std::fs::write(folder.path().join("books.csv"), csv).expect("a file");
    let output = run(folder.path(), &["books", "import", "books.csv"]);
    let (said, problems) =
        (String::from_utf8(output.stdout).expect("text"), String::from_utf8(output.stderr).expect("text"));
    assert!(!output.status.success(), "bad rows are a failure");
    assert!(
        said.contains("2 books were imported, 2 were there, 2 rows are no books"),
        "a break is a space: {said}"
    );
    assert!(problems.contains("line 5: title:") && problems.contains("line 7: isbn:"), "{problems}");
    let again = run(folder.path(), &["books", "import", "books.csv"]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("0 books were imported, 4 were there"));
    assert!(!folder.path().join("books.csv.import").exists());
    fail(folder.path(), &["books", "import", "nothing.csv"]);
    std::fs::write(folder.path().join("no.csv"), "a,b\n1,2\n").expect("a file");
    assert!(fail(folder.path(), &["books", "import", "no.csv"]).contains("title and author"));
}

#[test]
fn an_import_goes_on_where_it_was_stopped() {
    let folder = folder();
    let author = "/type/author\t/authors/OL1A\t1\t2010\t{\"key\": \"/authors/OL1A\", \"name\": \"Ann\"}\n";
    let edition = |title: &str| {
        format!(
            "/type/edition\t/books/OL1M\t1\t2010\t{{\"title\": \"{title}\", \"authors\": [{{\"key\": \"/authors/OL1A\"}}]}}\n"
        )
    };
    let begin = author.to_owned() + &edition("One");
    std::fs::write(folder.path().join("dump.txt"), begin.clone() + &edition("Two")).expect("a file");
    std::fs::write(folder.path().join("dump.txt.import"), format!("{} 2\n", begin.len())).expect("a file");
    let said = succeed(folder.path(), &["books", "import", "dump.txt"]);
    assert!(said.contains("1 books were imported, 0 were there"), "{said}");
    let said = succeed(folder.path(), &["books", "import", "dump.txt"]);
    assert!(said.contains("1 books were imported, 1 were there"), "the place is forgotten: {said}");
}

#[test]
fn a_file_of_users_books_reviews_and_rooms_is_loaded() {
    let folder = folder();
    let file = r#"{"users": [{"username": "ada", "email": "ada@example.com", "password_hash": "!"},
        {"username": "a b", "email": "x@example.com", "password_hash": "!"},
        {"id": 1, "username": "one", "email": "one@example.com", "password_hash": "!"},
        {"id": 0, "username": "nil", "email": "nil@example.com", "password_hash": "!"},
        {"date_joined": "in May", "username": "may", "email": "may@example.com", "password_hash": "!"}],
        "books": [{"title": "Dune", "author": "Ann"}, {"title": ""}],
        "reviews": [{"user": 0, "book": 0, "title": "Fine", "review_text": "<p>x<script>", "rating": 5},
        {"user": 0, "book": 0, "title": "Twice", "review_text": "x", "rating": 5},
        {"user": 1, "book": 0, "title": "Nobody's", "review_text": "x", "rating": 5},
        {"user": 0, "book": 1, "title": "Of nothing", "review_text": "x", "rating": 5}, 7],
        "rooms": [{"name": "Cellar", "is_public": false, "members": [0, 0]}, {"name": "Nobody's", "members": []},
        {"name": "Unknown", "members": [0, 1]}, {"name": "", "members": [0]}, {"name": "No list"}]}"#;
    std::fs::write(folder.path().join("all.json"), file).expect("a file");
    let output = run(folder.path(), &["load", "all.json"]);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(
        said.contains("1 users, 1 books, 1 reviews and 1 rooms were loaded, 13 rows were not."),
        "{said}"
    );
    let problems = String::from_utf8(output.stderr).expect("text");
    for place in [
        "users[1]",
        "users[2]: id:",
        "users[3]: id:",
        "users[4]: date_joined:",
        "books[1]",
        "reviews[1]: book:",
        "reviews[2]: user:",
        "reviews[3]: book:",
        "reviews[4]",
        "rooms[1]: members:",
        "rooms[2]: members:",
        "rooms[3]: name:",
        "rooms[4]: members:",
    ] {
        assert!(problems.contains(place), "{place}: {problems}");
    }
}

#[test]
fn a_demo_is_made_once_and_never_in_production() {
    let folder = folder();
    let said = succeed(folder.path(), &["demo"]);
    assert!(said.contains("is made") && said.contains("password is"), "{said}");
    assert!(succeed(folder.path(), &["demo"]).contains("is there already"));
    let production = [
        "--set",
        "PROFILE=production",
        "--set",
        "SECRET_KEY=aaaabbbbccccddddeeeeffffgggghhhh1234",
        "--set",
        "SERVER__PUBLIC_URL=https://a.example",
        "--set",
        "SERVER__TRUSTED_PROXIES=127.0.0.1/32",
        "demo",
    ];
    let refused = run(folder.path(), &production);
    assert!(!refused.status.success(), "{}", String::from_utf8_lossy(&refused.stdout));
}
