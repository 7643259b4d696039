//! What browsers are told with every answer.

use super::{csp, probe};
use crate::Evidence;
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};

const YEAR: u64 = 31_536_000;

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "headers.nosniff",
        "Browsers may guess the type of answers",
        &["v5.0.0-3.4.4"],
        Severity::Medium,
        "Send `X-Content-Type-Options: nosniff` with every answer, errors too.",
        |ctx| {
            Box::pin(everywhere(ctx, "X-Content-Type-Options", |answer| {
                is_one_of(answer, "x-content-type-options", &["nosniff"])
            }))
        },
    ),
    probe(
        "headers.frame",
        "Pages may be shown inside another site's frame",
        &["v5.0.0-3.4.6"],
        Severity::Medium,
        "Send `Content-Security-Policy: frame-ancestors 'none'`, and `X-Frame-Options: DENY` for old browsers.",
        |ctx| {
            Box::pin(everywhere(ctx, "X-Frame-Options", |answer| {
                // Where a policy names frame-ancestors, browsers do not read the older field.
                csp::of(answer)
                    .forbids_frames()
                    .unwrap_or_else(|| is_one_of(answer, "x-frame-options", &["deny", "sameorigin"]))
            }))
        },
    ),
    probe(
        "headers.referrer",
        "Other sites learn the addresses of pages",
        &["v5.0.0-3.4.5"],
        Severity::Low,
        "Send `Referrer-Policy: same-origin` (or `no-referrer`): the addresses of pages may hold tokens.",
        |ctx| Box::pin(everywhere(ctx, "Referrer-Policy", has_referrer_policy)),
    ),
    probe(
        "headers.permissions",
        "Pages may use camera, microphone and place",
        &[],
        Severity::Low,
        "Send `Permissions-Policy: camera=(), microphone=(), geolocation=()` with pages.",
        |ctx| {
            Box::pin(on_pages(ctx, "Permissions-Policy", |answer| {
                answer.header("permissions-policy").is_some()
            }))
        },
    ),
    probe(
        "headers.coop",
        "Other sites keep a handle on windows of this one",
        &["v5.0.0-3.4.8"],
        Severity::Low,
        "Send `Cross-Origin-Opener-Policy: same-origin` with pages.",
        |ctx| {
            Box::pin(on_pages(ctx, "Cross-Origin-Opener-Policy", |answer| {
                is_one_of(answer, "cross-origin-opener-policy", &["same-origin", "same-origin-allow-popups"])
            }))
        },
    ),
    probe(
        "headers.corp",
        "Other sites may load answers into their own pages",
        &["v5.0.0-3.5.8"],
        Severity::Low,
        "Send `Cross-Origin-Resource-Policy: same-origin` with every answer of the API.",
        |ctx| {
            Box::pin(everywhere(ctx, "Cross-Origin-Resource-Policy", |answer| {
                is_one_of(answer, "cross-origin-resource-policy", &["same-origin", "same-site"])
            }))
        },
    ),
    probe(
        "headers.content_type",
        "Answers do not say what they are",
        &["v5.0.0-4.1.1"],
        Severity::Low,
        "Send a Content-Type with every body, with `charset=utf-8` where it is text.",
        |ctx| Box::pin(everywhere(ctx, "Content-Type", says_what_it_is)),
    ),
    probe(
        "headers.hsts",
        "Browsers may come back without encryption",
        &["v5.0.0-3.4.1"],
        Severity::Medium,
        "Send `Strict-Transport-Security: max-age=31536000; includeSubDomains` with every https answer.",
        |ctx| Box::pin(hsts(ctx)),
    ),
    probe(
        "headers.csp_api",
        "Answers of the API come without a Content-Security-Policy",
        &["v5.0.0-3.4.3", "v5.0.0-3.2.1"],
        Severity::Low,
        "Send `Content-Security-Policy: default-src 'none'; frame-ancestors 'none'` with every answer of the API.",
        |ctx| Box::pin(csp_of_the_api(ctx)),
    ),
    probe(
        "headers.csp_pages",
        "Pages run scripts that the site has not written",
        &["v5.0.0-3.4.3"],
        Severity::Medium,
        "Send pages with a Content-Security-Policy that lets scripts in by nonce or hash, with \
               `object-src 'none'` and `base-uri 'none'`, and without `unsafe-inline`, `unsafe-eval` and wildcards.",
        |ctx| Box::pin(csp_of_pages(ctx)),
    ),
];

