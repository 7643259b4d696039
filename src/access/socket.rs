//! What a WebSocket shows in place of an `Authorization` header, which browsers cannot send with one.

use super::{Access, Identity};
use crate::error::{Error, Result};
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use portcullis_security::secret::Secret;
use portcullis_security::token::TokenType;

/// The subprotocol behind which a token may stand: `Sec-WebSocket-Protocol: bearer, TOKEN`.
pub const BEARER_PROTOCOL: &str = "bearer";

/// The credentials of a WebSocket (contract §3), the first of these that is there.
pub enum SocketCredentials {
    /// `?token=`, as in the guide (§9.1), or behind the subprotocol `bearer`: an access token.
    Token(Secret),
    /// `?ticket=`.
    Ticket(Secret),
    /// Nothing.
    None,
}

impl SocketCredentials {
    /// Reads them. Of several parameters of a name the last counts, as in Django.
    pub fn read(uri: &Uri, headers: &HeaderMap) -> Self {
        let parameters = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs);
        let parameters = parameters.unwrap_or_default();
        let last = |wanted: &str| {
            let found = parameters.iter().rev().find(|(name, _)| name == wanted);
            found.map(|(_, value)| Secret::from(value.as_str()))
        };
        if let Some(token) = last("token") {
            return Self::Token(token);
        }
        if let Some(ticket) = last("ticket") {
            return Self::Ticket(ticket);
        }
        let mut protocols = protocols(headers);
        match (protocols.next(), protocols.next()) {
            (Some(BEARER_PROTOCOL), Some(token)) => Self::Token(Secret::from(token)),
            _ => Self::None,
        }
    }
}

/// The subprotocols that a client offers, in its order.
pub fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let fields = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    fields
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

impl Access {
    /// Who opens a socket. A ticket is spent by it.
    ///
    /// # Errors
    /// 401 when the credentials are not good; 503 when the database is needed and does not answer.
    pub async fn authenticate_socket(&self, credentials: &SocketCredentials) -> Result<Identity> {
        match credentials {
            SocketCredentials::Token(token) => self.authenticate(token.expose_text()).await,
            SocketCredentials::Ticket(ticket) => self.redeem(ticket.expose_text()).await,
            SocketCredentials::None => Err(Error::not_authenticated()),
        }
    }

    /// Whose credentials they are, for a throttle: nobody's when they are no longer good.
    pub(super) async fn owner_of_socket(&self, credentials: &SocketCredentials) -> Result<Option<i64>> {
        match credentials {
            SocketCredentials::Token(token) => {
                let keys = self.keys.current();
                let claims = keys.verify(token.expose_text(), TokenType::Access, self.clock.now());
                Ok(claims.ok().map(|claims| claims.user_id))
            }
            SocketCredentials::Ticket(ticket) => self.ticket_owner(ticket.expose_text()).await,
            SocketCredentials::None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn read(uri: &str, protocols: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for protocol in protocols {
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        match SocketCredentials::read(&uri.parse().unwrap(), &headers) {
            SocketCredentials::Token(token) => format!("token {}", token.expose_text()),
            SocketCredentials::Ticket(ticket) => format!("ticket {}", ticket.expose_text()),
            SocketCredentials::None => "none".to_owned(),
        }
    }

    #[test]
    fn the_first_way_that_is_there_counts() {
        assert_eq!(read("/ws?ticket=b&token=a.b-c_d&after=5", &["bearer, c"]), "token a.b-c_d");
        assert_eq!(read("/ws?token=old&token=new", &[]), "token new");
        assert_eq!(read("/ws?ticket=b&after=5", &["bearer, c"]), "ticket b");
        assert_eq!(read("/ws?after=5", &["bearer, c"]), "token c");
        assert_eq!(read("/ws", &["bearer", "c"]), "token c");
        assert_eq!(read("/ws", &["bearer,c , chat"]), "token c");
        for others in [&["chat, bearer, c"][..], &["bearer"], &["Bearer, c"], &[]] {
            assert_eq!(read("/ws", others), "none", "{others:?}");
        }
    }
}
