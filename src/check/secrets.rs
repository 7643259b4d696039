//! Keys: whether they were made, and who can read them (guide §16).

use super::exposure::{self, quoted};
use super::judge::{Rule, Scene, Verdict, error, note, ok, put, warning};
use super::report::Item;
use crate::config::secret_strength::weakness;
use crate::config::spec;
use portcullis_security::secret::Secret;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::path::{Path, PathBuf};
use std::process::Command;

const SECRET_KEY: Rule = Rule::new("deploy.secret_key", &["v5.0.0-13.3.1", "v5.0.0-11.2.3"], "§16.2")
    .of(&["SECRET_KEY", "SECRET_KEY_FALLBACK"]);
const SIGNING_KEY: Rule =
    Rule::new("deploy.signing_key", &["v5.0.0-13.3.1", "v5.0.0-9.1.3"], "§16.2").of(&["TOKENS__SIGNING_KEY"]);
const SECRET_FILES: Rule = Rule::new("deploy.secret_files", &["v5.0.0-13.3.2"], "§16.1");
const IN_GIT: Rule = Rule::new("deploy.dotenv_in_git", &["v5.0.0-13.3.1"], "§16.1");
const MAKE: &str = "$(portcullis secret)";

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![
        SECRET_KEY.judged(secret_key(scene)),
        SIGNING_KEY.judged(signing_key(scene)),
        SECRET_FILES.judged(secret_files(scene)),
        IN_GIT.judged(in_git(scene)),
    ]
}

fn secret_key(scene: &Scene) -> Verdict {
    let Some(key) = &scene.config.secret_key else {
        return error("SECRET_KEY is not set.", put("SECRET_KEY", MAKE));
    };
    match weakness(key.expose()) {
        Some(weakness) => error(format!("SECRET_KEY is {weakness}."), put("SECRET_KEY", MAKE)),
        None if scene.config.secret_key_fallback.is_some() => warning(
            "SECRET_KEY is being changed: what its fallback signed still counts.",
            "remove SECRET_KEY_FALLBACK a day after the change (docs/keys.md).",
        ),
        None => ok(format!("SECRET_KEY has {} bytes and is no placeholder.", key.expose().len())),
    }
}

fn signing_key(scene: &Scene) -> Verdict {
    let Some(key) = &scene.config.tokens.signing_key else {
        return ok("Tokens are signed by keys that the server made itself.");
    };
    if let Some(weakness) = weakness(key.expose()) {
        return error(
            format!("TOKENS__SIGNING_KEY is {weakness}."),
            put("PORTCULLIS_TOKENS__SIGNING_KEY", MAKE),
        );
    }
    if scene.config.secret_key.as_ref().is_some_and(|secret: &Secret| secret == key) {
        return warning(
            "TOKENS__SIGNING_KEY is SECRET_KEY again: whoever learns one has both.",
            "give each its own, by `portcullis secret`.",
        );
    }
    note(
        "Tokens are signed with a key that Django may share; `portcullis keys rotate` ends that without a logout.",
    )
}

/// Every file that holds a secret is its owner's alone.
fn secret_files(scene: &Scene) -> Verdict {
    let named = spec::all().filter_map(|spec| scene.settings.entry(spec.name)?.file.clone());
    let server = &scene.config.server;
    let certificate = server.tls_cert.clone().filter(|path| PrivateKeyDer::from_pem_file(path).is_ok());
    let files: Vec<PathBuf> =
        named.chain(scene.secret_files.clone()).chain(certificate).chain(server.tls_key.clone()).collect();
    let found: Vec<_> = files.iter().filter_map(|path| exposure::of(path)).collect();
    let flags = scene.settings.secrets_in_flags();
    exposure::told(&found).unwrap_or_else(|| match files.len() {
        _ if !flags.is_empty() => warning(
            format!(
                "{} stands on the command line, which everybody on this machine can read.",
                flags.join(", ")
            ),
            "put it into .env, or its file's name into …_FILE, and make a new one.",
        ),
        0 => ok("No file holds a secret of the settings."),
        count => ok(format!("{count} files hold secrets, and none is open that could be closed.")),
    })
}

/// Whether `.env`, or a settings file with secrets, is committed.
fn in_git(scene: &Scene) -> Verdict {
    let dotenv = Path::new(".env");
    let mut files = scene.secret_files.clone();
    if dotenv.exists() && !files.iter().any(|path| path == dotenv) {
        files.push(dotenv.to_owned());
    }
    let tracked: Vec<(PathBuf, Tracked)> =
        files.into_iter().map(|path| (path.clone(), tracked(&path))).collect();
    let first = |state: Tracked| tracked.iter().find(|(_, found)| *found == state).map(|(path, _)| path);
    match (first(Tracked::Yes), first(Tracked::Unknown)) {
        (Some(path), _) => error(
            format!("{} is committed to git: whoever has the repository has its secrets.", path.display()),
            format!("git rm --cached {0} && echo {0} >> .gitignore, then make new secrets.", quoted(path)),
        ),
        (None, Some(path)) => {
            note(format!("There is {}, and git does not say whether it is committed.", path.display()))
        }
        (None, None) if tracked.is_empty() => ok("No file of settings holds a secret."),
        (None, None) => ok("No file of settings with a secret is in git."),
    }
}

#[derive(PartialEq, Eq)]
enum Tracked {
    Yes,
    No,
    Unknown,
}

/// Git is asked, since only it knows its index.
fn tracked(path: &Path) -> Tracked {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = path.file_name() else { return Tracked::Unknown };
    let mut git = Command::new("git");
    let output = git.current_dir(folder).args(["ls-files", "--error-unmatch", "--"]).arg(name).output();
    match output {
        Ok(output) if output.status.success() => Tracked::Yes,
        Ok(output) if output.status.code() == Some(1) => Tracked::No,
        // Not a repository, or one that git does not open for this user.
        Ok(_) if !folder.join(".git").exists() => Tracked::No,
        _ => Tracked::Unknown,
    }
}
