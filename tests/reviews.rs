//! Reviews (guide §7.2, §11; contract §3).

use crate::harness::TestApp;
use crate::harness::form::picture;
use crate::on_each_database;
use crate::people::{book, ids, look, person, review, review_body, staff};
use reqwest::Method;
use serde_json::{Value, json};

on_each_database! {
    async fn a_review_is_cleaned_once_when_it_is_written(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let body = json!({ "book": dune, "title": "<i>AT&T</i> & <script>x</script>", "rating": 5,
            "review_text": "<p onclick=x()>Read <em>it</em> at https://a.example<script>alert(1)</script>" });
        let made = app.call(Method::POST, "/api/reviews/", &reader.access, body).await.expect(201);
        assert_eq!(made.text("title"), "AT&T & x");
        assert_eq!(made.text("review_text"), "<p>Read <em>it</em> at <a href=\"https://a.example\" \
            rel=\"nofollow ugc noopener\">https://a.example</a></p>");
        assert_eq!((&made.body["is_public"], &made.body["user"]), (&json!(true), &json!("reader")));
        let path = format!("/api/reviews/{}/", made.body["id"]);
        assert_eq!(look(&app, None, &path).await.expect(200).body, made.body, "others see what its owner saw");
        let again = json!({ "title": made.body["title"], "review_text": made.body["review_text"] });
        let again = app.call(Method::PATCH, &path, &reader.access, again).await.expect(200);
        assert_eq!(again.body["review_text"], made.body["review_text"]);
        assert_eq!(again.body["title"], made.body["title"]);
        let white = json!({ "review_text": "<b></b> fine <script>alert(1)</script>" });
        let white = app.call(Method::PATCH, &path, &reader.access, white).await.expect(200);
        assert_eq!(white.text("review_text"), "fine");
    }

    async fn a_private_review_that_is_replaced_stays_private_unless_it_says_otherwise(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let path = format!("/api/reviews/{}/", review(&app, &reader, dune, 3, false).await);
        let mut body = review_body(dune, "Again", 4, true);
        body.as_object_mut().expect("an object").remove("is_public");
        let put = app.call(Method::PUT, &path, &reader.access, body.clone()).await.expect(200);
        assert_eq!(put.body["is_public"], false);
        body["is_public"] = json!(null);
        for (method, path) in [(Method::PUT, &*path), (Method::PATCH, &*path), (Method::POST, "/api/reviews/")] {
            let refused = app.call(method, path, &reader.access, body.clone()).await.expect(400);
            assert_eq!(refused.body["fields"]["is_public"], json!(["This field may not be null."]));
        }
    }

    async fn hostile_texts_are_harmless_or_refused_and_never_an_error_of_ours(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let path = format!("/api/reviews/{}/", review(&app, &reader, dune, 3, true).await);
        let patch = |text: String| app.call(Method::PATCH, &path, &reader.access, json!({ "review_text": text }));
        for (text, kept) in [
            ("x<img src=x onerror=alert(1)>", "x"),
            ("x<svg/onload=alert(1)>", "x"),
            ("<a href='javascript:alert(1)'>x</a>", "x"),
            ("<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">x", "x"),
            ("<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">x", "<p>x</p>"),
            ("<form><button formaction=javascript:alert(1)>x", "x"),
            ("<iframe srcdoc='<script>alert(1)</script>'></iframe>x", "x"),
        ] {
            assert_eq!(patch(text.to_owned()).await.expect(200).text("review_text"), kept, "{text}");
        }
        for text in ["<ul><li>".repeat(6000), "x".repeat(50_001), "<script>x</script>".to_owned(), "  ".to_owned()] {
            let refused = patch(text).await.expect(400);
            assert!(refused.body["fields"]["review_text"][0].is_string(), "{}", refused.body);
        }
        patch("&".repeat(50_000)).await.expect(200);
        patch("<p>a".repeat(12_500)).await.expect(200);
    }

    async fn reviews_come_with_titles_and_pictures_for_those_who_ask(app: TestApp) {
        let (keeper, reader, other) =
            (staff(&app, "keeper").await, person(&app, "reader").await, person(&app, "other").await);
        let dune = book(&app, &keeper, "Dune").await;
        let first = review(&app, &reader, dune, 5, true).await;
        let hidden = review(&app, &other, dune, 4, false).await;
        let picture = app.upload_avatar(&reader.access, &picture("exif.jpg")).await.expect(200).text("avatar_url");
        let detail = |id: i64, query: &str| format!("/api/reviews/{id}/{query}");
        let both = "?include=book_title,avatar_url";

        let plain = look(&app, None, "/api/reviews/").await.expect(200).body["results"][0].clone();
        assert_eq!((plain.get("book_title"), plain.get("avatar_url")), (None, None));
        let list = format!("/api/reviews/{both}");
        for path in [list.clone(), format!("{list}&user=reader"), format!("{list}&search=reader"), list.clone()] {
            let page = look(&app, None, &path).await.expect(200).body;
            let rows = page["results"].as_array().expect("rows");
            assert!(!rows.is_empty(), "{path}");
            for row in rows {
                assert_eq!((&row["book_title"], &row["avatar_url"]), (&json!("Dune"), &json!(picture)), "{path}");
            }
        }
        assert_eq!(look(&app, None, "/api/reviews/").await.expect(200).body["results"][0], plain, "kept apart");
        let shown = look(&app, None, &detail(first, both)).await.expect(200).body;
        assert_eq!((&shown["book_title"], &shown["avatar_url"]), (&json!("Dune"), &json!(picture)));
        let title = look(&app, None, &detail(first, "?include=email,book_title,,x")).await.expect(200).body;
        assert_eq!((&title["book_title"], title.get("avatar_url"), title.get("email")), (&json!("Dune"), None, None));

        // Without a picture it is null, and what is hidden stays so.
        let own = app.get(&detail(hidden, both), &other.access).await.expect(200).body;
        assert_eq!(own.get("avatar_url"), Some(&Value::Null));
        look(&app, None, &detail(hidden, both)).await.expect(404);
        app.get(&detail(first, both), "not-a-token").await.expect(401);
        for path in ["/api/reviews/?include=%00".to_owned(), detail(first, "?include=%00")] {
            look(&app, None, &path).await.expect(400);
        }
        app.call(Method::DELETE, "/api/profile/avatar/", &reader.access, Value::Null).await.expect(204);
        assert_eq!(look(&app, None, &list).await.expect(200).body["results"][0]["avatar_url"], Value::Null);
    }

    async fn one_review_for_each_user_and_book(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let (dune, emma) = (book(&app, &keeper, "Dune").await, book(&app, &keeper, "Emma").await);
        review(&app, &reader, dune, 5, true).await;
        let post = |body: Value| app.call(Method::POST, "/api/reviews/", &reader.access, body);
        let second = post(review_body(dune, "Again", 1, false)).await.expect(400);
        assert_eq!(second.body["fields"]["book"][0], "You have already reviewed this book.");
        let unknown = post(review_body(987_654, "Nothing", 1, true)).await.expect(400);
        assert_eq!(unknown.body["fields"]["book"][0], "Invalid pk \"987654\" - object does not exist.");
        let other = format!("/api/reviews/{}/", review(&app, &reader, emma, 2, true).await);
        let moved = app.call(Method::PATCH, &other, &reader.access, json!({ "book": dune })).await.expect(400);
        assert_eq!(moved.body["fields"]["book"][0], "You have already reviewed this book.");
        let all = look(&app, None, "/api/reviews/").await.expect(200);
        assert_eq!(all.body["count"], 2, "what was refused left nothing");
        assert_eq!(look(&app, None, "/api/reviews/?search=again").await.expect(200).body["count"], 0);
        let emma = look(&app, None, &format!("/api/books/{emma}/")).await.expect(200);
        assert_eq!((&emma.body["average_rating"], &emma.body["review_count"]), (&json!(2.0), &json!(1)));
    }

    async fn what_is_wrong_with_a_review_is_told_field_by_field(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let post = |body: Value| app.call(Method::POST, "/api/reviews/", &reader.access, body);
        let none = post(json!({})).await.expect(400);
        let names: Vec<_> = none.body["fields"].as_object().expect("fields").keys().cloned().collect();
        assert_eq!(names, ["book", "rating", "review_text", "title"]);
        for (field, value) in [("rating", json!(0)), ("rating", json!(6)), ("rating", json!(4.5)), ("rating", json!("x")),
            ("rating", json!(true)), ("rating", json!(1e30)), ("book", json!("x")), ("book", json!(null)), ("title", json!("x".repeat(201))),
            ("title", json!("<b></b>")), ("title", json!(["x"])), ("is_public", json!("maybe")), ("review_text", json!(7))] {
            let mut body = review_body(dune, "Fine", 4, true);
            body[field] = value.clone();
            let wrong = post(body).await.expect(400);
            assert!(wrong.body["fields"][field][0].is_string(), "{field}={value}: {}", wrong.body);
        }
        post(review_body(dune, &"x".repeat(200), 4, true)).await.expect(201);
        for query in ["book=x", "cursor=!!", "user=%00"] {
            look(&app, None, &format!("/api/reviews/?{query}")).await.expect(400);
        }
        for path in ["/api/reviews/0/", "/api/reviews/-1/", "/api/reviews/x/", "/api/reviews/1e3/"] {
            look(&app, None, path).await.expect(404);
        }
    }

    async fn a_book_counts_what_is_public_and_follows_every_change(app: TestApp) {
        let (keeper, reader, other) =
            (staff(&app, "keeper").await, person(&app, "reader").await, person(&app, "other").await);
        let (dune, emma) = (book(&app, &keeper, "Dune").await, book(&app, &keeper, "Emma").await);
        let figures = |id: i64| { let app = &app; async move {
            let book = look(app, None, &format!("/api/books/{id}/")).await.expect(200).body;
            (book["average_rating"].as_f64(), book["review_count"].as_i64().expect("a count"))
        } };
        let first = format!("/api/reviews/{}/", review(&app, &reader, dune, 5, true).await);
        let second = format!("/api/reviews/{}/", review(&app, &other, dune, 2, true).await);
        assert_eq!(figures(dune).await, (Some(3.5), 2));
        app.call(Method::PATCH, &first, &reader.access, json!({ "rating": 4 })).await.expect(200);
        assert_eq!(figures(dune).await, (Some(3.0), 2));
        app.call(Method::PATCH, &second, &other.access, json!({ "is_public": false })).await.expect(200);
        assert_eq!(figures(dune).await, (Some(4.0), 1));
        app.call(Method::PATCH, &first, &reader.access, json!({ "book": emma, "rating": 1 })).await.expect(200);
        assert_eq!((figures(dune).await, figures(emma).await), ((None, 0), (Some(1.0), 1)));
        app.call(Method::PUT, &first, &reader.access, review_body(dune, "Back", 3, true)).await.expect(200);
        assert_eq!((figures(dune).await, figures(emma).await), ((Some(3.0), 1), (None, 0)));
        app.call(Method::PUT, &first, &reader.access, json!({ "rating": 3 })).await.expect(400);
        app.call(Method::DELETE, &first, &reader.access, json!({})).await.expect(204);
        app.call(Method::DELETE, &first, &reader.access, json!({})).await.expect(404);
        assert_eq!(figures(dune).await, (None, 0));
        app.call(Method::DELETE, &format!("/api/books/{dune}/"), &keeper.access, json!({})).await.expect(204);
        app.get(&second, &other.access).await.expect(404);
    }

    async fn public_figures_stay_exact_under_parallel_writes(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let dune = book(&app, &keeper, "Dune").await;
        let mut people = Vec::new();
        for number in 0..6 {
            people.push(person(&app, &format!("reader{number}")).await);
        }
        let work = people.iter().zip(1..).map(|(owner, number)| {
            let app = &app;
            async move {
                let path = format!("/api/reviews/{}/", review(app, owner, dune, 1 + number % 5, true).await);
                for round in 0..5 {
                    let patch = json!({ "rating": 1 + (number + round) % 5, "is_public": round != 2 });
                    app.call(Method::PATCH, &path, &owner.access, patch).await.expect(200);
                }
                if number == 1 {
                    app.call(Method::DELETE, &path, &owner.access, json!({})).await.expect(204);
                }
            }
        });
        futures_util::future::join_all(work).await;
        let ratings: Vec<i64> = (2..=6).map(|number| 1 + (number + 4) % 5).collect();
        let book = look(&app, None, &format!("/api/books/{dune}/")).await.expect(200).body;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let mean = ratings.iter().sum::<i64>() as f64 / ratings.len() as f64;
        assert_eq!((book["average_rating"].as_f64(), book["review_count"].as_i64()), (Some(mean), Some(5)));
    }

    async fn reviews_are_filtered_searched_ordered_and_paged(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let (dune, emma) = (book(&app, &keeper, "Dune").await, book(&app, &keeper, "Emma").await);
        let (reader, other) = (person(&app, "reader").await, person(&app, "other").await);
        let one = review(&app, &reader, dune, 5, true).await;
        let two = review(&app, &other, dune, 1, true).await;
        let three = review(&app, &reader, emma, 3, true).await;
        let own = review(&app, &other, emma, 4, false).await;
        let found = |viewer, query: &str| { let (app, path) = (&app, format!("/api/reviews/?{query}"));
            async move { ids(&look(app, viewer, &path).await.expect(200).body) } };
        assert_eq!(found(None, "").await, [three, two, one], "the newest first");
        assert_eq!(found(Some(&other), "").await, [own, three, two, one], "with the caller's own");
        assert_eq!(found(None, "ordering=created_at").await, [one, two, three]);
        assert_eq!(found(Some(&other), "ordering=-rating").await, [one, own, three, two]);
        assert_eq!(found(None, &format!("book={dune}")).await, [two, one]);
        assert_eq!(found(None, "user=READER").await, [three, one]);
        assert_eq!(found(Some(&other), "user=other").await, [own, two]);
        assert_eq!(found(None, "user=nobody").await, Vec::<i64>::new());
        assert_eq!(found(Some(&other), "search=by%20oth").await, [own, two]);
        assert_eq!(found(None, "search=other").await, [two], "hidden in a search too");
        assert_eq!(found(None, &format!("search=by&book={emma}&user=reader&ordering=rating")).await, [three]);
        for query in ["page_size=1", "page_size=1&ordering=-rating", "page_size=1&search=by"] {
            let whole = found(Some(&other), &query.replace("page_size=1", "page_size=9")).await;
            let (mut walked, mut path) = (Vec::new(), format!("/api/reviews/?{query}"));
            loop {
                let page = look(&app, Some(&other), &path).await.expect(200).body;
                assert_eq!(page["count"], 4);
                walked.extend(ids(&page));
                let Some(next) = page["next"].as_str() else { break };
                path = next.trim_start_matches(&app.origin()).to_owned();
            }
            assert_eq!(walked, whole, "{query}");
        }
    }

    async fn whoever_reviewed_a_book_is_mailed_about_the_next_review(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let first = app.user("first").await.text("access");
        let dune = book(&app, &keeper, "Dune").await;
        app.call(Method::POST, "/api/reviews/", &first, review_body(dune, "First", 3, true)).await.expect(201);
        review(&app, &reader, dune, 5, true).await;
        let subjects: Vec<_> = app.mails().await.into_iter()
            .filter(|mail| mail.to == "first@example.com").map(|mail| mail.subject).collect();
        assert!(subjects.iter().any(|subject| subject == "reader reviewed Dune at Portcullis"), "{subjects:?}");
    }

    async fn a_change_is_seen_in_the_public_list_at_once(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        for round in 0..5 {
            assert_eq!(look(&app, None, "/api/reviews/").await.expect(200).body["count"], 0, "{round}");
            let path = format!("/api/reviews/{}/", review(&app, &reader, dune, 5, true).await);
            assert_eq!(look(&app, None, "/api/reviews/").await.expect(200).body["count"], 1, "{round}");
            app.call(Method::DELETE, &path, &reader.access, json!({})).await.expect(204);
        }
    }

    async fn a_deleted_account_shows_nothing_at_once(app: TestApp) {
        let (keeper, reader) = (staff(&app, "keeper").await, person(&app, "reader").await);
        let dune = book(&app, &keeper, "Dune").await;
        let path = format!("/api/reviews/{}/", review(&app, &reader, dune, 5, true).await);
        let export = app.get("/api/auth/me/export/", &reader.access).await.expect(200);
        assert_eq!(export.body["reviews"][0]["rating"], 5);
        let body = json!({ "password": crate::harness::PASSWORD });
        app.call(Method::DELETE, "/api/auth/me/", &reader.access, body).await.expect(200);
        for viewer in [None, Some(&keeper)] {
            look(&app, viewer, &path).await.expect(404);
            assert_eq!(look(&app, viewer, "/api/reviews/").await.expect(200).body["count"], 0);
            let book = look(&app, viewer, &format!("/api/books/{dune}/")).await.expect(200);
            assert_eq!(book.body["review_count"], 0);
        }
        app.login("reader", crate::harness::PASSWORD).await.expect(200);
        look(&app, None, &path).await.expect(200);
        app.mails().await;
    }
}
