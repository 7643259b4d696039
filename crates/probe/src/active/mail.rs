//! What is in mails, and what following their links does.

use super::account::{email, password, register, registration, username};
use super::{because, probe};
use crate::json::set;
use crate::passive::FOREIGN;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use std::collections::HashSet;
use std::time::Duration;

pub(super) const PROBES: &[Probe] = &[probe(
    "mail.prefetch",
    "Following the link in a mail spends its token",
    &["v5.0.0-3.5.3"],
    Severity::Low,
    "Let a GET of the link change nothing: show a page that asks for a click and posts the token.",
    |ctx| Box::pin(prefetch(ctx)),
)];

/// Makes an account, and is therefore late: registrations are limited.
pub(super) const INJECTION: &[Probe] = &[probe(
    "mail.injection",
    "A name puts HTML or a link into mails",
    &["v5.0.0-1.2.1", "v5.0.0-1.3.11"],
    Severity::Medium,
    "Refuse `<`, `>` and `://` in names, encode them in HTML mails, and greet by username only.",
    |ctx| Box::pin(injection(ctx)),
)];

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
    if !link.is_there() {
        return Err(link.unclear());
    }
    let mut evidence = vec![link.evidence(&["location"])];
    let Some(verified) = &account.verified else {
        let seen = "A GET of the link verifies the address: scanners of mails follow it too.";
        return Ok(Outcome::Found(seen.to_owned(), evidence));
    };
    let works_without = match &ctx.second().await?.verified {
        Some(other) => other.accepted()?,
        None => false,
    };
    if !works_without {
        return Ok(Outcome::skipped("a token is refused too whose link nobody followed"));
    }
    evidence.push(verified.evidence_with_body(&[]));
    let seen = "After a GET of the link its token is refused: scanners of mails spend it.";
    Ok(Outcome::when(!verified.accepted()?, seen, evidence))
}

async fn injection(ctx: &Context) -> Result<Outcome, Skip> {
    let mailbox = super::account::mailbox(ctx)?;
    ctx.first().await?;
    let address = email(ctx, "n");
    let mut body = registration(ctx, &username(ctx, "n"), &address, &password(ctx, "n"));
    set(&mut body, &ctx.mapping.fields.first_name, format!("<b>Probe</b> https://{FOREIGN}/win").into());
    let answer = register(ctx, &body).await?;
    if !answer.accepted()? {
        return Ok(Outcome::Passed("Such a name is refused.".to_owned()));
    }
    let letter = mailbox.wait(&address, &mut HashSet::new(), Duration::from_secs(15)).await;
    let letter = letter.ok_or_else(|| because("no mail arrived within 15 seconds"))?;
    let html = letter.text.contains("<b>Probe</b>");
    let link = letter.text.contains(&format!("https://{FOREIGN}/win"));
    let seen = match (html, link) {
        (true, _) => "A first name arrives in the mail as HTML.",
        _ => "A link in a first name arrives in the mail.",
    };
    Ok(Outcome::when(html || link, seen, vec![answer.evidence_with_body(&[])]))
}

async fn host(ctx: &Context) -> Result<Outcome, Skip> {
    let forged = ctx.reset().await?.forged.clone()?;
    let Some(letter) = &forged.letter else {
        return Ok(Outcome::Passed("Such a request is refused.".to_owned()));
    };
    let seen = format!("The mail links to {FOREIGN}, which the request named as its host.");
    Ok(Outcome::when(letter.contains(FOREIGN), seen, vec![forged.answer.evidence(&[])]))
}
