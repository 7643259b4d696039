//! Books (contract §3).

use crate::harness::{Database, TestApp};
use crate::on_each_database;
use crate::people::{book, ids, look, person, staff};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    async fn staff_make_change_and_remove_books(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let body = json!({ "title": "<b>Dune</b> & Co", "author": "Frank Herbert", "isbn": "0-306-40615-2",
            "description": "1 < 2", "year": 1965, "unknown": true });
        let made = app.call(Method::POST, "/api/books/", &keeper.access, body).await.expect(201);
        let id = made.body["id"].as_i64().expect("an id");
        assert_eq!(made.body, json!({ "id": id, "title": "Dune & Co", "author": "Frank Herbert",
            "isbn": "9780306406157", "description": "1 < 2", "year": 1965, "average_rating": null,
            "review_count": 0 }));
        let path = format!("/api/books/{id}/");
        assert_eq!(look(&app, None, &path).await.expect(200).body, made.body);
        let patch = json!({ "title": "Dune", "isbn": null, "year": null });
        let patched = app.call(Method::PATCH, &path, &keeper.access, patch).await.expect(200);
        assert_eq!((&patched.body["title"], &patched.body["isbn"]), (&json!("Dune"), &json!(null)));
        assert_eq!(look(&app, None, &path).await.expect(200).body, patched.body);
        app.call(Method::DELETE, &path, &keeper.access, json!({})).await.expect(204);
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            app.call(method, &path, &keeper.access, json!({})).await.expect(404);
        }
    }

    async fn nobody_but_staff_writes_books(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let path = format!("/api/books/{}/", book(&app, &keeper, "Emma").await);
        let body = json!({ "title": "Mine", "author": "Me" });
        for (method, path) in [(Method::POST, "/api/books/"), (Method::PATCH, &path), (Method::DELETE, &path)] {
            let anonymous = app.send(app.request(method.clone(), path).json(&body)).await.expect(401);
            assert_eq!(anonymous.text("code"), "not_authenticated");
            let refused = app.call(method, path, &reader.access, body.clone()).await.expect(403);
            assert_eq!(refused.text("code"), "permission_denied");
        }
        assert_eq!(look(&app, None, &path).await.expect(200).text("title"), "Emma");
    }

    async fn what_is_wrong_with_a_book_is_told_field_by_field(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let post = |body| app.call(Method::POST, "/api/books/", &keeper.access, body);
        let body = json!({ "title": "<b> </b>", "isbn": "030640615", "year": "soon", "description": 5 });
        let wrong = post(body).await.expect(400);
        let fields = wrong.body["fields"].as_object().expect("fields");
        let names: Vec<_> = fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["author", "description", "isbn", "title", "year"]);
        let long = json!({ "title": "x".repeat(201), "author": "x".repeat(200), "year": 99999 });
        assert_eq!(post(long).await.expect(400).body["fields"].as_object().map(serde_json::Map::len), Some(2));
        let first = json!({ "title": "One", "author": "A", "isbn": "978-0-306-40615-7" });
        post(first).await.expect(201);
        let same = post(json!({ "title": "Two", "author": "B", "isbn": "0306406152" })).await.expect(400);
        assert_eq!(same.body["fields"]["isbn"][0], "A book with this ISBN already exists.");
        for path in ["/api/books/0/", "/api/books/x/", "/api/books/99999999999999999999/"] {
            look(&app, None, path).await.expect(404);
        }
    }

    async fn books_are_searched_ordered_and_paged(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let mut made = Vec::new();
        for (title, year) in [("Jane Eyre", 1847), ("Émile", 1762), ("Emma", 1815), ("Dune", 1965), ("Dune Messiah", 1969)] {
            let body = json!({ "title": title, "author": "Ann Author", "year": year });
            let answer = app.call(Method::POST, "/api/books/", &keeper.access, body).await.expect(201);
            made.push(answer.body["id"].as_i64().expect("an id"));
        }
        let list = |query: String| { let app = &app; async move { look(app, None, &format!("/api/books/?{query}")).await } };
        let found = |query: &str| { let answer = list(query.to_owned()); async move { ids(&answer.await.expect(200).body) } };
        let [jane, emile, emma, dune, messiah] = made[..] else { panic!("five books") };
        assert_eq!(found("").await, [dune, messiah, emma, jane, emile], "by title, byte by byte");
        assert_eq!(found("ordering=-year").await, [messiah, dune, jane, emma, emile]);
        assert_eq!(found("ordering=year&page_size=2").await, [emile, emma]);
        assert_eq!(found("search=dun").await, [dune, messiah]);
        assert_eq!(found("search=AUTHOR%20dune%20mess").await, [messiah]);
        assert_eq!(found("search=emile").await, [emile]);
        assert_eq!(found("search=em&ordering=-title").await, [emile, emma]);
        for nothing in ["search=nothing", "search=%21", "search=%25", "search=une"] {
            assert_eq!(found(nothing).await, Vec::<i64>::new(), "{nothing}");
        }
        for wrong in ["cursor=x", "search=a%00"] {
            list(wrong.to_owned()).await.expect(400);
        }
        for unknown in ["ordering=password", "ordering=--title"] {
            assert_eq!(found(unknown).await, found("ordering=title").await, "{unknown}");
        }
        list(format!("search={}", "x".repeat(201))).await.expect(400);
        for query in ["page_size=2", "page_size=2&search=author", "page_size=2&ordering=-year"] {
            let whole = found(query.split('&').skip(1).collect::<Vec<_>>().join("&").as_str()).await;
            let (mut page, mut walked, mut back) = (list(query.to_owned()).await.expect(200), Vec::new(), Vec::new());
            loop {
                assert_eq!(page.body["count"], 5);
                walked.extend(ids(&page.body));
                let Some(next) = page.body["next"].as_str() else { break };
                page = look(&app, None, next.trim_start_matches(&app.origin())).await.expect(200);
            }
            assert_eq!(walked, whole, "{query}");
            loop {
                back.splice(0..0, ids(&page.body));
                let Some(previous) = page.body["previous"].as_str() else { break };
                page = look(&app, None, previous.trim_start_matches(&app.origin())).await.expect(200);
            }
            assert_eq!(back, whole, "{query} backwards");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn community_routes_are_throttled() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.throttle.anon = portcullis::config::Rate::parse("3/hour").expect("a rate");
        config.throttle.anon_post = portcullis::config::Rate::parse("1/hour").expect("a rate");
    })
    .await;
    app.post("/api/reviews/", json!({})).await.expect(401);
    let twice = app.post("/api/books/", json!({})).await.expect(429);
    assert!(twice.headers.contains_key("retry-after"));
    for status in [200, 200, 429, 429] {
        look(&app, None, "/api/books/").await.expect(status);
    }
    look(&app, None, "/api/reviews/").await.expect(429);
    look(&app, None, "/api/reviews/1/").await.expect(429);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_server_alone_has_no_community() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.enabled = false).await;
    for path in ["/api/books/", "/api/reviews/", "/api/profile/"] {
        assert_eq!(look(&app, None, path).await.expect(404).text("code"), "not_found");
    }
    let document = look(&app, None, "/api/schema").await.expect(200);
    assert!(document.body["paths"].get("/api/books/").is_none());
    app.stop().await;
}
