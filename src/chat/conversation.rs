//! One open socket, from its first frame to its last.

use super::flood::{Flood, Verdict};
use super::news::read_after;
use super::upgrade::{Flooded, Socket};
use super::writer;
use crate::access::Identity;
use crate::error::Error;
use crate::hub::{End, Reading, Seat, Submitted, Taken, Waiting};
use crate::state::App;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as SocketError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// Characters of a message, at most (contract §3).
const MAX_TEXT: usize = 1000;
/// Frames that are taken from the room at once.
const FRAMES: usize = 64;
/// Pings without an answer after which the peer is gone.
const UNANSWERED: u8 = 2;
/// A write that takes longer has no reader.
const STALLED: Duration = Duration::from_secs(30);
/// What the peer gets for its part of the closing, and as much for reading ours.
const CLOSING: Duration = Duration::from_secs(1);

const INVALID: &str = "Invalid message";
const TOO_OFTEN: &str = "Rate limit exceeded";
const NOT_STORED: &str = "The message was not stored. Please try again.";

/// One open socket.
pub(super) struct Conversation {
    app: Arc<App>,
    socket: Socket,
    taken: Taken,
    identity: Identity,
    /// The number of the last message that was sent.
    cursor: i64,
    /// Until the first time that there is nothing to send, what is missing is read from the history.
    is_resuming: bool,
    flood: Flood,
    unanswered: u8,
    ping_at: Instant,
    expires_at: Instant,
    timer: Pin<Box<Sleep>>,
}

enum Event {
    Woken,
    Incoming(Option<Result<Message, SocketError>>),
    Timer,
}

#[derive(Deserialize)]
struct Incoming {
    message: String,
}

impl Conversation {
    pub(super) fn new(app: Arc<App>, socket: Socket, taken: Taken, identity: Identity, cursor: i64) -> Self {
        let now = Instant::now();
        let ping_at = now + app.config.community.ping_every;
        let expires_at = now + identity.expires_at.since(app.now());
        Self {
            socket,
            taken,
            identity,
            cursor,
            is_resuming: true,
            flood: Flood::new(now.into_std()),
            unanswered: 0,
            ping_at,
            expires_at,
            timer: Box::pin(tokio::time::sleep_until(ping_at.min(expires_at))),
            app,
        }
    }

    /// Speaks until one side ends it.
    pub(super) async fn run(mut self) {
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        let Self { socket, taken, .. } = self;
        drop(taken);
        close(socket, end).await;
    }

    async fn turn(&mut self) -> Result<(), End> {
        let event = tokio::select! {
            () = self.taken.seat().woken() => Event::Woken,
            incoming = self.socket.next() => Event::Incoming(incoming),
            () = &mut self.timer => Event::Timer,
        };
        match event {
            Event::Woken => self.look().await,
            Event::Incoming(Some(Ok(message))) => self.hear(message).await,
            Event::Incoming(Some(Err(error))) => Err(end_of(&error)),
            Event::Incoming(None) => Err(End::Silent),
            Event::Timer => self.tick().await,
        }
    }

    /// Something has happened to the seat.
    async fn look(&mut self) -> Result<(), End> {
        let seat = self.taken.seat();
        if let Some(end) = seat.ended() {
            return Err(end);
        }
        if seat.take_question() {
            Box::pin(ask(&self.app, &self.identity)).await?;
        }
        for _ in 0..self.taken.seat().take_failures() {
            self.send(error_frame(NOT_STORED)).await?;
        }
        self.deliver().await
    }

    /// Sends what is new, with one flush.
    async fn deliver(&mut self) -> Result<(), End> {
        let mut has_sent = false;
        loop {
            let mut frames = Vec::new();
            let next = match self.taken.seat().room().read(self.cursor, FRAMES, &mut frames) {
                Reading::Nothing => break,
                Reading::UpTo(next) => next,
                Reading::Behind if self.is_resuming => {
                    let room_id = self.taken.seat().room().id();
                    let read = Box::pin(history(&self.app, room_id, self.cursor, &mut frames)).await?;
                    let Some(next) = read else { break };
                    next
                }
                Reading::Behind => return Err(End::TryAgain),
            };
            for frame in frames {
                self.send(Message::Text(frame)).await?;
            }
            self.cursor = next;
            has_sent = true;
        }
        self.is_resuming = false;
        if has_sent { self.flush().await } else { Ok(()) }
    }

    async fn hear(&mut self, message: Message) -> Result<(), End> {
        self.unanswered = 0;
        let verdict = self.flood.count(Instant::now().into_std());
        match (message, verdict) {
            (Message::Close(_), _) => Err(End::Silent),
            (_, Verdict::End) => Err(End::Flooding),
            (Message::Binary(_), _) => Err(End::Binary),
            (Message::Text(_), Verdict::Refuse) => self.tell(TOO_OFTEN).await,
            (Message::Text(text), Verdict::Pass) => match parse(&text) {
                Some(text) => self.submit(text).await,
                None => self.tell(INVALID).await,
            },
            // The answer to a ping is on its way.
            _ => Ok(()),
        }
    }

    async fn submit(&mut self, text: String) -> Result<(), End> {
        let (seat, user) = (self.taken.seat(), &self.identity.user);
        if self.app.guard.limits.check_message(user.id).is_err() {
            return self.tell(TOO_OFTEN).await;
        }
        let waiting = Waiting { user_id: user.id, username: user.username.clone(), text, seat: seat.clone() };
        match seat.room().submit(waiting) {
            Submitted::Waits => Ok(()),
            Submitted::Begin => {
                let room = seat.room().clone();
                self.app.hub.tasks().spawn(writer::write_all(self.app.clone(), room));
                Ok(())
            }
            Submitted::Full => self.tell(NOT_STORED).await,
        }
    }

