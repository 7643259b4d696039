//! What lies open that nobody meant to show.

use super::leaks;
use crate::Evidence;
use crate::client::{Answer, Request};
use crate::probe::{Context, Mode, Outcome, Probe, Severity, Skip};

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "disclosure.version",
        title: "Answers tell versions of software",
        asvs: &["v5.0.0-13.4.6"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Take versions out of Server, X-Powered-By and their like (nginx: `server_tokens off`).",
        run: |ctx| Box::pin(version(ctx)),
    },
    Probe {
        id: "disclosure.repository",
        title: "The version control's folder is served",
        asvs: &["v5.0.0-13.4.1"],
        severity: Severity::High,
        mode: Mode::Passive,
        mend: "Deploy without .git, .svn and .hg, and let the web server refuse names that begin with a dot.",
        run: |ctx| Box::pin(files(ctx, REPOSITORY, "Files of version control can be read.")),
    },
    Probe {
        id: "disclosure.files",
        title: "Settings, databases or backups are served",
        asvs: &["v5.0.0-13.4.7", "v5.0.0-13.3.2"],
        severity: Severity::High,
        mode: Mode::Passive,
        mend: "Keep such files outside of what is served, and change every secret that was in them.",
        run: |ctx| Box::pin(files(ctx, FILES, "Files that hold secrets can be read.")),
    },
    Probe {
        id: "disclosure.listing",
        title: "Directories are listed",
        asvs: &["v5.0.0-13.4.3"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Switch directory listings off (nginx: `autoindex off`).",
        run: |ctx| Box::pin(files(ctx, LISTINGS, "A directory is listed.")),
    },
    Probe {
        id: "disclosure.admin",
        title: "The administration's login is open to everybody",
        asvs: &["v5.0.0-13.4.5"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Let only your own networks reach it, or put a second gate before it.",
        run: |ctx| Box::pin(admin(ctx)),
    },
    Probe {
        id: "disclosure.monitoring",
        title: "Figures of monitoring are open to everybody",
        asvs: &["v5.0.0-13.4.5"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Ask for a token at the routes of monitoring, or let only your own networks reach them.",
        run: |ctx| Box::pin(monitoring(ctx)),
    },
    Probe {
        id: "disclosure.browsable",
        title: "The API shows itself as pages with forms",
        asvs: &["v5.0.0-13.4.5"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Answer JSON only (Django REST framework: take BrowsableAPIRenderer out of DEFAULT_RENDERER_CLASSES).",
        run: |ctx| Box::pin(browsable(ctx)),
    },
    Probe {
        id: "disclosure.schema",
        title: "The description of the API is open to everybody",
        asvs: &["v5.0.0-13.4.5"],
        severity: Severity::Note,
        mode: Mode::Passive,
        mend: "Nothing to do where that is meant.",
        run: |ctx| Box::pin(files(ctx, SCHEMAS, "The description of the API can be read.")),
    },
];

/// A path, and what its answer must hold to be what it is named.
type Sign = (&'static str, fn(&str) -> bool);

const REPOSITORY: &[Sign] = &[
    ("/.git/HEAD", |text| text.starts_with("ref: refs/") || is_hash(text.trim())),
    ("/.git/config", |text| text.contains("[core]")),
    ("/.svn/entries", |text| text.trim_start().starts_with(|c: char| c.is_ascii_digit()) && text.len() > 8),
    ("/.hg/requires", |text| text.contains("revlogv1")),
];
const FILES: &[Sign] = &[
    ("/.env", is_settings),
    ("/.env.production", is_settings),
    ("/db.sqlite3", |text| text.starts_with("SQLite format 3")),
    ("/dump.sql", |text| text.contains("CREATE TABLE") || text.contains("INSERT INTO")),
    ("/backup.sql", |text| text.contains("CREATE TABLE") || text.contains("INSERT INTO")),
    ("/docker-compose.yml", |text| text.contains("services:") && text.contains("image:")),
    ("/settings.py", |text| text.contains("SECRET_KEY")),
    ("/portcullis.toml", |text| text.contains("[server]") || text.contains("secret_key")),
    ("/.htpasswd", |text| text.contains(":$") || text.contains(":{SHA}")),
];
const LISTINGS: &[Sign] = &[("/static/", is_listing), ("/media/", is_listing), ("/uploads/", is_listing)];
const SCHEMAS: &[Sign] = &[
    ("/api/schema", is_schema),
    ("/api/schema/", is_schema),
    ("/openapi.json", is_schema),
    ("/swagger.json", is_schema),
    ("/api/openapi.json", is_schema),
];
const MONITORING: &[Sign] = &[
    ("/metrics", |text| text.contains("# TYPE ")),
    ("/server-status", |text| text.contains("Apache Server Status")),
    ("/actuator/env", |text| text.contains("propertySources")),
    ("/debug/pprof/", |text| text.contains("goroutine")),
    ("/debug/vars", |text| text.contains("memstats")),
];

async fn version(ctx: &Context) -> Result<Outcome, Skip> {
    const NAMES: &[&str] = &["server", "x-powered-by", "x-aspnet-version", "x-generator", "via"];
    let survey = ctx.survey().await?;
    let telling =
        |answer: &Answer| NAMES.iter().copied().find(|name| answer.all(name).any(leaks::has_version));
    let evidence = survey.answers.iter().filter_map(|answer| Some(answer.evidence(&[telling(answer)?])));
    Ok(Outcome::judge("A header field names a version.", evidence.take(1).collect()))
}

async fn files(ctx: &Context, signs: &[Sign], seen: &str) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for (path, is_it) in signs {
        let answer = ctx.client.call(Request::get(path)).await?;
        if answer.is_success() && is_it(&answer.text()) {
            // The contents are secrets: the evidence is that they were there.
            evidence.push(answer.evidence(&["content-type", "content-length"]));
        }
    }
    Ok(Outcome::judge(seen, evidence))
}

async fn admin(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for path in ["/admin/", "/wp-admin/", "/phpmyadmin/"] {
        let answer = ctx.client.call(Request::get(path)).await?;
        let leads_to_login =
            answer.header("location").is_some_and(|to| to.contains(path) && to.contains("login"));
        if leads_to_login || answer.is_success() && answer.text().contains("type=\"password\"") {
            evidence.push(answer.evidence(&["location"]));
        }
    }
    Ok(Outcome::judge("A login for administrators answers.", evidence))
}

async fn monitoring(ctx: &Context) -> Result<Outcome, Skip> {
    if ctx.target.is_loopback() {
        return Ok(Outcome::skipped("the target is on this machine itself, which may read them"));
    }
    files(ctx, MONITORING, "Figures can be read without a token.").await
}

async fn browsable(ctx: &Context) -> Result<Outcome, Skip> {
    let names = &ctx.mapping;
    let mut evidence: Vec<Evidence> = Vec::new();
    for path in names.open.iter().chain(&names.private).take(2) {
        let answer = ctx.client.call(Request::get(path).header("accept", "text/html")).await?;
        if answer.is_html() && answer.status != 404 && answer.text().contains("<") {
            evidence.push(answer.evidence(&["content-type"]));
        }
    }
    Ok(Outcome::judge("A route of the API answers a browser with a page.", evidence))
}

fn is_hash(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_settings(text: &str) -> bool {
    let is_line = |line: &str| {
        line.split_once('=').is_some_and(|(key, _)| {
            key.len() > 2 && key.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
    };
    !text.trim_start().starts_with('<') && text.lines().any(is_line)
}

fn is_listing(text: &str) -> bool {
    text.contains("Index of /")
        || text.contains("Directory listing for")
        || text.contains("[To Parent Directory]")
}

fn is_schema(text: &str) -> bool {
    text.contains("openapi") && text.contains("paths") || text.contains("\"swagger\"")
}
