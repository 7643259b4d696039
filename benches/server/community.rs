//! The lists and the writing of reviews.

use crate::Outcome;
use crate::client::{self, Connection};
use crate::load::{CONNECTIONS, Load, repeat};
use crate::report::{Report, Row};
use crate::server::{self, Server};
use serde_json::json;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinSet;

/// Books that each writer goes through. Nobody else writes about them, so that nobody is mailed.
const BOOKS_EACH: usize = 400;
const REVIEWS: usize = 10_000;
/// Reviews that each of the first users has; those from there on have none.
const REVIEWS_EACH: usize = 100;
const FOR: Duration = Duration::from_secs(5);

/// The public list of 20 of 10,000 reviews with their count: warm; its second page, which is not kept; and as a reader
/// gets it, for whom nothing is kept either and whose follows and blocks are asked for.
pub async fn lists(data: &TempDir, report: &mut Report) -> Outcome<()> {
    server::load(data, &community())?;
    let server = Server::start(data).await?;
    let warm = client::get_anonymous("/api/reviews/");
    repeat(&server, &warm).await?;
    let load = repeat(&server, &warm).await?;
    report.add(Row {
        what: "public list of 20 of 10,000 reviews per CPU-second, warm",
        goal: "≥ 5,000",
        result: format!("{:.0}", load.per_cpu_second()),
        met: load.per_cpu_second() >= 5000.0,
        raw: load.describe(),
    });
    let next = Connection::open(server.port).await?.call(&warm).await?.text("next")?;
    let path = next.find("/api/").map_or("", |place| &next[place..]);
    let load = repeat(&server, &client::get_anonymous(path)).await?;
    report.add(Row {
        what: "the same with caches off (its second page) per CPU-second",
        goal: "≥ 1,000",
        result: format!("{:.0}", load.per_cpu_second()),
        met: load.per_cpu_second() >= 1000.0,
        raw: load.describe(),
    });
    let token = access(&server, server::USERS - 1).await?;
    let load = repeat(&server, &client::get("/api/reviews/", &token)).await?;
    report.add(Row {
        what: "the same for a reader, caches off, per CPU-second",
        goal: "≥ 1,000",
        result: format!("{:.0}", load.per_cpu_second()),
        met: load.per_cpu_second() >= 1000.0,
        raw: load.describe(),
    });
    Ok(())
}

/// Reviews with 2 KB of HTML, each connection a user who goes through books of their own.
pub async fn write(data: &TempDir, report: &mut Report) -> Outcome<()> {
    let server = Server::start(data).await?;
    let mut tasks = JoinSet::new();
    let mut tokens = Vec::new();
    for number in 0..CONNECTIONS {
        tokens.push(access(&server, server::USERS - 1 - number).await?);
    }
    let before = server.cpu()?;
    let begun = Instant::now();
    for (writer, token) in tokens.into_iter().enumerate() {
        let mut connection = Connection::open(server.port).await?;
        tasks.spawn(async move {
            let mut calls = 0_u64;
            // The ids begin with 1, and the first books have reviews.
            let first = 1 + REVIEWS_EACH + writer * BOOKS_EACH;
            for book in first..first + BOOKS_EACH {
                if begun.elapsed() > FOR {
                    break;
                }
                let request = client::post_as("/api/reviews/", &token, &review(book));
                let answer = connection.call(&request).await?;
                if answer.status != 201 {
                    return Err(format!("answered with {}", answer.status).into());
                }
                calls += 1;
            }
            Outcome::Ok(calls)
        });
    }
    let mut load = Load::default();
    while let Some(calls) = tasks.join_next().await {
        load.calls += calls??;
    }
    load.cpu = server.cpu()? - before;
    load.wall = begun.elapsed();
    let rate = load.per_cpu_second();
    report.add(Row {
        what: "create review with 2 KB of HTML per CPU-second",
        goal: "≥ 2,500",
        result: format!("{rate:.0}"),
        met: rate >= 2500.0,
        raw: load.describe(),
    });
    Ok(())
}

async fn access(server: &Server, number: usize) -> Outcome<String> {
    let body = json!({ "username": format!("bench_{number}"), "password": server::PASSWORD });
    let login = client::post("/api/auth/login/", &body);
    Connection::open(server.port).await?.call(&login).await?.text("access")
}

/// Books and reviews; `user` is a place among the users of the same file, so they have names of their own.
fn community() -> serde_json::Value {
    let people = REVIEWS / REVIEWS_EACH;
    let users = (0..people).map(|number| {
        let name = format!("reviewer_{number}");
        json!({ "username": name, "email": format!("{name}@bench.example"), "password_hash": "!" })
    });
    let books = 0..REVIEWS_EACH + CONNECTIONS * BOOKS_EACH;
    let books = books.map(|number| json!({ "title": format!("Book {number}"), "author": "Ann Author" }));
    let reviews = (0..REVIEWS).map(|number| {
        let (user, book) = (number / REVIEWS_EACH, number % REVIEWS_EACH);
        json!({ "user": user, "book": book, "title": format!("Review {number}"), "rating": 1 + number % 5,
            "review_text": "<p>A <strong>fine</strong> book, which I read twice.</p>" })
    });
    json!({
        "users": users.collect::<Vec<_>>(),
        "books": books.collect::<Vec<_>>(),
        "reviews": reviews.collect::<Vec<_>>(),
    })
}

fn review(book: usize) -> serde_json::Value {
    let paragraph = "<p>Some <strong>bold</strong> and <em>leaning</em> words, a \
                     <a href=\"https://example.com/?a=1&amp;b=2\">link</a> &amp; more.</p>";
    let text = paragraph.repeat(2048 / paragraph.len());
    json!({ "book": book, "title": "What I think of it", "review_text": text, "rating": 4 })
}
