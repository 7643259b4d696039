//! Sockets, as a visitor without an account sees them.

use super::FOREIGN;
use crate::probe::{Context, Mode, Outcome, Probe, Severity, Skip};
use crate::socket::{Knock, Opened};
use std::time::Duration;

/// Long enough for a server to say no, short enough for the run.
const WAIT: Duration = Duration::from_secs(3);

pub(crate) const PROBES: &[Probe] = &[
    Probe {
        id: "websocket.closed",
        title: "Sockets stay open without a token",
        asvs: &["v5.0.0-4.4.3", "v5.0.0-8.2.1"],
        severity: Severity::High,
        mode: Mode::Passive,
        mend: "Close sockets whose token is missing or bad before anything is sent.",
        run: |ctx| Box::pin(closed(ctx)),
    },
    Probe {
        id: "websocket.code",
        title: "Browsers do not learn why a socket was refused",
        asvs: &["v5.0.0-4.4.3"],
        severity: Severity::Low,
        mode: Mode::Passive,
        mend: "Accept the socket first and close it then, with a code such as 4001: a refusal before the upgrade \
               is 1006 in every browser, like a lost network.",
        run: |ctx| Box::pin(code(ctx)),
    },
    Probe {
        id: "websocket.origin",
        title: "Pages of other sites may open sockets",
        asvs: &["v5.0.0-4.4.2"],
        severity: Severity::Medium,
        mode: Mode::Passive,
        mend: "Compare the Origin of the handshake with the allowed origins, and refuse others with 403.",
        run: |ctx| Box::pin(origin(ctx)),
    },
];

async fn closed(ctx: &Context) -> Result<Outcome, Skip> {
    let path = path(ctx)?;
    let mut evidence = Vec::new();
    for path in [path.clone(), format!("{path}?token=probe")] {
        let knock = Knock::at(&path).header("origin", &ctx.target.origin());
        let opened = knock.look(ctx, WAIT).await?;
        if opened == Opened::Open {
            evidence.push(knock.evidence(&opened));
        }
    }
    Ok(Outcome::judge("A socket without a good token stays open.", evidence))
}

async fn code(ctx: &Context) -> Result<Outcome, Skip> {
    let knock = Knock::at(&path(ctx)?).header("origin", &ctx.target.origin());
    let opened = knock.look(ctx, WAIT).await?;
    match opened {
        Opened::Refused(404) => Ok(Outcome::skipped("there is no socket at the mapping's path")),
        Opened::Refused(_) | Opened::Closed(1000 | 1005 | 1006) => Ok(Outcome::Found(
            "The socket ends without a code of its own.".to_owned(),
            vec![knock.evidence(&opened)],
        )),
        Opened::Closed(_) | Opened::Open => Ok(Outcome::Passed),
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
            evidence.push(knock.evidence(&opened));
        }
    }
    Ok(Outcome::judge("The handshake of a foreign page is accepted.", evidence))
}

fn path(ctx: &Context) -> Result<String, Skip> {
    Ok(ctx.route(&ctx.mapping.routes.socket, "socket")?.with_id("1").path)
}
