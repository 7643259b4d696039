//! Whether mail would leave (guide §5, §6).

use super::exposure;
use super::judge::{Rule, Scene, Verdict, error, ok, warning};
use super::report::Item;
use crate::config::secret_strength::guessable;
use crate::mail::{Mailer, Memory, Settings, Transport};
use tokio::time::{Instant, timeout_at};

const URL: Rule = Rule::new("deploy.mail", &["v5.0.0-6.4.3", "v5.0.0-12.3.1"], "§5, §6").of(&["MAIL__URL"]);
const FROM: Rule = Rule::new("deploy.mail_from", &[], "§5").of(&["MAIL__FROM", "MAIL__TEMPLATES"]);
const MEND: &str =
    "PORTCULLIS_MAIL__URL=smtps://USER:PASSWORD@HOST:465, then `portcullis mail test ADDRESS`.";

pub(super) async fn judge(scene: &Scene, deadline: Instant) -> Vec<Item> {
    vec![URL.judged(url(scene, deadline).await), FROM.judged(from(scene))]
}

/// Greets the server and says goodbye; nothing is sent.
async fn url(scene: &Scene, deadline: Instant) -> Verdict {
    let url = scene.config.mail.url.expose_text();
    if !url.starts_with("smtp") {
        return error("Mails go into files or memory: nobody gets a link to verify or to reset.", MEND);
    }
    let transport = match Transport::open(url, scene.config.server.public_url.host()) {
        Ok(transport) => transport,
        Err(problem) => return error(format!("{problem}."), MEND),
    };
    if let Some(weakness) = scene.config.mail.password().and_then(|password| guessable(password.expose())) {
        return error(
            format!("The password of the mail server is {weakness}."),
            "have another one made there.",
        );
    }
    match timeout_at(deadline, transport.probe()).await {
        Err(_) => warning("The mail server does not greet within 1.2 s.", MEND),
        Ok(Err(problem)) => warning(format!("Mails would wait: {problem}."), MEND),
        Ok(Ok(())) if transport.may_be_overheard() => warning(
            "The mail server answers, but links may go to it unencrypted.",
            "write smtps://, or leave out tls= in PORTCULLIS_MAIL__URL.",
        ),
        Ok(Ok(())) => ok("The mail server greets us and lets us in."),
    }
}

fn from(scene: &Scene) -> Verdict {
    let from = &scene.config.mail.from;
    let is_local = from.trim_end_matches('>').ends_with("@localhost");
    let mend = "PORTCULLIS_MAIL__FROM=\"Example <noreply@example.org>\", an address whose domain lets your server send.";
    if let Err(problem) = Mailer::new(&Settings::of(&scene.config), Transport::Memory(Memory::default())) {
        return error(format!("No letter can be written: {problem}."), "mend that setting or template.");
    }
    let templates = scene.config.mail.templates.as_deref();
    if let Some(folder) = templates.filter(|folder| !folder.is_dir()) {
        return warning(
            format!("The directory of templates, {}, is none: the built-in ones are used.", folder.display()),
            "PORTCULLIS_MAIL__TEMPLATES=DIRECTORY, or unset it.",
        );
    }
    if let Some(verdict) =
        exposure::told(&templates.and_then(exposure::writable).into_iter().collect::<Vec<_>>())
    {
        return verdict;
    }
    match is_local {
        true => error("Mails are from an address at localhost, which others refuse.", mend),
        false => ok(format!(
            "Mails are from {from}, worded by {}.",
            templates.map_or("built-in templates".to_owned(), |folder| folder.display().to_string())
        )),
    }
}
