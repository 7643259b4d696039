//! Coming back, lagging behind, and talking past another process.

use super::talker::Talker;
use super::{add, room};
use crate::harness::{Database, TestApp};
use crate::on_each_database;
use crate::people::person;
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

fn seq(frame: &Value) -> i64 {
    frame["seq"].as_i64().unwrap_or_else(|| panic!("{frame}"))
}

on_each_database! {
    async fn whoever_comes_back_gets_what_was_missed_once_while_others_talk(app: TestApp) {
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Cellar", false).await;
        let access = ada.access.clone();
        let mut talkers = Vec::new();
        for _ in 0..5 {
            let mut talker = Talker::of(&app, id, &ada).await;
            talkers.push(tokio::spawn(async move {
                for number in 0..60 {
                    talker.say(&number.to_string()).await;
                    tokio::time::sleep(Duration::from_millis(8)).await;
                }
                while seq(&talker.hear().await) < 300 {}
            }));
        }
        let mut heard = Vec::new();
        let mut comings = 0;
        while heard.len() < 300 {
            let last = heard.last().copied().unwrap_or(0);
            let mut talker = Talker::join(&app, id, &access, &format!("&after={last}")).await;
            comings += 1;
            for _ in 0..(7 * comings).min(300 - heard.len()) {
                heard.push(seq(&talker.hear().await));
            }
        }
        assert_eq!(heard, (1..=300).collect::<Vec<_>>());
        for talker in talkers {
            talker.await.expect("a talker");
        }
        // Past the end, and before the beginning.
        let mut late = Talker::join(&app, id, &access, "&after=999999").await;
        late.say("x").await;
        assert_eq!(seq(&late.hear().await), 301);
        let mut early = Talker::join(&app, id, &access, "&after=-5").await;
        assert_eq!(seq(&early.hear().await), 1);
    }

    async fn what_is_said_at_one_process_is_heard_at_the_other_in_one_order(app: TestApp) {
        let other = app.replica().await;
        let ada = person(&app, "ada").await;
        let id = room(&app, &ada, "Cellar", false).await;
        let (mut here, mut there) = (Talker::of(&app, id, &ada).await, Talker::of(&other, id, &ada).await);
        here.say("hello").await;
        let since = Instant::now();
        assert_eq!((here.hear_text().await, there.hear_text().await), ("hello".to_owned(), "hello".to_owned()));
        assert!(since.elapsed() < Duration::from_millis(1000), "{:?}", since.elapsed());
        for number in 0..25 {
            here.say(&format!("here {number}")).await;
            there.say(&format!("there {number}")).await;
        }
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..50 {
            one.push(here.hear().await);
            two.push(there.hear().await);
        }
        assert_eq!(one, two);
        assert_eq!(one.iter().map(seq).collect::<Vec<_>>(), (2..=51).collect::<Vec<_>>());
    }
}

/// The frames of many messages are more than what lies in between can hold.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_reads_is_dropped_and_costs_the_others_nothing() {
    let app = TestApp::with(Database::Sqlite, |config| config.community.sockets_per_user = 1000).await;
    let (ada, bob) = (person(&app, "ada").await, person(&app, "bob").await);
    let id = room(&app, &ada, "Cellar", false).await;
    add(&app, &ada, id, "bob").await.expect(201);
    let deaf = Talker::of(&app, id, &bob).await;
    let mut listener = Talker::of(&app, id, &ada).await;
    let (mut count, mut longest) = (0, Duration::ZERO);
    let text = "\u{1f4da}\"&'<>".repeat(166);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "{count} messages, and it is still there");
        let mut talker = Talker::of(&app, id, &ada).await;
        for _ in 0..60 {
            talker.say(&text).await;
        }
        let since = Instant::now();
        for _ in 0..60 {
            count += 1;
            assert_eq!(seq(&listener.hear().await), count);
        }
        longest = longest.max(since.elapsed());
        drop(talker);
        while app.app().hub.open() > 2 {
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        // The listener alone is left.
        if app.app().hub.open() == 1 {
            break;
        }
    }
    check_deaf(deaf, longest).await;
}

async fn check_deaf(mut deaf: Talker, longest: Duration) {
    assert!(longest < Duration::from_secs(5), "{longest:?} for sixty messages");
    let mut next = 1;
    loop {
        match deaf.next().await {
            Some(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                assert_eq!(seq(&frame), next, "what it gets has no gap");
                next += 1;
            }
            Some(Message::Close(frame)) => {
                return assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1013));
            }
            // Its pipe was full: there was no room for a word.
            _ => return,
        }
    }
}
