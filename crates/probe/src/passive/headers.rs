//! What browsers are told with every answer.

use crate::client::Answer;
use crate::probe::{Context, Mode, Outcome, Probe, Severity, Skip};

pub(crate) const PROBES: &[Probe] = &[Probe {
    id: "headers.nosniff",
    title: "Browsers may guess the type of answers",
    asvs: &["v5.0.0-3.4.4"],
    severity: Severity::Medium,
    mode: Mode::Passive,
    mend: "Send `X-Content-Type-Options: nosniff` with every answer, errors too.",
    run: |ctx| Box::pin(nosniff(ctx)),
}];

async fn nosniff(ctx: &Context) -> Result<Outcome, Skip> {
    let lacks = |answer: &&Answer| {
        !answer
            .header("x-content-type-options")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("nosniff"))
    };
    let survey = ctx.survey().await?;
    let evidence =
        survey.answers.iter().filter(lacks).map(|answer| answer.evidence(&["x-content-type-options"]));
    Ok(Outcome::judge("Answers come without nosniff.", evidence.collect()))
}
