//! What lies open that nobody meant to show.

use super::{leaks, probe, unknown_path};
use crate::Evidence;
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "disclosure.version",
        "Answers tell versions of software",
        &["v5.0.0-13.4.6"],
        Severity::Low,
        "Take versions out of Server, X-Powered-By and their like (nginx: `server_tokens off`).",
        |ctx| Box::pin(version(ctx)),
    ),
    probe(
        "disclosure.repository",
        "The version control's folder is served",
        &["v5.0.0-13.4.1"],
        Severity::High,
        "Deploy without .git, .svn and .hg, and let the web server refuse names that begin with a dot.",
        |ctx| Box::pin(files(ctx, REPOSITORY, "Files of version control can be read.")),
    ),
    probe(
        "disclosure.files",
        "Settings, databases or backups are served",
        &["v5.0.0-13.4.7", "v5.0.0-13.3.2"],
        Severity::High,
        "Keep such files outside of what is served, and change every secret that was in them.",
        |ctx| Box::pin(files(ctx, FILES, "Files that hold secrets can be read.")),
    ),
    probe(
        "disclosure.listing",
        "Directories are listed",
        &["v5.0.0-13.4.3"],
        Severity::Medium,
        "Switch directory listings off (nginx: `autoindex off`).",
        |ctx| Box::pin(files(ctx, LISTINGS, "A directory is listed.")),
    ),
    probe(
        "disclosure.admin",
        "The administration's login is open to everybody",
        &["v5.0.0-13.4.5"],
        Severity::Low,
        "Let only your own networks reach it, or put a second gate before it.",
        |ctx| Box::pin(admin(ctx)),
    ),
    probe(
        "disclosure.monitoring",
        "Figures of monitoring are open to everybody",
        &["v5.0.0-13.4.5"],
        Severity::Low,
        "Ask for a token at the routes of monitoring, or let only your own networks reach them.",
        |ctx| Box::pin(monitoring(ctx)),
    ),
    probe(
        "disclosure.browsable",
        "The API shows itself as pages with forms",
        &["v5.0.0-13.4.5"],
        Severity::Low,
        "Answer JSON only (Django REST framework: take BrowsableAPIRenderer out of DEFAULT_RENDERER_CLASSES).",
        |ctx| Box::pin(browsable(ctx)),
    ),
    probe(
        "disclosure.schema",
        "The description of the API is open to everybody",
        &["v5.0.0-13.4.5"],
        Severity::Note,
        "Nothing to do where that is meant.",
        |ctx| Box::pin(files(ctx, SCHEMAS, "The description of the API can be read.")),
    ),
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
    ("/.htpasswd", |text| text.lines().any(is_login)),
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
    const NAMES: &[&str] =
        &["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator"];
    let survey = ctx.survey().await?;
    let telling =
        |answer: &Answer| NAMES.iter().copied().find(|name| answer.all(name).any(leaks::has_version));
    let evidence = survey.answers.iter().filter_map(|answer| Some(answer.evidence(&[telling(answer)?])));
    Ok(survey.judge("A header field names a version.", evidence.take(1).collect()))
}

async fn files(ctx: &Context, signs: &[Sign], seen: &str) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for (path, is_it) in signs {
        let is_hit = |answer: &Answer| answer.is_success() && is_it(&answer.text());
        let answer = ctx.client.call(Request::get(path)).await?;
        // Some servers answer every address alike.
        if is_hit(&answer) && !is_hit(&ctx.client.call(Request::get(&sibling(ctx, path))).await?) {
            // The contents are secrets: the evidence is that they were there.
            evidence.push(answer.evidence(&["content-type", "content-length"]));
        }
    }
    Ok(Outcome::judge(seen, evidence))
}

/// A path beside another, with the same ending, at which no server has anything.
fn sibling(ctx: &Context, path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, "")) => format!("{folder}-probe-{}/", ctx.tag),
        Some((folder, name)) => {
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            format!("{folder}/probe-{}.{ending}", ctx.tag)
        }
        None => unknown_path(ctx),
    }
}

async fn admin(ctx: &Context) -> Result<Outcome, Skip> {
    let mut evidence = Vec::new();
    for path in ["/admin/", "/wp-admin/", "/phpmyadmin/"] {
        let asks = |answer: &Answer, path: &str| {
            answer.header("location").is_some_and(|to| to.contains(path) && to.contains("login"))
                || answer.is_success() && answer.text().contains("type=\"password\"")
        };
        let answer = ctx.client.call(Request::get(path)).await?;
        let beside = sibling(ctx, path);
        if asks(&answer, path) && !asks(&ctx.client.call(Request::get(&beside)).await?, &beside) {
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
    let as_browser = |path: &str| ctx.client.call(Request::get(path).header("accept", "text/html"));
    let unknown = as_browser(&unknown_path(ctx)).await?;
    if unknown.is_html() && unknown.is_success() {
        return Ok(Outcome::skipped("unknown addresses are answered with a page too"));
    }
    for path in names.open.iter().chain(&names.private).take(2) {
        let answer = as_browser(path).await?.there()?;
        if answer.is_html() && (answer.is_success() || answer.text().contains("<form")) {
            evidence.push(answer.evidence(&["content-type"]));
        }
    }
    Ok(Outcome::judge("A route of the API answers a browser with a page.", evidence))
}

fn is_hash(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A line of `.htpasswd`.
fn is_login(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, hash)| {
        let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "<{(\"".contains(c));
        is_name && (hash.starts_with('$') || hash.starts_with("{SHA}"))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_logins_is_told_from_a_script() {
        assert!(is_login("admin:$apr1$x$y") && is_login("admin:{SHA}abc="));
        assert!(!is_login("<script>f({a:$b})</script>") && !is_login("f(a:$b") && !is_login("a b:$c"));
    }
}
