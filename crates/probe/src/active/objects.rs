//! What one may write, and whose.

use super::{ask, because, forgery, me, object, probe};
use crate::answer::Answer;
use crate::evidence::Evidence;
use crate::json::get;
use crate::mapping::Route;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use serde_json::Value;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "objects.rights",
        "Rights can be taken by naming their field",
        &["v5.0.0-15.3.3", "v5.0.0-8.2.3"],
        Severity::High,
        "Take only the fields that a caller may set.",
        |ctx| Box::pin(rights(ctx)),
    ),
    probe(
        "objects.script",
        "Stored HTML keeps what runs as script",
        &["v5.0.0-1.3.1"],
        Severity::High,
        "Clean HTML with a list of allowed tags, attributes and schemes when it is written.",
        |ctx| Box::pin(script(ctx)),
    ),
    probe(
        "objects.read",
        "Private objects of others can be read",
        &["v5.0.0-8.2.2"],
        Severity::High,
        "Look objects up among those that the caller may see.",
        |ctx| Box::pin(read(ctx)),
    ),
    probe(
        "objects.write",
        "Objects of others can be changed or deleted",
        &["v5.0.0-8.2.2"],
        Severity::High,
        "Let only the owner write.",
        |ctx| Box::pin(write(ctx)),
    ),
    probe(
        "objects.anonymous",
        "A write without a token is taken, or breaks the server",
        &["v5.0.0-8.2.1", "v5.0.0-16.5.1"],
        Severity::Medium,
        "Ask for a token before anything else: a permission class that looks at objects alone lets creation pass.",
        |ctx| Box::pin(anonymous(ctx)),
    ),
];

/// A private text of the first account.
#[derive(Clone)]
pub(super) struct Text {
    pub id: String,
    shown: Answer,
}

const DIRTY: &str = "<p>kept</p><script>probe()</script><img src=x onerror=\"probe()\"><svg onload=probe()>\
    <a href=\"javascript:probe()\">a</a> <a href=\"JaVa&#10;Script:probe()\">b</a> \
    <a href=\"data:text/html,<script>probe()</script>\">c</a> <p onclick=\"probe()\" style=\"x\">d</p>\
    <iframe src=\"https://example.org\"></iframe><math><mtext><style><img src=x onerror=probe()></style>";

async fn rights(ctx: &Context) -> Result<Outcome, Skip> {
    let account = ctx.first().await?;
    let staff = ctx.mapping.fields.staff.as_str();
    if let Ok(route) = ctx.route(&ctx.mapping.routes.update_me, "route update_me") {
        let rights = [(staff, true.into()), ("is_superuser", true.into()), ("role", "admin".into())];
        ask(ctx, Request::to(route).bearer(&account.session.access).json(&object(rights))).await?;
    }
    let shown = me(ctx, &account.session.access).await?;
    let claims = forgery::claims(&account.session.access).unwrap_or_default();
    let (by_shown, by_token) = (get(&shown.json(), staff).cloned(), get(&claims, staff).cloned());
    if by_shown.is_none() && by_token.is_none() {
        return Ok(Outcome::skipped(format!("neither the token nor the account's data shows `{staff}`")));
    }
    let mut evidence = Vec::new();
    if by_shown == Some(Value::Bool(true)) {
        evidence.push(shown.evidence_with_body(&[]));
    }
    if by_token == Some(Value::Bool(true)) {
        evidence.push(account.registered.evidence_with_body(&[]));
    }
    Ok(Outcome::judge(format!("Registration or profile took `{staff}`."), evidence))
}

async fn script(ctx: &Context) -> Result<Outcome, Skip> {
    let shown = &text(ctx).await?.shown;
    let stored = shown.field(&ctx.mapping.fields.text).map(|text| text.to_lowercase());
    let stored = stored.ok_or_else(|| because("the text was not shown"))?;
    let left = dangers(&stored);
    let seen = format!("The stored text still holds {}.", left.join(", "));
    Ok(Outcome::when(!left.is_empty(), seen, vec![shown.evidence_with_body(&[])]))
}

/// What of the hostile text is still alive, i.e. inside a tag.
fn dangers(stored: &str) -> Vec<&'static str> {
    let tags: Vec<String> = stored
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .map(|(tag, _)| tag.chars().filter(|c| !c.is_control()).collect())
        .collect();
    let any = |test: &dyn Fn(&str) -> bool| tags.iter().any(|tag| test(tag));
    let mut left = Vec::new();
    for name in ["script", "iframe", "svg", "img", "math", "style"] {
        if any(&|tag| tag.split([' ', '/']).next() == Some(name)) {
            left.push(name);
        }
    }
    for name in ["onerror=", "onload=", "onclick=", "javascript:", "data:"] {
        if any(&|tag| tag.contains(name)) {
            left.push(name);
        }
    }
    left
}

async fn read(ctx: &Context) -> Result<Outcome, Skip> {
    let text = owned(ctx).await?;
    let route = ctx.route(&ctx.mapping.routes.read_text, "route read_text")?.with_id(&text.id);
    let access = ctx.second().await?.live(ctx).await?;
    let answer = ask(ctx, Request::to(&route).bearer(&access)).await?;
    let evidence = vec![answer.evidence_with_body(&[])];
    Ok(Outcome::when(answer.accepted()?, "Another account reads a private text.", evidence))
}

