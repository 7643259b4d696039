//! What happens before a handler: who is calling, and whether they may call again so soon.

use super::limits::{Holder, Limits, Policy};
use super::{Access, DeviceCookies, Identity, SocketCredentials, client::Origin};
use crate::error::{Error, Result};
use crate::extract::{BodyMemory, buffered};
use crate::model::users::{Column, Entity, Model as User};
use crate::storage::Storage;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use portcullis_security::clock::Clock;
use portcullis_security::csrf::{cookie, host_name};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// How a route treats the `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// A valid access token, or 401.
    Closed,
    /// Anybody; but a token that is shown must be good.
    Open,
    /// Anybody; the header is not looked at.
    Ignoring,
    /// Anybody; a token that is no good is as none.
    Lenient,
}

/// Which throttle a route counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `user` with a valid token, else `anon` and for unsafe methods `anon_post`.
    General,
    /// `auth` by IP and by the account that the body's `username` or else `email` names.
    AuthByName,
    /// `auth` by IP and by the account that the body's `email` names.
    AuthByEmail,
    /// `auth` by IP and by the caller's account.
    AuthByBearer,
    /// `auth` by IP alone: the call names no account.
    AuthByIp,
    /// `reset` by IP and by the body's `email`.
    Reset,
    /// `user` for the owner of the refresh token in the body or cookie, if it is genuine, else as `General`.
    OwnToken,
    /// `ai_search` for the caller; without a valid token as `General`.
    AiSearch,
    /// `user` for the owner of the credentials in the URL or the subprotocol, if they are good, else `anon`: a
    /// WebSocket costs what any other call does.
    Socket,
}

/// A door and a limit, with what they need to decide.
#[derive(Clone)]
pub struct Guard {
    /// How `Authorization` is treated.
    pub door: Door,
    /// Which throttle counts.
    pub limit: Limit,
    /// Shared by all guards.
    pub context: Arc<GuardContext>,
}

/// What guards decide with.
pub struct GuardContext {
    /// Time.
    pub clock: Clock,
    /// Rows, to find whose name a login gives.
    pub storage: Arc<Storage>,
    /// Tokens.
    pub access: Arc<Access>,
    /// Throttles.
    pub limits: Arc<Limits>,
    /// Device cookies.
    pub devices: Arc<DeviceCookies>,
    /// Where bodies are read.
    pub bodies: BodyMemory,
    /// Whether cookies are `Secure`.
    pub secure: bool,
}

/// Who is calling, for extractors.
#[derive(Clone)]
pub(super) enum Caller {
    Anonymous,
    User(Identity),
}

/// Whose call was refused, put into an answer for the log (ASVS v5.0.0-16.3.2).
#[derive(Clone, Copy, Debug)]
pub struct RefusedUser(pub i64);

/// The middleware: identify, count, refuse or pass on.
pub async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let caller = guard.identify(request.headers()).await;
    let user_id = match &caller {
        Ok(Caller::User(identity)) => Some(identity.user.id),
        _ => None,
    };
    let mut response = match guard.admit(request, caller).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if let (Some(user_id), true) = (user_id, response.status().is_client_error()) {
        response.extensions_mut().insert(RefusedUser(user_id));
    }
    response
}

