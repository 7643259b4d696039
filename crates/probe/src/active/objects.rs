//! What one may write, and whose.

use super::{ask, because, forgery, found_if, me, probe};
use crate::client::{Answer, Request};
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use serde_json::{Value, json};

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
    let is_true = |value: Option<&Value>| value.is_some_and(|value| *value == Value::Bool(true));
    let mut evidence = Vec::new();
    if let Ok(route) = ctx.route(&ctx.mapping.routes.update_me, "route update_me") {
        let body = json!({ staff: true, "is_superuser": true, "role": "admin" });
        ask(ctx, Request::to(route).bearer(&account.session.access).json(&body)).await?;
    }
    let shown = me(ctx, &account.session.access).await?;
    if is_true(shown.json().get(staff)) {
        evidence.push(shown.evidence_with_body(&[]));
    }
    if is_true(forgery::claims(&account.session.access).as_ref().and_then(|claims| claims.get(staff))) {
        evidence.push(account.registered.evidence_with_body(&[]));
    }
    Ok(Outcome::judge(format!("Registration or profile took `{staff}`."), evidence))
}

async fn script(ctx: &Context) -> Result<Outcome, Skip> {
    let shown = &text(ctx).await?.shown;
    let stored = shown.json().get(&ctx.mapping.fields.text).and_then(Value::as_str).map(str::to_lowercase);
    let stored = stored.ok_or_else(|| because("the text was not shown"))?;
    let left = dangers(&stored);
    let seen = format!("The stored text still holds {}.", left.join(", "));
    Ok(found_if(!left.is_empty(), seen, vec![shown.evidence_with_body(&[])]))
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
    let text = text(ctx).await?;
    let route = ctx.route(&ctx.mapping.routes.read_text, "route read_text")?.with_id(&text.id);
    let access = ctx.second().await?.live(ctx).await?;
    let answer = ask(ctx, Request::to(&route).bearer(&access)).await?;
    Ok(found_if(
        answer.is_success(),
        "Another account reads a private text.",
        vec![answer.evidence_with_body(&[])],
    ))
}

async fn write(ctx: &Context) -> Result<Outcome, Skip> {
    let text = text(ctx).await?;
    let read = ctx.route(&ctx.mapping.routes.read_text, "route read_text")?.with_id(&text.id);
    let access = &ctx.second().await?.live(ctx).await?;
    let changed = json!({ &ctx.mapping.fields.text: "changed by somebody else" });
    let mut requests = vec![Request::new("PATCH", &read.path).bearer(access).json(&changed)];
    if let Some(route) = &ctx.mapping.routes.delete_text {
        requests.push(Request::to(&route.with_id(&text.id)).bearer(access));
    }
    let mut evidence = Vec::new();
    for request in requests {
        let answer = ask(ctx, request).await?;
        if answer.is_success() {
            evidence.push(answer.evidence(&[]));
        }
    }
    Ok(Outcome::judge("Another account changes or deletes a text.", evidence))
}

async fn anonymous(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.write_text, "route write_text")?;
    let answer = ask(ctx, Request::to(route).json(&body(ctx, "<p>probe</p>").await?)).await?;
    let broken = answer.status >= 500;
    let seen = if broken {
        "A write without a token breaks the server."
    } else {
        "A write without a token is taken."
    };
    Ok(found_if(broken || answer.is_success(), seen, vec![answer.evidence_with_body(&[])]))
}

async fn text(ctx: &Context) -> Result<&Text, Skip> {
    ctx.accounts.text.get_or_init(|| make_text(ctx)).await.as_ref().map_err(Clone::clone)
}

async fn make_text(ctx: &Context) -> Result<Text, Skip> {
    let access = &ctx.first().await?.session.access;
    let route = ctx.route(&ctx.mapping.routes.write_text, "route write_text")?;
    let made = ask(ctx, Request::to(route).bearer(access).json(&body(ctx, DIRTY).await?)).await?;
    let id = made.field(&ctx.mapping.fields.id);
    let id = id.ok_or_else(|| because(format!("no text could be written: {}", made.status)))?;
    let route = ctx.route(&ctx.mapping.routes.read_text, "route read_text")?.with_id(&id);
    let shown = ask(ctx, Request::to(&route).bearer(access)).await?;
    Ok(Text { id, shown })
}

/// A private text about the first thing that one may write about.
async fn body(ctx: &Context, text: &str) -> Result<Value, Skip> {
    let names = &ctx.mapping.fields;
    let route = ctx.route(&ctx.mapping.routes.books, "route books")?;
    let access = &ctx.first().await?.session.access;
    let list = ask(ctx, Request::to(route).bearer(access)).await?.json();
    let rows = list.as_array().or_else(|| list.get(&names.list)?.as_array());
    let parent = rows.and_then(|rows| rows.first()?.get(&names.id)).cloned();
    let parent = parent.ok_or_else(|| because("there is nothing to write about"))?;
    Ok(json!({
        &names.text_parent: parent,
        &names.text_title: "probe",
        &names.text: text,
        &names.text_rating: 3,
        &names.text_public: false,
    }))
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
