//! `portcullis check --deploy` as a program: exit codes, formats, and an end in time.

use super::{folder, production};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The program in a folder of its own, with these settings and no others.
fn command(folder: &Path, environment: Vec<(String, String)>, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.current_dir(folder).args(arguments).env_clear().envs(environment);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn run(folder: &Path, environment: Vec<(String, String)>, arguments: &[&str]) -> Output {
    command(folder, environment, arguments).output().expect("the program")
}

#[test]
fn the_exit_code_tells_errors_and_no_output_holds_a_secret() {
    let folder = folder();
    let good = || production(folder.path(), &[]);
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let output = run(folder.path(), good(), &["check", "--deploy"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains(" 0 errors, ") || said(&output).contains("\n0 errors, "));

    let bad = production(
        folder.path(),
        &[
            ("SECRET_KEY", "hunter2-hunter2"),
            ("MAIL__URL", "ftp://a:hunter2@b"),
            ("ACCOUNTS__LINKS_URL", "https://u:hunter2@h"),
            ("CORS__ALLOWED_ORIGINS", "http://a.example,http://u:hunter2@b.example"),
            ("STORAGE__DATA_DIR", "\u{1b}[2J\nok      deploy.secret_key: fine"),
        ],
    );
    for format in ["text", "json", "sarif"] {
        let output = run(folder.path(), bad.clone(), &["check", "--deploy", "--format", format]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("deploy.secret_key") && !said(&output).contains("hunter2"));
        assert!(!said(&output).contains('\u{1b}') && !said(&output).contains("\nok      deploy.secret_key"));
    }
    let output = run(folder.path(), good(), &["check", "--deploy", "--output", "/nowhere/report"]);
    assert_eq!(output.status.code(), Some(2));
    let mut full = command(folder.path(), good(), &["check", "--deploy"]);
    full.stdout(std::fs::File::create("/dev/full").expect("a device"));
    assert_eq!(full.status().expect("the program").code(), Some(2));
    assert!(said(&run(folder.path(), good(), &["check"])).contains("--deploy"));
}

#[test]
fn json_holds_every_item_and_sarif_what_is_wrong() {
    let folder = folder();
    let written = |format: &str| {
        let path = folder.path().join(format);
        let name = path.display().to_string();
        let arguments = ["check", "--deploy", "--format", format, "--output", &name];
        let output = run(folder.path(), production(folder.path(), &[]), &arguments);
        assert_eq!(output.status.code(), Some(0));
        let text = std::fs::read_to_string(&path).expect("a report");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    let (json, sarif) = (written("json"), written("sarif"));
    let items = json["items"].as_array().expect("items");
    assert!(items.len() > 40 && json["summary"]["errors"] == 0, "{json}");
    let run = &sarif["runs"][0];
    assert_eq!(sarif["version"], "2.1.0");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), items.len());
    let results = run["results"].as_array().expect("results");
    // A code host makes an alert of each.
    assert_eq!(Some(results.len() as u64), json["summary"]["warnings"].as_u64());
    for result in results {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
    }
}

#[test]
fn it_ends_within_two_seconds_whatever_hangs() {
    let folder = folder();
    let pipe = folder.path().join("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let (mail, tls, clamav) =
        (format!("smtp://{address}"), format!("smtps://{address}"), address.to_string());
    let database = format!("mysql://app:Zp4Wn6Tb1Vc5Md7R@{address}/x");
    let cases: [(&[(&str, &str)], i32); 5] = [
        (&[("SECRET_KEY", ""), ("SECRET_KEY_FILE", &pipe)], 2),
        (&[("CONFIG", &pipe)], 2),
        (&[("SERVER__TLS_CERT", &pipe), ("SERVER__TLS_KEY", &pipe)], 2),
        (&[("MAIL__URL", &mail)], 0),
        (&[("MAIL__URL", &tls), ("STORAGE__DATABASE_URL", &database), ("UPLOADS__CLAMAV", &clamav)], 1),
    ];
    for (changed, code) in cases {
        let took = || {
            let started = Instant::now();
            let output = run(folder.path(), production(folder.path(), changed), &["check", "--deploy"]);
            assert_eq!(output.status.code(), Some(code), "{changed:?}");
            started.elapsed()
        };
        // A busy machine takes its time to start a program.
        assert!((0..5).any(|_| took() < Duration::from_secs(2)), "{changed:?}");
    }
}

#[test]
fn no_secret_is_committed_or_read_by_others_or_on_the_command_line() {
    let folder = folder();
    let git = |arguments: &[&str]| {
        let git = Command::new("git").current_dir(folder.path()).args(arguments).output().expect("git");
        assert!(git.status.success(), "{git:?}");
    };
    let level = |id: &str| {
        let output =
            run(folder.path(), production(folder.path(), &[]), &["check", "--deploy", "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let items = report["items"].as_array().expect("items");
        items.iter().find(|item| item["id"] == id).expect("an item")["level"]
            .as_str()
            .expect("a level")
            .to_owned()
    };
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let flagged = ["--set", "METRICS__TOKEN=Zp4Wn6Tb1Vc5Md7Rk3J9x2Lq", "check", "--deploy"];
    let output = run(folder.path(), production(folder.path(), &[]), &flagged);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("WARNING deploy.secret_files: METRICS__TOKEN stands on the command line"),
        "{said}"
    );
    git(&["init", "-q"]);
    write("portcullis.toml", "[site]\nname = \"Example\"\n", 0o644);
    write(".env", "PORTCULLIS_MAIL__URL=smtp://127.0.0.1:9\n", 0o644);
    git(&["add", "portcullis.toml"]);
    assert_eq!([level("deploy.dotenv_in_git"), level("deploy.secret_files")], ["ok", "ok"]);
    // The environment sets another, and still this one is there to be read.
    write("portcullis.toml", "secret_key = \"x\"\n", 0o600);
    assert_eq!([level("deploy.dotenv_in_git"), level("deploy.secret_files")], ["error", "ok"]);
    git(&["rm", "-q", "--cached", "-f", "portcullis.toml"]);
    write(".env", "SECRET_KEY=x\n", 0o644);
    assert_eq!([level("deploy.dotenv_in_git"), level("deploy.secret_files")], ["ok", "error"]);
}

#[test]
fn advice_does_what_it_says_when_it_is_typed() {
    let folder = folder();
    let program =
        Path::new(env!("CARGO_BIN_EXE_portcullis")).parent().expect("a folder").display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
    let unset = |names: &[&str]| {
        let mut environment = production(folder.path(), &[("WEBHOOKS__URL", "https://ops.example.org/x")]);
        environment.retain(|(name, _)| !names.iter().any(|unset| name == &format!("PORTCULLIS_{unset}")));
        environment
    };
    let judged = || {
        let output = run(folder.path(), unset(&["SECRET_KEY"]), &["check", "--deploy", "--format", "json"]);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")["items"].clone()
    };
    let item = |id: &str| {
        judged().as_array().expect("items").iter().find(|item| item["id"] == id).expect("an item").clone()
    };
    for id in ["deploy.secret_key", "deploy.webhooks"] {
        let before = item(id);
        let advice = before["mend"].as_str().expect("advice").split(", and unset").next().expect("a command");
        let typed =
            Command::new("sh").current_dir(folder.path()).env("PATH", &path).args(["-c", advice]).status();
        assert!(typed.expect("a shell").success());
        assert_eq!((&before["level"], &item(id)["level"]), (&"error".into(), &"ok".into()), "{advice}");
    }
    assert_eq!(item("deploy.secret_files")["level"], "ok");
}
