//! Keys: whether they were made, and who can read them (guide §16).

use super::judge::{Rule, Scene, Verdict, error, note, ok, warning};
use super::report::Item;
use crate::config::secret_strength::weakness;
use crate::config::settings::Source;
use crate::config::spec;
use portcullis_security::secret::Secret;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

const SECRET_KEY: Rule = Rule::new("deploy.secret_key", &["v5.0.0-13.3.1", "v5.0.0-11.2.3"], "§16.2")
    .of(&["SECRET_KEY", "SECRET_KEY_FALLBACK"]);
const SIGNING_KEY: Rule =
    Rule::new("deploy.signing_key", &["v5.0.0-13.3.1", "v5.0.0-9.1.3"], "§16.2").of(&["TOKENS__SIGNING_KEY"]);
const SECRET_FILES: Rule = Rule::new("deploy.secret_files", &["v5.0.0-13.3.2"], "§16.1");
const IN_GIT: Rule = Rule::new("deploy.dotenv_in_git", &["v5.0.0-13.3.1"], "§16.1");
const MAKE: &str = "SECRET_KEY=\"$(portcullis secret)\"";
const BY_OTHERS: u32 = 0o077;

pub(super) fn judge(scene: &Scene) -> Vec<Item> {
    vec![
        SECRET_KEY.judged(secret_key(scene)),
        SIGNING_KEY.judged(signing_key(scene)),
        SECRET_FILES.judged(secret_files(scene)),
        IN_GIT.judged(in_git()),
    ]
}

fn secret_key(scene: &Scene) -> Verdict {
    let Some(key) = &scene.config.secret_key else {
        return error("SECRET_KEY is not set.", MAKE);
    };
    match weakness(key.expose()) {
        Some(weakness) => error(format!("SECRET_KEY is {weakness}."), MAKE),
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
            "PORTCULLIS_TOKENS__SIGNING_KEY=\"$(portcullis secret)\"",
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
    let holds_secret = |source: &Source| {
        let of_source =
            |spec: &&spec::Spec| scene.settings.entry(spec.name).is_some_and(|e| &e.source == source);
        spec::all().filter(|spec| spec.is_secret()).any(|spec| of_source(&spec))
    };
    let has_dotenv = holds_secret(&Source::Dotenv);
    let layers = scene.settings_files.iter().filter(|path| {
        let name = path.display().to_string();
        (name.ends_with(".env") && has_dotenv) || holds_secret(&Source::Toml(name))
    });
    let key = scene.config.server.tls_key.clone();
    let mut open = Vec::new();
    let mut count = 0;
    for path in named.chain(layers.cloned()).chain(key) {
        count += 1;
        if mode_of(&path).is_some_and(|mode| mode & BY_OTHERS != 0) {
            open.push(path);
        }
    }
    match open.as_slice() {
        [] if count == 0 => ok("No file holds a secret of the settings."),
        [] => ok(format!("{count} files hold secrets, and only their owner can read them.")),
        open => {
            let names: Vec<String> = open.iter().map(|path| path.display().to_string()).collect();
            let names = names.join(" ");
            error(
                format!("Others on this machine can read secrets in {names}."),
                format!("chmod 600 {names}"),
            )
        }
    }
}

pub(super) fn mode_of(path: &Path) -> Option<u32> {
    Some(std::fs::metadata(path).ok()?.mode() & 0o777)
}

/// Git is asked, since only it knows its index.
fn in_git() -> Verdict {
    if !Path::new(".env").exists() {
        return ok("There is no .env in the working directory.");
    }
    let mut git = Command::new("git");
    let output = git.args(["ls-files", "--error-unmatch", "--", ".env"]).output();
    match output {
        Ok(output) if output.status.success() => error(
            ".env is committed to git: whoever has the repository has its secrets.",
            "git rm --cached .env && echo .env >> .gitignore, then make new secrets.",
        ),
        Ok(output) if output.status.code() == Some(1) => ok(".env is not in git."),
        // Not a repository, or one that git does not open for this user.
        Ok(_) if !Path::new(".git").exists() => ok(".env is not in a repository."),
        _ => note("There is a .env, and git does not say whether it is committed."),
    }
}