    async fn tick(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.expires_at {
            return Err(End::Unauthorised);
        }
        if now >= self.ping_at {
            if self.unanswered >= UNANSWERED {
                return Err(End::Silent);
            }
            self.unanswered += 1;
            self.ping_at = now + self.app.config.community.ping_every;
            self.send(Message::Ping(Bytes::new())).await?;
            self.flush().await?;
        }
        self.timer.as_mut().reset(self.ping_at.min(self.expires_at));
        Ok(())
    }

    /// An error that ends nothing.
    async fn tell(&mut self, what: &'static str) -> Result<(), End> {
        self.send(error_frame(what)).await?;
        self.flush().await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let behind = (!self.is_resuming).then_some(self.cursor);
        patiently(self.taken.seat(), behind, self.socket.feed(message)).await
    }

    async fn flush(&mut self) -> Result<(), End> {
        let behind = (!self.is_resuming).then_some(self.cursor);
        patiently(self.taken.seat(), behind, self.socket.flush()).await
    }
}

/// Whether the caller may still be here.
async fn ask(app: &App, identity: &Identity) -> Result<(), End> {
    match app.access.check_again(identity).await {
        Ok(()) => Ok(()),
        Err(Error::Refused(_)) => Err(End::Unauthorised),
        // Nobody knows: the client comes again and is asked by name.
        Err(error) => {
            tracing::warn!(?error, "a socket could not be checked");
            Err(End::TryAgain)
        }
    }
}

/// What comes next, from the database; gives the last number.
async fn history(
    app: &App,
    room_id: i64,
    after: i64,
    frames: &mut Vec<Utf8Bytes>,
) -> Result<Option<i64>, End> {
    let messages = read_after(app, room_id, after).await.map_err(|error| {
        tracing::warn!(?error, "the history of a room could not be read");
        End::TryAgain
    })?;
    frames.extend(messages.iter().map(writer::frame));
    Ok(messages.last().map(|message| message.seq))
}

/// Waits for a peer to read, but not for ever, not past the end of the seat, and no longer than what comes next
/// is kept in memory.
async fn patiently(
    seat: &Seat,
    cursor: Option<i64>,
    write: impl Future<Output = Result<(), SocketError>>,
) -> Result<(), End> {
    let mut write = pin!(write);
    let mut has_slept = false;
    let outcome = loop {
        tokio::select! {
            biased;
            written = &mut write => break written.map_err(|error| end_of(&error)),
            () = seat.woken() => {
                has_slept = true;
                if let Some(end) = seat.ended() {
                    break Err(end);
                }
                if cursor.is_some_and(|cursor| seat.room().is_behind(cursor)) {
                    break Err(End::TryAgain);
                }
            }
            () = sleep(STALLED) => break Err(End::TryAgain),
        }
    };
    if has_slept {
        // There may be more to see to than what was looked at here.
        seat.wake();
    }
    outcome
}

/// Why a socket has to end after an error (RFC 6455 §7.4.1).
fn end_of(error: &SocketError) -> End {
    match error {
        SocketError::Capacity(CapacityError::MessageTooLong { .. }) => End::TooBig,
        SocketError::Utf8(_) => End::BadText,
        SocketError::Protocol(error) if is_gone(error) => End::Silent,
        SocketError::Protocol(_) => End::Protocol,
        SocketError::WriteBufferFull(_) => End::TryAgain,
        SocketError::Io(error) if error.get_ref().is_some_and(|cause| cause.is::<Flooded>()) => End::Flooding,
        _ => End::Silent,
    }
}

fn is_gone(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError::{
        ResetWithoutClosingHandshake, SendAfterClosing,
    };
    matches!(error, ResetWithoutClosingHandshake | SendAfterClosing)
}

/// The text of a frame, as it is to be stored; `None` when it is none.
fn parse(frame: &str) -> Option<String> {
    let Incoming { message } = serde_json::from_str(frame).ok()?;
    let text = message.trim();
    let length = text.chars().take(MAX_TEXT + 1).count();
    let is_fine = (1..=MAX_TEXT).contains(&length) && !text.contains('\0');
    is_fine.then(|| text.to_owned())
}

fn error_frame(message: &'static str) -> Message {
    Message::Text(format!(r#"{{"type":"error","message":"{message}"}}"#).into())
}

/// Says why, waits a moment for the peer to have read it, and hangs up. To hang up on what the peer has already
/// sent would take our last words from it.
pub(super) async fn close(mut socket: Socket, end: End) {
    let farewell = match end.close() {
        Some((code, reason)) => {
            let frame = CloseFrame { code: code.into(), reason: Utf8Bytes::from_static(reason) };
            timeout(CLOSING, socket.send(Message::Close(Some(frame)))).await
        }
        None => timeout(CLOSING, socket.flush()).await,
    };
    if !matches!(farewell, Ok(Ok(()))) {
        return;
    }
    let rest = async {
        // Until its part of the closing is here, or what it sends makes no sense any more.
        while let Some(Ok(_)) = socket.next().await {}
        let raw = socket.get_mut();
        raw.lift();
        let mut ignored = [0; 1024];
        if raw.shutdown().await.is_ok() {
            while raw.read(&mut ignored).await.is_ok_and(|count| count > 0) {}
        }
    };
    let _ = timeout(CLOSING, Box::pin(rest)).await;
}
