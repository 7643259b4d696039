//! Throttles, exact under parallel fire (contract §2 "Throttles").

use crate::harness::{Answer, Database, PASSWORD, TestApp, databases, unique};
use portcullis::config::Rate;
use portcullis_security::random::Random;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_logins_at_once_five_are_tried() {
    let app = TestApp::with(Database::Sqlite, |config| config.throttle.enabled = true).await;
    let body = json!({ "username": "nobody", "password": "wrong" });
    let calls = (0..1000).map(|_| app.post("/api/auth/login/", body.clone()));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    let refused = answers.iter().find(|answer| answer.status == 429).expect("a refusal");
    assert_eq!(refused.body["error"], "Rate limit exceeded");
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(refused.headers.contains_key(name), "{name}");
    }
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 995);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttles_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let again = |config: &mut portcullis::config::Config| {
        config.throttle.enabled = true;
        config.storage.database_url =
            portcullis_security::secret::Secret::from(format!("sqlite://{}/db", path.display()));
        config.secret_key =
            Some(portcullis_security::secret::Secret::from("a secret of thirty-two bytes and more"));
    };
    let app = TestApp::with(Database::Sqlite, again).await;
    for _ in 0..5 {
        app.login("nobody", "wrong").await.expect(401);
    }
    app.stop().await;
    let app = TestApp::with(Database::Sqlite, again).await;
    app.login("nobody", "wrong").await.expect(429);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attacker_cannot_lock_a_known_device_out() {
    let app = TestApp::with(Database::Sqlite, |config| config.throttle.enabled = true).await;
    let device = app.user("reader").await.cookie("device").expect("a device cookie");
    for _ in 0..6 {
        app.login("reader", "wrong").await;
    }
    app.login("reader", PASSWORD).await.expect(429);
    let body = json!({ "username": "reader", "password": PASSWORD });
    let owner =
        app.request(reqwest::Method::POST, "/api/auth/login/").header("cookie", format!("device={device}"));
    app.send(owner.json(&body)).await.expect(200);
    let forged =
        app.request(reqwest::Method::POST, "/api/auth/login/").header("cookie", format!("device={device}0"));
    app.send(forged.json(&body)).await.expect(429);
    app.stop().await;
}

async fn log_in_with(app: &TestApp, device: &str, password: &str) -> Answer {
    let call =
        app.request(reqwest::Method::POST, "/api/auth/login/").header("cookie", format!("device={device}"));
    app.send(call.json(&json!({ "username": "reader", "password": password }))).await
}

