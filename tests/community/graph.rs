//! Random graphs of follows, requests and blocks, made through HTTP and held against an oracle that knows
//! nothing of the engine: it keeps who follows, asks and blocks whom, and judges by the design's sentences.
//!
//! Another kind of thing joins by a field of [`World`], a step of its own and a check in [`World::check`].

use super::{block, call, follow, people, requests, show_to, staff};
use crate::harness::{PASSWORD, TestApp};
use crate::on_each_database;
use portcullis_security::random::Random;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

const NAMES: [&str; 5] = ["ada", "bea", "cid", "dan", "eve"];
const BOSS: usize = 5;
const STEPS: usize = 160;
/// Steps between two looks at everything, under every setting.
const BETWEEN: usize = 20;

/// Who somebody is shown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    Public,
    FollowersOnly,
    Private,
}

impl Setting {
    const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::FollowersOnly => "followers_only",
            Self::Private => "private",
        }
    }
}

/// What is so, as far as the steps say. People are their places in [`NAMES`]; [`BOSS`] is staff.
struct World<'a> {
    app: &'a TestApp,
    tokens: Vec<String>,
    settings: Vec<Setting>,
    deleted: BTreeSet<usize>,
    follows: BTreeSet<(usize, usize)>,
    requests: BTreeSet<(usize, usize)>,
    blocks: BTreeSet<(usize, usize)>,
    random: Random,
    history: Vec<String>,
}

impl<'a> World<'a> {
    async fn new(app: &'a TestApp, seed: u64) -> Self {
        let mut tokens = people(app, NAMES).await.to_vec();
        tokens.push(staff(app, "boss").await);
        Self {
            app,
            tokens,
            settings: vec![Setting::Public; BOSS + 1],
            deleted: BTreeSet::new(),
            follows: BTreeSet::new(),
            requests: BTreeSet::new(),
            blocks: BTreeSet::new(),
            random: Random::seeded(seed),
            history: vec![format!("seed {seed}")],
        }
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::from(self.random.bytes::<1>()[0]) % below
    }

