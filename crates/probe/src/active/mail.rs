//! What is in mails, and what following their links does.

use super::account::{email, password, register, registration, username};
use super::{because, found_if, probe};
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use std::collections::HashSet;
use std::time::Duration;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "mail.prefetch",
        "Following the link in a mail spends its token",
        &["v5.0.0-3.5.3"],
        Severity::Low,
        "Let a GET of the link change nothing: show a page that asks for a click and posts the token.",
        |ctx| Box::pin(prefetch(ctx)),
    ),
    probe(
        "mail.injection",
        "A name puts HTML or a link into mails",
        &["v5.0.0-1.2.1", "v5.0.0-1.3.11"],
        Severity::Medium,
        "Refuse `<`, `>` and `://` in names, encode them in HTML mails, and greet by username only.",
        |ctx| Box::pin(injection(ctx)),
    ),
];

/// Needs what the resets of the sessions' probes have sent.
pub(super) const HOST: &[Probe] = &[probe(
    "mail.host",
    "Header fields of a request decide where the link in a mail leads",
    &["v5.0.0-4.1.3"],
    Severity::High,
    "Make links from a setting, never from Host, X-Forwarded-Host or Forwarded.",
    |ctx| Box::pin(host(ctx)),
)];

async fn prefetch(ctx: &Context) -> Result<Outcome, Skip> {
    let account = ctx.first().await?;
    let link = account.link.as_ref().ok_or_else(|| because("the link in the mail did not answer"))?;
    if !link.is_success() {
        return Ok(Outcome::skipped(format!("the link in the mail answers {} here", link.status)));
    }
    let evidence = vec![link.evidence(&[]), account.verified.evidence_with_body(&[])];
    let spent = !account.verified.is_success();
    Ok(found_if(spent, "After a GET of the link its token is refused: scanners of mails spend it.", evidence))
}

async fn injection(ctx: &Context) -> Result<Outcome, Skip> {
    let mailbox = super::account::mailbox(ctx)?;
    let address = email(ctx, "n");
    let mut body = registration(ctx, &username(ctx, "n"), &address, &password(ctx, "n"));
    let name = format!("<b>Probe</b> https://{FOREIGN}/win");
    body.insert(ctx.mapping.fields.first_name.clone(), name.into());
    let answer = register(ctx, body).await?;
    if !answer.is_success() {
        return Ok(Outcome::Passed);
    }
    let letter = mailbox.wait(&address, &mut HashSet::new(), Duration::from_secs(15)).await;
    let letter = letter.ok_or_else(|| because("no mail arrived within 15 seconds"))?;
    let html = letter.text.contains("<b>Probe</b>");
    let link = letter.text.contains(&format!("https://{FOREIGN}/win"));
    let seen = match (html, link) {
        (true, _) => "A first name arrives in the mail as HTML.",
        _ => "A link in a first name arrives in the mail.",
    };
    Ok(found_if(html || link, seen, vec![answer.evidence_with_body(&[])]))
}

async fn host(ctx: &Context) -> Result<Outcome, Skip> {
    let reset = ctx.reset().await?;
    let seen = format!("The mail links to {FOREIGN}, which the request named as its host.");
    Ok(found_if(reset.letter.contains(FOREIGN), seen, vec![reset.forged.evidence(&[])]))
}