/// Judged by what the owner sees afterwards, not by what the other one is told.
async fn write(ctx: &Context) -> Result<Outcome, Skip> {
    let (text, routes) = (owned(ctx).await?, &ctx.mapping.routes);
    let owner = &ctx.first().await?.session.access;
    let access = &ctx.second().await?.live(ctx).await?;
    let mut attempts = Vec::new();
    if let Some(route) = &routes.update_text {
        let route = route.with_id(&text.id);
        let own = change(ctx, &route, "<p>changed by its owner</p>").await?;
        // Where its owner cannot change it either a refusal tells nothing.
        if ask(ctx, own.bearer(owner)).await?.is_success() {
            attempts.push((change(ctx, &route, "<p>changed by somebody else</p>").await?, "changes"));
        }
    }
    attempts
        .extend(routes.delete_text.as_ref().map(|route| (Request::to(&route.with_id(&text.id)), "deletes")));
    if attempts.is_empty() {
        return Err(Skip::NotMapped("way to change or delete a text"));
    }
    for (request, what) in attempts {
        let before = shown(ctx, &text.id, owner).await?;
        let answer = ask(ctx, request.bearer(access)).await?;
        let after = shown(ctx, &text.id, owner).await?;
        let name = &ctx.mapping.fields.text;
        if !after.accepted()? || after.field(name) != before.field(name) {
            let evidence: Vec<Evidence> = vec![answer.evidence(&[]), after.evidence_with_body(&[])];
            return Ok(Outcome::Found(format!("Another account {what} a text."), evidence));
        }
    }
    Ok(Outcome::passed())
}

/// A PATCH holds the text alone, anything else the whole.
async fn change(ctx: &Context, route: &Route, text: &str) -> Result<Request, Skip> {
    let changed = if route.method == "PATCH" {
        object([(&*ctx.mapping.fields.text, text.into())])
    } else {
        body(ctx, text).await?
    };
    Ok(Request::to(route).json(&changed))
}

async fn anonymous(ctx: &Context) -> Result<Outcome, Skip> {
    // A refusal tells something only where the owner of an account is not refused.
    text(ctx).await?;
    let route = ctx.route(&ctx.mapping.routes.write_text, "route write_text")?;
    let answer = ask(ctx, Request::to(route).json(&body(ctx, "<p>probe</p>").await?)).await?;
    let evidence = vec![answer.evidence_with_body(&[])];
    if answer.status >= 500 {
        return Ok(Outcome::Found("A write without a token breaks the server.".to_owned(), evidence));
    }
    Ok(Outcome::when(answer.accepted()?, "A write without a token is taken.", evidence))
}

async fn text(ctx: &Context) -> Result<&Text, Skip> {
    ctx.accounts.text.get_or_init(|| make_text(ctx)).await.as_ref().map_err(Clone::clone)
}

/// The text, which its owner can read.
async fn owned(ctx: &Context) -> Result<&Text, Skip> {
    let text = text(ctx).await?;
    if text.shown.accepted()? {
        Ok(text)
    } else {
        Err(because(format!("its owner reads the text with {}", text.shown.status)))
    }
}

async fn make_text(ctx: &Context) -> Result<Text, Skip> {
    let access = &ctx.first().await?.session.access;
    let route = ctx.route(&ctx.mapping.routes.write_text, "route write_text")?;
    let made = ask(ctx, Request::to(route).bearer(access).json(&body(ctx, DIRTY).await?)).await?;
    let id = made.field(&ctx.mapping.fields.id);
    let id = id.ok_or_else(|| because(format!("no text could be written: {}", made.status)))?;
    let shown = shown(ctx, &id, access).await?;
    Ok(Text { id, shown })
}

async fn shown(ctx: &Context, id: &str, access: &str) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.read_text, "route read_text")?.with_id(id);
    ask(ctx, Request::to(&route).bearer(access)).await
}

/// A private text about the first thing that one may write about.
async fn body(ctx: &Context, text: &str) -> Result<Value, Skip> {
    let names = &ctx.mapping.fields;
    let route = ctx.route(&ctx.mapping.routes.books, "route books")?;
    let access = &ctx.first().await?.session.access;
    let list = ask(ctx, Request::to(route).bearer(access)).await?.json();
    let rows = list.as_array().or_else(|| get(&list, &names.list)?.as_array());
    let parent = rows.and_then(|rows| get(rows.first()?, &names.id)).cloned();
    let parent = parent.ok_or_else(|| because("there is nothing to write about"))?;
    Ok(object([
        (&*names.text_parent, parent),
        (&*names.text_title, "probe".into()),
        (&*names.text, text.into()),
        (&*names.text_rating, 3.into()),
        (&*names.text_public, false.into()),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_inside_a_tag_is_alive() {
        assert!(dangers(&DIRTY.to_lowercase()).len() >= 10);
        assert!(
            dangers("<p>javascript: onerror=</p><a href=\"https://a.example\" rel=\"nofollow\">x</a>")
                .is_empty()
        );
        assert!(dangers("&lt;script&gt;probe()&lt;/script&gt;").is_empty());
        assert_eq!(dangers("<a href=\"java\nscript:probe()\">"), ["javascript:"]);
    }
}