fn throttled(config: &mut portcullis::config::Config) {
    config.throttle.enabled = true;
    config.server.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_in_often_from_a_device_buys_no_more_guesses() {
    let app = TestApp::with_manual_clock(Database::Sqlite, throttled).await;
    let mut device = app.user("reader").await.cookie("device").expect("a device cookie");
    for _ in 0..5 {
        device = log_in_with(&app, &device, PASSWORD).await.expect(200).cookie("device").expect("another");
    }
    log_in_with(&app, &device, "wrong").await.expect(429);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_the_cookies_of_other_devices() {
    let app = TestApp::with_manual_clock(Database::Sqlite, throttled).await;
    let session = app.user("reader").await;
    let other = session.cookie("device").expect("a device cookie");
    app.advance(Duration::from_secs(60));
    let body = json!({ "current_password": PASSWORD, "new_password": "Sturdy-Harbour-43" });
    let path = "/api/auth/change-password/";
    let changed = app.call(Method::POST, path, &session.text("access"), body).await.expect(200);
    let own = changed.cookie("device").expect("a device cookie");
    app.advance(Duration::from_secs(60));
    for _ in 0..6 {
        app.login("reader", "wrong").await;
    }
    log_in_with(&app, &other, "Sturdy-Harbour-43").await.expect(429);
    log_in_with(&app, &own, "Sturdy-Harbour-43").await.expect(200);
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_devices_of_an_account_together_make_thirty_guesses_a_minute() {
    let app = TestApp::with_manual_clock(Database::Sqlite, throttled).await;
    let mut devices = vec![app.user("reader").await.cookie("device").expect("a device cookie")];
    for _ in 0..7 {
        app.advance(Duration::from_secs(60));
        devices.push(app.login("reader", PASSWORD).await.expect(200).cookie("device").expect("another"));
    }
    app.advance(Duration::from_secs(60));
    let mut tried = 0;
    for device in &devices {
        for _ in 0..5 {
            tried += usize::from(log_in_with(&app, device, "wrong").await.status == 401);
        }
    }
    assert_eq!(tried, 30);
    app.mails().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_was_hit_is_on_record_once_and_names_nobody() {
    let app = TestApp::with(Database::Sqlite, |config| config.throttle.enabled = true).await;
    for number in 0..9 {
        app.login(&format!("nobody{number}"), "hunter2-secret").await;
    }
    for number in 0..9 {
        let email = format!("owner{number}@example.com");
        app.post("/api/auth/password-reset/", json!({ "email": email })).await;
    }
    let hits = app.events("limit.hit").await;
    let details: Vec<_> = hits.iter().map(|hit| hit.detail.as_str()).collect();
    assert_eq!(details, ["auth by ip", "reset by ip"], "eight calls were refused");
    assert!(hits.iter().all(|hit| hit.ip_prefix == "127.0.0.0/24" && hit.request_id.len() == 16));
    let all = format!("{hits:?}");
    for secret in ["hunter2", "nobody", "owner", "127.0.0.1"] {
        assert!(!all.contains(secret), "{all}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_from_many_networks_are_on_record_for_their_account() {
    let app = TestApp::with(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await;
    let user = app.user("reader").await;
    let body = json!({ "username": "reader", "password": "wrong" });
    for number in 0..9 {
        let from = format!("203.0.{number}.7");
        let call = app.request(reqwest::Method::POST, "/api/auth/login/").header("x-forwarded-for", from);
        app.send(call.json(&body)).await;
    }
    let hits = app.events("limit.hit").await;
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!(
        (hits[0].detail.as_str(), hits[0].user_id),
        ("auth by account", user.body["user"]["id"].as_i64())
    );
    app.stop().await;
}

/// A seeded draw, so that a failure comes again.
struct Dice(Random);

impl Dice {
    fn below(&self, limit: u64) -> u64 {
        u64::from_le_bytes(self.0.bytes()) % limit
    }

    /// Bursts, pauses, and steps that end a microsecond before or exactly at the end of a period.
    fn pause(&self, period: Duration) -> Duration {
        let micros = u64::try_from(period.as_micros()).expect("a period");
        match self.below(10) {
            0..=5 => Duration::ZERO,
            6 => Duration::from_micros(self.below(micros / 6)),
            7 => Duration::from_micros(micros - 1),
            8 => period,
            _ => Duration::from_micros(self.below(micros * 16)),
        }
    }
}

/// When calls of one bucket were accepted, in microseconds.
type Accepted = Vec<i64>;

/// By brute force: how many accepted calls lie in the period that ends at `now`.
fn in_window(accepted: &Accepted, now: i64, period: Duration) -> usize {
    let period = i64::try_from(period.as_micros()).expect("a period");
    accepted.iter().filter(|at| **at > now - period && **at <= now).count()
}

/// By brute force: the most accepted calls in any window of the period.
fn most_in_any_window(accepted: &Accepted, period: Duration) -> usize {
    accepted.iter().map(|end| in_window(accepted, *end, period)).max().unwrap_or_default()
}

async fn log_in_from(app: &TestApp, ip: &str, name: &str) -> Answer {
    let request = app.request(Method::POST, "/api/auth/login/").header("x-forwarded-for", ip);
    app.send(request.json(&json!({ "username": name, "password": "wrong" }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_day_logins_are_tried_exactly_when_address_and_account_allow() {
    const MINUTE: Duration = Duration::from_secs(60);
    let app = throttled_app().await;
    let dice = Dice(Random::seeded(1));
    let (ips, names) = (["192.0.2.1", "192.0.2.2", "192.0.2.3"], ["ann", "bob"]);
    let mut by_ip = [const { Accepted::new() }; 3];
    let mut by_name = [const { Accepted::new() }; 2];
    let (start, mut calls) = (app.now().micros(), [0, 0]);
    while app.now().micros() - start < 86_400 * 1_000_000 {
        let (ip, name) = (dice.below(3) as usize, dice.below(2) as usize);
        let now = app.now().micros();
        let allowed = in_window(&by_ip[ip], now, MINUTE) < 5 && in_window(&by_name[name], now, MINUTE) < 5;
        let status = log_in_from(&app, ips[ip], names[name]).await.status;
        assert_eq!(status, if allowed { 401 } else { 429 }, "after {calls:?} calls, at {now}");
        if allowed {
            by_ip[ip].push(now);
            by_name[name].push(now);
        }
        calls[usize::from(allowed)] += 1;
        app.advance(dice.pause(MINUTE));
    }
    assert!(calls[0] > 50 && calls[1] > 500, "refused and accepted: {calls:?}");
    for accepted in by_ip.iter().chain(&by_name) {
        assert_eq!(most_in_any_window(accepted, MINUTE), 5);
    }
}

/// Above 64 calls times share slots: never more than N, and a call is late by a 64th of the period at most.
async fn assert_rate(
    app: &TestApp,
    call: impl AsyncFn() -> u16,
    (count, period): (usize, Duration),
    seed: u64,
) {
    let dice = Dice(Random::seeded(seed));
    let (mut accepted, mut refused) = (Accepted::new(), 0);
    let start = app.now().micros();
    while app.now().micros() - start < 86_400 * 1_000_000 {
        let now = app.now().micros();
        match call().await {
            429 => {
                let recent = in_window(&accepted, now, period + period / 64);
                assert!(recent >= count, "refused after {recent} calls");
                refused += 1;
            }
            status => {
                assert!(status < 500, "{status}");
                accepted.push(now);
            }
        }
        // About twice as often as it is allowed, and once in a while not at all.
        let step = period / u32::try_from(count).expect("a count");
        let is_pause = dice.below(400) == 0;
        app.advance(if is_pause { period } else { step.mul_f64(dice.below(1000) as f64 / 1000.0) });
    }
    assert!(refused > count / 2, "{refused} of {} calls were refused", accepted.len() + refused);
    assert_eq!(most_in_any_window(&accepted, period), count);
}

const HOUR: Duration = Duration::from_secs(3600);

/// It believes what callers say of their address.
async fn throttled_app() -> TestApp {
    TestApp::with_manual_clock(Database::Sqlite, |config| {
        config.throttle.enabled = true;
        config.server.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_day_nobody_makes_more_than_a_hundred_calls_in_any_hour() {
    let app = throttled_app().await;
    let call = async || app.send(app.request(Method::GET, "/api/auth/password-policy/")).await.status;
    assert_rate(&app, call, (100, HOUR), 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_day_five_mails_an_hour_are_asked_for_by_one_caller_and_for_one_address() {
    let app = throttled_app().await;
    let address = format!("{}@example.com", unique());
    let ask = async |path: &str, ip: &str, address: &str| {
        let request = app.request(Method::POST, path).header("x-forwarded-for", ip);
        app.send(request.json(&json!({ "email": address }))).await
    };
    let (reset, resend) = ("/api/auth/password-reset/", "/api/auth/resend-verification/");
    let fresh = || format!("{}@example.com", unique());
    assert_rate(&app, async || ask(reset, "192.0.2.1", &fresh()).await.status, (5, HOUR), 3).await;
    app.advance(HOUR);
    let dice = Dice(Random::seeded(5));
    let from_anywhere =
        async || ask(reset, &format!("198.51.100.{}", dice.below(250)), &address).await.status;
    assert_rate(&app, from_anywhere, (5, HOUR), 4).await;
    app.advance(HOUR);
    for _ in 0..5 {
        ask(resend, "192.0.2.1", &fresh()).await.expect(200);
    }
    let other = ask(reset, "192.0.2.1", &fresh()).await.expect(429);
    assert_eq!(other.body["error"], "Rate limit exceeded", "both routes share the caller");
    ask(reset, "192.0.2.2", &fresh()).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_tried_five_times_for_an_address_whatever_else_the_body_names() {
    let app = throttled_app().await;
    for number in 0..6 {
        let guess = json!({ "username": unique(), "email": "reader@example.com", "code": "000000" });
        let call = app.request(Method::POST, "/api/auth/verify-email/");
        let call = call.header("x-forwarded-for", format!("192.0.2.{number}")).json(&guess);
        app.send(call).await.expect(if number < 5 { 400 } else { 429 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_makes_a_thousand_calls_an_hour_and_leaves_those_of_nobody_alone() {
    let app = throttled_app().await;
    let access = app.user("reader").await.text("access");
    for _ in 0..1000 {
        app.get("/api/auth/me/", &access).await.expect(200);
    }
    let refused = app.get("/api/auth/me/", &access).await.expect(429);
    assert!(refused.headers["ratelimit"].to_str().expect("a text").starts_with("\"user\""), "{refused:?}");
    app.send(app.request(Method::GET, "/api/auth/password-policy/")).await.expect(200);
    for path in ["/healthz", "/readyz", "/api/schema", "/.well-known/jwks.json"] {
        app.get(path, &access).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_have_five_letters_an_hour_mailed_to_an_address_and_are_answered_alike() {
    for database in databases() {
        let app = TestApp::with_manual_clock(database, |config| {
            config.throttle.enabled = true;
            config.throttle.auth = Rate::parse("1000/minute").expect("a rate");
        })
        .await;
        app.user("owner").await;
        let access = app.user("stranger").await.text("access");
        let change = async |address: &str| {
            let body = json!({ "email": address, "password": PASSWORD });
            app.call(Method::POST, "/api/auth/email-change/", &access, body).await.expect(200);
        };
        let register = async |address: &str| {
            let body = json!({ "username": unique(), "email": address, "password": PASSWORD });
            app.post("/api/auth/register/", body).await.expect(201);
        };
        for address in ["owner@example.com", "nobody@example.com"] {
            for _ in 0..4 {
                register(address).await;
            }
            app.post("/api/auth/resend-verification/", json!({ "email": address })).await.expect(200);
            app.drain_outbox().await;
            change(address).await;
            change(address).await;
        }
        let mails_to =
            async |address: &str| app.mails().await.iter().filter(|mail| mail.to == address).count();
        assert_eq!(mails_to("owner@example.com").await, 5);
        assert_eq!(mails_to("nobody@example.com").await, 6, "five, and the one that was asked for");
        app.advance(Duration::from_secs(3_600));
        register("nobody@example.com").await;
        assert_eq!(mails_to("nobody@example.com").await, 7);
    }
}