    fn name(person: usize) -> &'static str {
        NAMES.get(person).copied().unwrap_or("boss")
    }

    fn are_apart(&self, one: usize, other: usize) -> bool {
        let is_blocked = self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one));
        is_blocked && one != BOSS && other != BOSS
    }

    /// Whether a viewer, or nobody, sees what an owner shows to the whole of their audience.
    fn sees(&self, viewer: Option<usize>, owner: usize) -> bool {
        if self.deleted.contains(&owner) {
            return false;
        }
        let Some(viewer) = viewer else { return self.settings[owner] == Setting::Public };
        if viewer == owner || viewer == BOSS {
            return true;
        }
        if self.are_apart(viewer, owner) {
            return false;
        }
        match self.settings[owner] {
            Setting::Public => true,
            Setting::FollowersOnly => self.follows.contains(&(viewer, owner)),
            Setting::Private => false,
        }
    }

    /// How many of some people count for a viewer.
    fn count(&self, viewer: Option<usize>, people: impl Iterator<Item = usize>) -> usize {
        let counts = |person: &usize| {
            !self.deleted.contains(person) && viewer.is_none_or(|viewer| !self.are_apart(viewer, *person))
        };
        people.filter(counts).count()
    }

    async fn step(&mut self) {
        let (one, other) = (self.pick(BOSS + 1), self.pick(BOSS + 1));
        let kind = self.pick(16);
        self.history.push(format!("{kind}: {} {}", Self::name(one), Self::name(other)));
        if self.deleted.contains(&one) {
            return self.come_back(one).await;
        }
        match kind {
            0..=2 => self.set(one).await,
            3..=7 => self.follow(one, other).await,
            8 => self.unfollow(one, other).await,
            9..=11 => self.answer(one, kind == 9).await,
            12 => self.block(one, other).await,
            13..=14 => self.unblock(one).await,
            _ => self.delete(one).await,
        }
    }

    async fn set(&mut self, one: usize) {
        self.settings[one] = [Setting::Public, Setting::FollowersOnly, Setting::Private][self.pick(3)];
        show_to(self.app, &self.tokens[one], self.settings[one].name()).await;
    }

    async fn follow(&mut self, one: usize, other: usize) {
        let answer = follow(self.app, &self.tokens[one], Self::name(other)).await;
        let is_hidden = self.deleted.contains(&other)
            || self.are_apart(one, other)
            || self.settings[other] == Setting::Private;
        let pair = (one, other);
        let expected = if one == other {
            400
        } else if is_hidden {
            404
        } else if self.follows.contains(&pair) {
            200
        } else if self.requests.contains(&pair) {
            if self.settings[other] == Setting::Public {
                self.requests.remove(&pair);
                self.follows.insert(pair);
            }
            200
        } else {
            let made =
                if self.settings[other] == Setting::Public { &mut self.follows } else { &mut self.requests };
            made.insert(pair);
            201
        };
        self.is(answer.status, expected, "follow");
        if expected < 300 {
            let status = if self.follows.contains(&pair) { "accepted" } else { "pending" };
            assert_eq!(answer.text("status"), status, "{:?}", self.history);
        }
    }

    async fn unfollow(&mut self, one: usize, other: usize) {
        let path = format!("/api/profiles/{}/follow/", Self::name(other));
        call(self.app, Method::DELETE, &path, &self.tokens[one]).await;
        if !self.deleted.contains(&other) {
            self.follows.remove(&(one, other));
            self.requests.remove(&(one, other));
        }
    }

    /// Answers the newest request that is shown.
    async fn answer(&mut self, owner: usize, is_no: bool) {
        let Some((name, id)) = requests(self.app, &self.tokens[owner]).await.into_iter().next() else {
            return;
        };
        let one = (0..=BOSS).find(|person| Self::name(*person) == name).expect("a person");
        let what = if is_no { "reject" } else { "approve" };
        let path = format!("/api/follow-requests/{id}/{what}/");
        let answer = call(self.app, Method::POST, &path, &self.tokens[owner]).await;
        self.is(answer.status, 200, what);
        assert!(self.requests.remove(&(one, owner)), "{:?}", self.history);
        if !is_no {
            self.follows.insert((one, owner));
        }
    }

    async fn block(&mut self, one: usize, other: usize) {
        let answer = block(self.app, &self.tokens[one], Self::name(other)).await;
        if one == other || self.deleted.contains(&other) {
            return self.is(answer.status, if one == other { 400 } else { 404 }, "block");
        }
        let is_new = self.blocks.insert((one, other));
        for pair in [(one, other), (other, one)] {
            self.follows.remove(&pair);
            self.requests.remove(&pair);
        }
        self.is(answer.status, if is_new { 201 } else { 200 }, "block");
    }

    async fn unblock(&mut self, one: usize) {
        let own =
            self.blocks.iter().find(|(blocker, other)| *blocker == one && !self.deleted.contains(other));
        let Some((_, other)) = own.copied() else { return };
        let path = format!("/api/profiles/{}/block/", Self::name(other));
        let answer = call(self.app, Method::DELETE, &path, &self.tokens[one]).await;
        self.is(answer.status, 204, "unblock");
        self.blocks.remove(&(one, other));
    }

    async fn delete(&mut self, one: usize) {
        if one == BOSS {
            return;
        }
        let body = json!({ "password": PASSWORD });
        self.app.call(Method::DELETE, "/api/auth/me/", &self.tokens[one], body).await.expect(200);
        self.deleted.insert(one);
    }

    async fn come_back(&mut self, one: usize) {
        self.tokens[one] = self.app.login(Self::name(one), PASSWORD).await.expect(200).text("access");
        self.deleted.remove(&one);
    }

    fn is(&self, found: u16, expected: u16, what: &str) {
        assert_eq!(found, expected, "{what}: {:?}", self.history);
    }

    /// Everything that everybody sees is what the oracle says, whatever the owners' settings are.
    async fn check(&mut self) {
        for viewer in self.present() {
            self.check_lists(viewer).await;
        }
        for owner in self.present() {
            let setting = self.settings[owner];
            for tried in [Setting::Public, Setting::FollowersOnly, Setting::Private] {
                self.settings[owner] = tried;
                show_to(self.app, &self.tokens[owner], tried.name()).await;
                self.check_owner(owner).await;
            }
            self.settings[owner] = setting;
            show_to(self.app, &self.tokens[owner], setting.name()).await;
            if owner != BOSS {
                self.delete(owner).await;
                self.check_owner(owner).await;
                self.come_back(owner).await;
            }
        }
        for owner in self.deleted.clone() {
            self.check_owner(owner).await;
        }
    }

    fn present(&self) -> Vec<usize> {
        (0..=BOSS).filter(|person| !self.deleted.contains(person)).collect()
    }

    async fn check_owner(&self, owner: usize) {
        for viewer in self.present().into_iter().map(Some).chain([None]) {
            self.check_profile(viewer, owner).await;
        }
    }

    async fn check_profile(&self, viewer: Option<usize>, owner: usize) {
        let token = viewer.map_or("", |viewer| &self.tokens[viewer]);
        let path = format!("/api/profiles/{}/", Self::name(owner));
        let shown = call(self.app, Method::GET, &path, token).await;
        let what = format!("{:?} looks at {}", viewer.map(Self::name), Self::name(owner));
        self.is(shown.status, if self.sees(viewer, owner) { 200 } else { 404 }, &what);
        if shown.status != 200 {
            return;
        }
        let followers = self.follows.iter().filter(|(_, other)| *other == owner).map(|(one, _)| *one);
        let following = self.follows.iter().filter(|(one, _)| *one == owner).map(|(_, other)| *other);
        let counts = [self.count(viewer, followers), self.count(viewer, following)];
        let found = [&shown.body["followers_count"], &shown.body["following_count"]];
        assert_eq!(found, counts.map(|count| json!(count)).each_ref(), "{what}: {:?}", self.history);
    }

    async fn check_lists(&self, viewer: usize) {
        let token = &self.tokens[viewer];
        let found: BTreeSet<_> = requests(self.app, token).await.into_iter().map(|(name, _)| name).collect();
        let waiting = self.requests.iter().filter(|(one, other)| {
            *other == viewer && !self.deleted.contains(one) && !self.are_apart(*one, viewer)
        });
        let waiting: BTreeSet<_> = waiting.map(|(one, _)| Self::name(*one).to_owned()).collect();
        assert_eq!(found, waiting, "requests to {}: {:?}", Self::name(viewer), self.history);
    }
}

on_each_database! {
    async fn whoever_follows_asks_or_blocks_sees_what_the_design_says(app: TestApp) {
        let seed = u64::from_le_bytes(Random::system().bytes());
        let mut world = World::new(&app, seed).await;
        for step in 1..=STEPS {
            world.step().await;
            if step % BETWEEN == 0 {
                world.check().await;
            }
        }
        app.mails().await;
    }
}