impl Guard {
    async fn admit(&self, request: Request, caller: Result<Caller>) -> Result<Request> {
        let mut request = self.count(request, caller.as_ref().ok()).await?;
        request.extensions_mut().insert(caller?);
        Ok(request)
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Caller> {
        if self.door == Door::Ignoring {
            return Ok(Caller::Anonymous);
        }
        let caller = match bearer(headers) {
            None => Ok(Caller::Anonymous),
            Some(Err(error)) => Err(error),
            Some(Ok(token)) => self.context.access.authenticate(token).await.map(Caller::User),
        };
        match (self.door, caller) {
            (Door::Closed, Ok(Caller::Anonymous)) => Err(Error::not_authenticated()),
            (Door::Lenient, Err(Error::Refused(_))) => Ok(Caller::Anonymous),
            (_, caller) => caller,
        }
    }

    async fn count(&self, request: Request, caller: Option<&Caller>) -> Result<Request> {
        let unknown = Error::internal("the edge did not say where a call comes from");
        let from = *request.extensions().get::<Origin>().ok_or(unknown)?;
        let ip = Holder::Ip(from.ip);
        match self.limit {
            Limit::General => self.count_of(Policy::User, &request, caller, ip).map(|()| request),
            Limit::AiSearch => self.count_of(Policy::AiSearch, &request, caller, ip).map(|()| request),
            Limit::AuthByIp => self.on_record(from, None, &[(Policy::Auth, ip)]).await.map(|()| request),
            Limit::AuthByBearer => self.count_bearer(caller, from).await.map(|()| request),
            Limit::AuthByName => self.count_named(request, from, ["username", "email"]).await,
            Limit::AuthByEmail => self.count_named(request, from, ["email"]).await,
            Limit::Reset => self.count_reset(request, from).await,
            Limit::OwnToken => self.count_own_token(request, caller, ip).await,
            Limit::Socket => self.count_socket(request, ip).await,
        }
    }

    async fn on_record(
        &self,
        from: Origin,
        user_id: Option<i64>,
        buckets: &[(Policy, Holder<'_>)],
    ) -> Result<()> {
        let GuardContext { limits, storage, .. } = self.context.as_ref();
        limits.check_on_record(storage, from, user_id, buckets).await
    }

    /// A user by a policy, nobody by address.
    fn count_of(
        &self,
        policy: Policy,
        request: &Request,
        caller: Option<&Caller>,
        ip: Holder<'_>,
    ) -> Result<()> {
        match caller {
            Some(Caller::User(identity)) => {
                self.context.limits.check(&[(policy, Holder::User(identity.user.id))])
            }
            _ => self.count_anonymous(request, ip),
        }
    }

    fn count_anonymous(&self, request: &Request, ip: Holder<'_>) -> Result<()> {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        let buckets = [(Policy::Anon, ip), (Policy::AnonPost, ip)];
        self.context.limits.check(if is_safe { &buckets[..1] } else { &buckets })
    }

    async fn count_bearer(&self, caller: Option<&Caller>, from: Origin) -> Result<()> {
        let ip = (Policy::Auth, Holder::Ip(from.ip));
        match caller {
            Some(Caller::User(Identity { user, .. })) => {
                let account = (Policy::Auth, Holder::Account(&user.username_key));
                self.on_record(from, Some(user.id), &[ip, account]).await
            }
            _ => self.on_record(from, None, &[ip]).await,
        }
    }

    /// A body that cannot be read is counted for its sender before it is refused.
    async fn count_named<const N: usize>(
        &self,
        request: Request,
        from: Origin,
        fields: [&str; N],
    ) -> Result<Request> {
        let ip = (Policy::Auth, Holder::Ip(from.ip));
        let device = self.context.devices.read(request.headers(), self.context.clock.now());
        let read = buffered(request, &self.context.bodies, fields).await;
        let Some(name) = read.iter().find_map(|(_, names)| names.iter().flatten().next()) else {
            self.on_record(from, None, &[ip]).await?;
            return read.map(|(request, _)| request);
        };
        let owner = self.owner_of(name).await?;
        let own_device = device.filter(|device| owner.as_ref().is_some_and(|user| device.is_of(user)));
        let folded = fold(name);
        let account = owner.as_ref().map_or(folded.as_str(), |user| &user.username_key);
        let user_id = owner.as_ref().map(|user| user.id);
        let account = (Policy::Auth, Holder::Account(account));
        match &own_device {
            Some(device) => {
                let devices = (Policy::Auth, Holder::Devices(device.user_id));
                self.on_record(from, user_id, &[(Policy::Auth, Holder::Device(&device.id)), devices]).await?;
            }
            None => self.on_record(from, user_id, &[ip, account]).await?,
        }
        read.map(|(request, _)| request)
    }

    /// One account has one bucket, whichever of its names is given.
    async fn owner_of(&self, name: &str) -> Result<Option<User>> {
        find_by_login(&self.context.storage, name).await
    }

    async fn count_reset(&self, request: Request, from: Origin) -> Result<Request> {
        let ip = (Policy::Reset, Holder::Ip(from.ip));
        let read = buffered(request, &self.context.bodies, ["email"]).await;
        let address = match &read {
            Ok((_, [Some(address)])) => Some(address.trim().to_lowercase()),
            _ => None,
        };
        match &address {
            Some(address) => {
                let address = (Policy::Reset, Holder::Address(address));
                self.on_record(from, None, &[ip, address]).await?;
            }
            None => self.on_record(from, None, &[ip]).await?,
        }
        read.map(|(request, _)| request)
    }

    async fn count_own_token(
        &self,
        request: Request,
        caller: Option<&Caller>,
        ip: Holder<'_>,
    ) -> Result<Request> {
        let keys = self.context.access.keys().current();
        let owner_of = |token: &str| keys.verify_signature(token).ok().map(|claims| claims.user_id);
        let from_cookie =
            cookie(request.headers(), &host_name("refresh", self.context.secure)).and_then(owner_of);
        let names = ["refresh", "refresh_token", "token"];
        let (request, tokens) = match buffered(request, &self.context.bodies, names).await {
            Ok(read) => read,
            Err(error) => {
                self.context.limits.check(&[(Policy::Anon, ip), (Policy::AnonPost, ip)])?;
                return Err(error);
            }
        };
        let owner = tokens.iter().flatten().find_map(|token| owner_of(token)).or(from_cookie);
        match owner {
            Some(user_id) => self.context.limits.check(&[(Policy::User, Holder::User(user_id))])?,
            None => self.count_of(Policy::User, &request, caller, ip)?,
        }
        Ok(request)
    }

    async fn count_socket(&self, request: Request, ip: Holder<'_>) -> Result<Request> {
        let credentials = SocketCredentials::read(request.uri(), request.headers());
        match self.context.access.owner_of_socket(&credentials).await? {
            Some(user_id) => self.context.limits.check(&[(Policy::User, Holder::User(user_id))])?,
            None => self.count_anonymous(&request, ip)?,
        }
        Ok(request)
    }
}

/// The token of an `Authorization: Bearer` header; `None` without the header or with another scheme,
/// which Django REST framework leaves to other authenticators.
fn bearer(headers: &HeaderMap) -> Option<Result<&str>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some(Err(Error::token_not_valid()));
    }
    let Ok(text) = value.to_str() else { return Some(Err(Error::token_not_valid())) };
    let (scheme, token) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Some(Ok(token.trim()))
}

/// A name without regard to case and spelling: NFKC, lower case, trimmed. What is longer than any name is cut: a
/// character may become eighteen.
pub fn fold(name: &str) -> String {
    name[..name.floor_char_boundary(MAX_LOGIN)].nfkc().collect::<String>().to_lowercase().trim().to_owned()
}

/// Bytes of a login name, at most; a longer one is nobody's.
const MAX_LOGIN: usize = 2000;

/// Whose login name this is: tried as a username first, then as a verified address.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_login(storage: &Storage, name: &str) -> Result<Option<User>> {
    if name.len() > MAX_LOGIN {
        return Ok(None);
    }
    let key = fold(name);
    let address = name.trim().to_lowercase();
    let by_address =
        Condition::all().add(Column::EmailClaim.eq(address)).add(Column::EmailVerifiedAt.is_not_null());
    let either = Condition::any().add(Column::UsernameKey.eq(key.clone())).add(by_address);
    let mut found = Entity::find().filter(either).all(storage.reader()).await?;
    found.sort_by_key(|user| user.username_key != key);
    Ok(found.into_iter().next())
}
