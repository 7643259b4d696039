//! Who sees and changes which review: the whole matrix, and random communities against an oracle that knows
//! nothing of the server's table (guide §7, contract §3).

use crate::harness::TestApp;
use crate::on_each_database;
use crate::people::{Person, Step, book, ids, look, person, review, review_body, staff, steps};
use portcullis_security::random::Random;
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: [&str; 3] = ["public", "followers_only", "private"];

/// What a viewer is to the owner of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tie {
    Anonymous,
    Stranger,
    Pending,
    Follower,
    BlockedByOwner,
    BlocksOwner,
    Staff,
    Owner,
}

/// In words of the contract, not in those of the server.
fn sees(tie: Tie, setting: &str, is_public: bool) -> bool {
    match tie {
        Tie::Owner | Tie::Staff => true,
        Tie::BlockedByOwner | Tie::BlocksOwner => false,
        _ if !is_public => false,
        Tie::Follower => setting != "private",
        Tie::Anonymous | Tie::Stranger | Tie::Pending => setting == "public",
    }
}

/// The status of a call with a good body.
fn answer(tie: Tie, is_seen: bool, method: &Method) -> u16 {
    match (method.as_str(), tie) {
        ("GET", _) if is_seen => 200,
        ("GET", _) => 404,
        (_, Tie::Anonymous) => 401,
        _ if !is_seen => 404,
        ("DELETE", Tie::Staff | Tie::Owner) => 204,
        (_, Tie::Owner) => 200,
        _ => 403,
    }
}

on_each_database! {
    async fn everybody_gets_at_each_review_as_far_as_the_truth_table_says(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let owner = person(&app, "owner").await;
        let mut viewers = vec![(Tie::Anonymous, None)];
        for (tie, name) in [(Tie::Stranger, "stranger"), (Tie::Pending, "pending"), (Tie::Follower, "follower"),
            (Tie::BlockedByOwner, "blocked"), (Tie::BlocksOwner, "blocker")] {
            viewers.push((tie, Some(person(&app, name).await)));
        }
        let id_of = |wanted: Tie| viewers.iter().find(|(tie, _)| *tie == wanted)
            .and_then(|(_, person)| person.as_ref()).map(|person| person.id).expect("a person");
        steps(&app, vec![
            Step::Follow { follower: id_of(Tie::Pending), followed: owner.id, is_accepted: false },
            Step::Follow { follower: id_of(Tie::Follower), followed: owner.id, is_accepted: true },
            Step::Block { blocker: owner.id, blocked: id_of(Tie::BlockedByOwner) },
            Step::Block { blocker: id_of(Tie::BlocksOwner), blocked: owner.id },
            Step::Block { blocker: owner.id, blocked: keeper.id },
        ]).await;
        viewers.push((Tie::Staff, Some(keeper.clone())));
        viewers.push((Tie::Owner, Some(owner.clone())));
        let books = [book(&app, &keeper, "Shown").await, book(&app, &keeper, "Kept").await];
        for setting in SETTINGS {
            steps(&app, vec![Step::Setting { user: owner.id, visibility: setting }]).await;
            for is_public in [true, false] {
                let book = books[usize::from(!is_public)];
                for (tie, viewer) in &viewers {
                    let id = review(&app, &owner, book, 4, is_public).await;
                    check(&app, *tie, viewer.as_ref(), (setting, is_public), (id, book)).await;
                    let path = format!("/api/reviews/{id}/");
                    app.call(Method::DELETE, &path, &owner.access, json!({})).await;
                }
            }
        }
    }

    async fn random_communities_are_shown_as_an_oracle_says(app: TestApp) {
        let keeper = staff(&app, "keeper").await;
        let books = [book(&app, &keeper, "Dune").await, book(&app, &keeper, "Emma").await];
        let random = Random::system();
        let seed: [u8; 8] = random.bytes();
        println!("seed {}", u64::from_le_bytes(seed));
        let mut dice = Dice(u64::from_le_bytes(seed) | 1);
        for round in 0..3 {
            let mut people = Vec::new();
            for number in 0..4 {
                people.push(person(&app, &format!("reader{round}_{number}")).await);
            }
            let world = World::throw(&app, &mut dice, people, &books).await;
            world.compare(&app, &keeper, &books).await;
        }
    }
}

async fn check(
    app: &TestApp,
    tie: Tie,
    viewer: Option<&Person>,
    (setting, is_public): (&str, bool),
    (id, book): (i64, i64),
) {
    let is_seen = sees(tie, setting, is_public);
    let case = format!("{tie:?} {setting} {is_public}");
    let path = format!("/api/reviews/{id}/");
    for query in ["", "?user=owner", "?search=owner", "?ordering=rating", &format!("?book={book}")] {
        let list = look(app, viewer, &format!("/api/reviews/{query}")).await.expect(200).body;
        assert_eq!(ids(&list).contains(&id), is_seen, "{case} {query}");
        assert_eq!(list["count"], ids(&list).len(), "{case} {query}");
    }
    let shown = look(app, viewer, &format!("/api/books/{book}/")).await.expect(200).body;
    let expected = if is_seen { json!([1, 4.0]) } else { json!([0, null]) };
    assert_eq!(json!([shown["review_count"], shown["average_rating"]]), expected, "{case}");
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let body = review_body(book, "By owner", 4, is_public);
        let request = app.request(method.clone(), &path).json(&body);
        let request = match viewer {
            Some(person) => request.bearer_auth(&person.access),
            None => request,
        };
        let got = app.send(request).await;
        assert_eq!(got.status, answer(tie, is_seen, &method), "{case} {method}: {}", got.body);
    }
}