/// Found when any answer lacks it.
async fn everywhere(ctx: &Context, header: &str, is_good: fn(&Answer) -> bool) -> Result<Outcome, Skip> {
    let survey = ctx.survey().await?;
    let lacking = lacking(survey.answers.iter(), header, is_good);
    Ok(survey.judge(format!("Answers come without a good {header}."), lacking))
}

/// Found when any page lacks it; skipped without pages.
async fn on_pages(ctx: &Context, header: &str, is_good: fn(&Answer) -> bool) -> Result<Outcome, Skip> {
    let survey = ctx.survey().await?;
    if survey.pages().next().is_none() {
        return Ok(no_pages());
    }
    let lacking = lacking(survey.pages(), header, is_good);
    Ok(survey.judge(format!("Pages come without a good {header}."), lacking))
}

fn no_pages() -> Outcome {
    Outcome::skipped("no HTML page was found")
}

fn lacking<'a>(
    answers: impl Iterator<Item = &'a Answer>,
    header: &str,
    is_good: fn(&Answer) -> bool,
) -> Vec<Evidence> {
    let name = header.to_ascii_lowercase();
    answers.filter(|answer| !is_good(answer)).map(|answer| answer.evidence(&[&name])).collect()
}

async fn hsts(ctx: &Context) -> Result<Outcome, Skip> {
    if !ctx.target.is_https() {
        return Ok(Outcome::skipped("the target is not https"));
    }
    everywhere(ctx, "Strict-Transport-Security", |answer| {
        let value = answer.header("strict-transport-security").unwrap_or_default().to_ascii_lowercase();
        let age = value.split(';').find_map(|part| part.trim().strip_prefix("max-age="));
        age.and_then(|age| age.trim_matches('"').parse::<u64>().ok()).is_some_and(|age| age >= YEAR)
            && value.contains("includesubdomains")
    })
    .await
}

async fn csp_of_the_api(ctx: &Context) -> Result<Outcome, Skip> {
    let survey = ctx.survey().await?;
    let mut answers = survey.answers.iter().filter(|answer| !answer.is_html()).peekable();
    if answers.peek().is_none() {
        return Ok(Outcome::skipped("no answer of the API was seen"));
    }
    let lacking = lacking(answers, "Content-Security-Policy", |answer| !csp::of(answer).is_empty());
    Ok(survey.judge("Answers of the API come without a Content-Security-Policy.", lacking))
}

async fn csp_of_pages(ctx: &Context) -> Result<Outcome, Skip> {
    let survey = ctx.survey().await?;
    if survey.pages().next().is_none() {
        return Ok(no_pages());
    }
    let (mut weaknesses, mut evidence) = (Vec::new(), Vec::new());
    for page in survey.pages() {
        let weak = csp::of(page).weaknesses();
        if !weak.is_empty() {
            evidence.push(page.evidence(&["content-security-policy"]));
            weaknesses.extend(weak);
        }
    }
    weaknesses.dedup();
    Ok(survey.judge(format!("The policy of pages is weak: {}.", weaknesses.join(", ")), evidence))
}

fn is_one_of(answer: &Answer, name: &str, values: &[&str]) -> bool {
    answer.header(name).is_some_and(|value| values.contains(&value.trim().to_ascii_lowercase().as_str()))
}

fn has_referrer_policy(answer: &Answer) -> bool {
    const GOOD: &[&str] = &["no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"];
    // The last value that a browser knows counts.
    let value = answer.header("referrer-policy").unwrap_or_default().to_ascii_lowercase();
    value.rsplit(',').next().is_some_and(|last| GOOD.contains(&last.trim()))
}

fn says_what_it_is(answer: &Answer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    answer.body.is_empty() || !kind.is_empty() && (!kind.starts_with("text/") || kind.contains("charset="))
}
