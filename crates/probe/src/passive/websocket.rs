//! Sockets, as a visitor without an account sees them.

use super::{FOREIGN, probe};
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use crate::socket::{Knock, Opened};
use std::time::Duration;

/// Long enough for a server to say no, short enough for the run.
const WAIT: Duration = Duration::from_secs(3);

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "websocket.closed",
        "Sockets stay open without a token",
        &["v5.0.0-4.4.3", "v5.0.0-8.2.1"],
        Severity::High,
        "Close sockets whose token is missing or bad before anything is sent.",
        |ctx| Box::pin(closed(ctx)),
    ),
    probe(
        "websocket.code",
        "Browsers do not learn why a socket was refused",
        &["v5.0.0-4.4.3"],
        Severity::Low,
        "Accept the socket first and close it then, with a code such as 4001: a refusal before the upgrade \
               is 1006 in every browser, like a lost network.",
        |ctx| Box::pin(code(ctx)),
    ),
    probe(
        "websocket.origin",
        "Pages of other sites may open sockets",
        &["v5.0.0-4.4.2"],
        Severity::Medium,
        "Compare the Origin of the handshake with the allowed origins, and refuse others with 403.",
        |ctx| Box::pin(origin(ctx)),
    ),
];

async fn closed(ctx: &Context) -> Result<Outcome, Skip> {
    let path = path(ctx)?;
    let mut evidence = Vec::new();
    for path in [path.clone(), format!("{path}?token=probe")] {
        let knock = Knock::at(&path).header("origin", &ctx.target.origin());
        let opened = knock.look(ctx, WAIT).await?;
        there(&opened)?;
        if opened == Opened::Open {
            evidence.push(knock.evidence(ctx, &opened));
        }
    }
    Ok(Outcome::judge("A socket without a good token stays open.", evidence))
}

async fn code(ctx: &Context) -> Result<Outcome, Skip> {
    let knock = Knock::at(&path(ctx)?).header("origin", &ctx.target.origin());
    let opened = knock.look(ctx, WAIT).await?;
    there(&opened)?;
    if let Opened::Refused(status) = opened {
        // Only what answers a handshake otherwise than a usual call is a socket that might have opened.
        let plain = ctx.client.call(Request::get(&path(ctx)?)).await?;
        if !matches!(status, 401 | 403) || plain.status == status {
            return Ok(Outcome::skipped(format!("{status} is answered whether or not it is a socket")));
        }
    }
    let says_nothing = matches!(opened, Opened::Refused(_) | Opened::Closed(1000 | 1005 | 1006));
    let evidence = vec![knock.evidence(ctx, &opened)];
    Ok(Outcome::when(says_nothing, "The socket ends without a code of its own.", evidence))
}

/// Nothing follows where no socket is.
fn there(opened: &Opened) -> Result<(), Skip> {
    match opened {
        Opened::Refused(404) => Err(Skip::Because("there is no socket at the mapping's path".to_owned())),
        Opened::Refused(status @ 500..) => {
            Err(Skip::Because(format!("a socket is answered with {status}, from which nothing follows")))
        }
        _ => Ok(()),
    }
}

async fn origin(ctx: &Context) -> Result<Outcome, Skip> {
    let path = path(ctx)?;
    let own = Knock::at(&path).header("origin", &ctx.target.origin()).look(ctx, WAIT).await?;
    if let Opened::Refused(_) = own {
        return Ok(Outcome::skipped("without a token the socket is refused whatever the Origin"));
    }
    let mut evidence = Vec::new();
    for origin in
        [format!("https://{FOREIGN}"), "null".to_owned(), format!("{}.{FOREIGN}", ctx.target.origin())]
    {
        let knock = Knock::at(&path).header("origin", &origin);
        let opened = knock.look(ctx, WAIT).await?;
        if !matches!(opened, Opened::Refused(_)) {
            evidence.push(knock.evidence(ctx, &opened));
        }
    }
    Ok(Outcome::judge("The handshake of a foreign page is accepted.", evidence))
}

fn path(ctx: &Context) -> Result<String, Skip> {
    Ok(ctx.route(&ctx.mapping.routes.socket, "socket")?.with_id("1").path)
}
