//! Cookies, caches and closed doors, as far as a visitor without an account sees them.

use crate::client::{Answer, Request};
use crate::probe::{Context, Mode, Outcome, Probe, Severity, Skip};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "cookies.secure",
        title: "Cookies travel without encryption",
        asvs: &["v5.0.0-3.3.1"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Set `Secure` on every cookie, and name it `__Host-…` where no other host needs it.",
        run: |ctx| Box::pin(secure(ctx)),
    },
    Probe {
        id: "cookies.http_only",
        title: "Scripts may read session cookies",
        asvs: &["v5.0.0-3.3.4"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Set `HttpOnly` on every cookie that no script of yours reads.",
        run: |ctx| {
            // A script must read the token that proves a form to be ours.
            let is_csrf = |name: &str| name.contains("csrf") || name.contains("xsrf");
            Box::pin(cookies(ctx, "HttpOnly", move |cookie| is_csrf(&cookie.name) || cookie.has("httponly")))
        },
    },
    Probe {
        id: "cookies.same_site",
        title: "Cookies go along with calls of other sites",
        asvs: &["v5.0.0-3.3.2"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Set `SameSite=Lax` or `Strict` on every cookie.",
        run: |ctx| {
            Box::pin(cookies(ctx, "SameSite", |cookie| {
                cookie.has("samesite=lax") || cookie.has("samesite=strict")
            }))
        },
    },
    Probe {
        id: "cache.private",
        title: "Caches may keep private answers",
        asvs: &["v5.0.0-14.3.2", "v5.0.0-14.2.2"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Send `Cache-Control: no-store` with every answer of a closed route.",
        run: |ctx| Box::pin(private(ctx)),
    },
    Probe {
        id: "access.closed",
        title: "Closed routes answer without a token",
        asvs: &["v5.0.0-8.2.1", "v5.0.0-8.3.1"],
        severity: Severity::High,
        mode: Mode::Passive,
        mend: "Let routes be closed unless they are declared open, and check the token on the server.",
        run: |ctx| Box::pin(closed(ctx)),
    },
];

/// What caches may keep without being told so (RFC 9110 §15.1).
const KEPT: &[u16] = &[200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];

struct Cookie {
    name: String,
    attributes: Vec<String>,
}

impl Cookie {
    fn parse(value: &str) -> Self {
        let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().unwrap_or_default().split('=').next().unwrap_or_default().to_owned();
        Self { name, attributes: parts.collect() }
    }

    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|found| found == attribute)
    }
}

async fn secure(ctx: &Context) -> Result<Outcome, Skip> {
    if !ctx.target.is_https() {
        return Ok(Outcome::skipped("the target is not https"));
    }
    cookies(ctx, "Secure", |cookie| cookie.has("secure")).await
}

async fn cookies(ctx: &Context, what: &str, is_good: impl Fn(&Cookie) -> bool) -> Result<Outcome, Skip> {
    let survey = ctx.survey().await?;
    let setting: Vec<&Answer> = survey.answers.iter().filter(|a| a.header("set-cookie").is_some()).collect();
    if setting.is_empty() {
        return Ok(Outcome::skipped("no cookie was set"));
    }
    let is_bad = |answer: &&&Answer| answer.all("set-cookie").any(|value| !is_good(&Cookie::parse(value)));
    let evidence = setting.iter().filter(is_bad).map(|answer| answer.evidence(&["set-cookie"]));
    Ok(Outcome::judge(format!("A cookie comes without {what}."), evidence.collect()))
}

async fn private(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for answer in closed_answers(ctx).await? {
        let value = answer.all("cache-control").collect::<Vec<_>>().join(",").to_ascii_lowercase();
        let is_kept = !value.is_empty() || KEPT.contains(&answer.status);
        if is_kept && !value.contains("no-store") && !value.contains("private") {
            evidence.push(answer.evidence(&["cache-control"]));
        }
    }
    Ok(Outcome::judge("A closed route does not say that its answer is nobody else's.", evidence))
}

async fn closed(ctx: &Context) -> Result<Outcome, Skip> {
    let mut answers = closed_answers(ctx).await?;
    if let Some(path) = ctx.mapping.private.first() {
        answers.push(ctx.client.call(Request::get(path).bearer("probe")).await?);
        answers.push(
            ctx.client.call(Request::get(path).header("authorization", "Basic YWRtaW46YWRtaW4=")).await?,
        );
    }
    let open = answers.iter().filter(|answer| answer.is_success());
    Ok(Outcome::judge(
        "A closed route answered.",
        open.map(|answer| answer.evidence_with_body(&[])).collect(),
    ))
}

async fn closed_answers(ctx: &Context) -> Result<Vec<Answer>, Skip> {
    if ctx.mapping.private.is_empty() {
        return Err(Skip::NotMapped("private routes"));
    }
    let mut answers = Vec::new();
    for path in &ctx.mapping.private {
        answers.push(ctx.client.call(Request::get(path)).await?);
    }
    Ok(answers)
}