/// Numbers that a printed seed gives again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn is_one_in(&mut self, limit: u64) -> bool {
        self.below(limit) == 0
    }
}

struct Written {
    owner: usize,
    id: i64,
    book: i64,
    rating: i64,
    is_public: bool,
}

struct World {
    people: Vec<Person>,
    settings: Vec<&'static str>,
    /// Follower, followed, whether it is accepted.
    follows: Vec<(usize, usize, bool)>,
    blocks: Vec<(usize, usize)>,
    reviews: Vec<Written>,
}

impl World {
    async fn throw(app: &TestApp, dice: &mut Dice, people: Vec<Person>, books: &[i64]) -> Self {
        let mut world = Self {
            people,
            settings: Vec::new(),
            follows: Vec::new(),
            blocks: Vec::new(),
            reviews: Vec::new(),
        };
        for owner in 0..world.people.len() {
            for book in books {
                let (rating, is_public) =
                    (1 + i64::try_from(dice.below(5)).expect("small"), !dice.is_one_in(3));
                let id = review(app, &world.people[owner], *book, rating, is_public).await;
                world.reviews.push(Written { owner, id, book: *book, rating, is_public });
            }
            let setting = SETTINGS[usize::try_from(dice.below(3)).expect("small")];
            world.settings.push(setting);
            for other in (0..world.people.len()).filter(|other| *other != owner) {
                if dice.is_one_in(2) {
                    world.follows.push((owner, other, dice.is_one_in(2)));
                }
                if dice.is_one_in(5) {
                    world.blocks.push((owner, other));
                }
            }
        }
        let id = |index: &usize| world.people[*index].id;
        let follows = world.follows.iter().map(|(follower, followed, is_accepted)| Step::Follow {
            follower: id(follower),
            followed: id(followed),
            is_accepted: *is_accepted,
        });
        let blocks =
            world.blocks.iter().map(|(one, other)| Step::Block { blocker: id(one), blocked: id(other) });
        let settings = world.settings.iter().enumerate();
        let settings = settings.map(|(index, visibility)| Step::Setting { user: id(&index), visibility });
        steps(app, follows.chain(blocks).chain(settings).collect()).await;
        world
    }

    fn tie(&self, viewer: usize, owner: usize) -> Tie {
        if viewer == owner {
            return Tie::Owner;
        }
        if self.blocks.contains(&(viewer, owner)) {
            return Tie::BlocksOwner;
        }
        if self.blocks.contains(&(owner, viewer)) {
            return Tie::BlockedByOwner;
        }
        match self.follows.iter().find(|(follower, followed, _)| (*follower, *followed) == (viewer, owner)) {
            Some((_, _, true)) => Tie::Follower,
            Some(_) => Tie::Pending,
            None => Tie::Stranger,
        }
    }

    async fn compare(&self, app: &TestApp, keeper: &Person, books: &[i64]) {
        let all = (0..self.people.len()).map(Some).chain([None]);
        for viewer in all {
            let person = viewer.map(|index| &self.people[index]);
            let tie = |owner| viewer.map_or(Tie::Anonymous, |viewer| self.tie(viewer, owner));
            self.compare_viewer(app, person, &tie, books).await;
        }
        self.compare_viewer(app, Some(keeper), &|_| Tie::Staff, books).await;
        for written in &self.reviews {
            let owner = &self.people[written.owner];
            app.call(Method::DELETE, &format!("/api/reviews/{}/", written.id), &owner.access, json!({}))
                .await
                .expect(204);
        }
    }

    async fn compare_viewer(
        &self,
        app: &TestApp,
        viewer: Option<&Person>,
        tie: &dyn Fn(usize) -> Tie,
        books: &[i64],
    ) {
        let name = viewer.map_or("nobody", |person| &person.name);
        let is_seen =
            |written: &&Written| sees(tie(written.owner), self.settings[written.owner], written.is_public);
        let seen: Vec<&Written> = self.reviews.iter().filter(is_seen).collect();
        let mut expected: Vec<i64> = seen.iter().map(|written| written.id).collect();
        expected.sort_unstable_by_key(|id| -id);
        let list = look(app, viewer, "/api/reviews/?page_size=100").await.expect(200).body;
        assert_eq!((ids(&list), &list["count"]), (expected.clone(), &json!(expected.len())), "{name}");
        let found = look(app, viewer, "/api/reviews/?search=by&page_size=100").await.expect(200).body;
        assert_eq!(ids(&found), expected, "{name} searches");
        let shown = look(app, viewer, "/api/books/").await.expect(200).body;
        for book in books {
            let of_book: Vec<i64> =
                seen.iter().filter(|written| written.book == *book).map(|written| written.rating).collect();
            let row = shown["results"].as_array().expect("rows").iter().find(|row| row["id"] == *book);
            let row = row.cloned().unwrap_or(Value::Null);
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let mean = of_book.iter().sum::<i64>() as f64 / of_book.len() as f64;
            let mean = (!of_book.is_empty()).then_some(mean);
            assert_eq!(row["review_count"], of_book.len(), "{name}");
            assert_eq!(row["average_rating"].as_f64(), mean, "{name}");
        }
    }
}
