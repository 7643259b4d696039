//! What caches may keep of an account.

use super::{me, probe};
use crate::passive::may_be_kept;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};

pub(super) const PROBES: &[Probe] = &[probe(
    "cache.own",
    "Caches may keep what an account was shown",
    &["v5.0.0-14.3.2", "v5.0.0-14.2.2"],
    Severity::Low,
    "Send `Cache-Control: no-store` with every answer to a token.",
    |ctx| Box::pin(own(ctx)),
)];

async fn own(ctx: &Context) -> Result<Outcome, Skip> {
    let answer = me(ctx, &ctx.first().await?.session.access).await?;
    if !answer.accepted()? {
        return Err(answer.unclear());
    }
    let evidence = vec![answer.evidence(&["cache-control"])];
    Ok(Outcome::when(
        may_be_kept(&answer),
        "An account's own data comes without `no-store` or `private`.",
        evidence,
    ))
}
