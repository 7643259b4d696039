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
    let verbs: [&[&str]; 9] = [
        &["backup"],
        &["restore"],
        &["keys"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["keys", "revoke"],
        &["hash", "calibrate"],
        &["invite", "create"],
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
    assert!(fail(folder.path(), &["keys", "revoke", "nonsense"]).contains("keys list"));
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
