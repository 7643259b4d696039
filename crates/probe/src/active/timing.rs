//! Whether the time of an answer tells who has an account.
//!
//! Calls for a known and an unknown account are made in pairs, in alternating order. The sign test says how likely
//! so many of the pairs would differ the same way if both took the same time.

use super::account::{email, login_request, password};
use super::{disguised, object, probe};
use crate::evidence::Evidence;
use crate::mapping::Route;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Pairs that are measured, after two that are not: at least, usually, and where those leave a doubt.
const FEW: usize = 20;
const PAIRS: usize = 40;
const MANY: usize = 150;
/// The chance below which that is so.
const DOUBT: f64 = 0.1;
/// Time in which they are measured.
const WHILE: Duration = Duration::from_secs(50);
/// The chance of a false finding that is accepted.
const CHANCE: f64 = 0.0001;
/// A difference of medians below this many milliseconds is not reported: a network hides it.
const LEAST: f64 = 0.5;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "timing.login",
        "The time of a login tells whether an account exists",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Compute a password hash of the same cost for names that do not exist.",
        |ctx| Box::pin(login(ctx)),
    ),
    probe(
        "timing.reset",
        "The time of a password reset tells whether an address has an account",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Answer before the mail is made: put it into a queue for known and unknown addresses alike.",
        |ctx| Box::pin(reset(ctx)),
    ),
    probe(
        "timing.resend",
        "The time of resending a verification tells whether an address has an account",
        &["v5.0.0-6.3.8"],
        Severity::Medium,
        "Answer before the mail is made: put it into a queue for known and unknown addresses alike.",
        |ctx| Box::pin(resend(ctx)),
    ),
];

async fn login(ctx: &Context) -> Result<Outcome, Skip> {
    ctx.able().await?;
    let wrong = password(ctx, "wrong");
    let known = login_request(ctx, ctx.first().await?.which, &wrong)?;
    let unknown = login_request(ctx, "nobody", &wrong)?;
    measure(ctx, &known, &unknown, &ctx.accounts.limited.login).await
}

async fn reset(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.reset, "route reset")?;
    mailed(ctx, route, &ctx.accounts.limited.reset).await
}

async fn resend(ctx: &Context) -> Result<Outcome, Skip> {
    let route = ctx.route(&ctx.mapping.routes.resend, "route resend")?;
    mailed(ctx, route, &AtomicBool::default()).await
}

async fn mailed(ctx: &Context, route: &Route, limited: &AtomicBool) -> Result<Outcome, Skip> {
    let to = |address: &str| Request::to(route).json(&object([(&*ctx.mapping.fields.email, address.into())]));
    let (known, unknown) = (to(&ctx.first().await?.email), to(&email(ctx, "nobody")));
    measure(ctx, &known, &unknown, limited).await
}

async fn measure(
    ctx: &Context,
    known: &Request,
    unknown: &Request,
    limited: &AtomicBool,
) -> Result<Outcome, Skip> {
    let bypass = ctx.accounts.bypass().map(|bypass| bypass.name);
    if limited.load(Ordering::Relaxed) && bypass.is_none() {
        return Ok(Outcome::skipped(format!("a throttle lets too few calls pass to measure {FEW} pairs")));
    }
    let mut pairs = Vec::with_capacity(PAIRS);
    let mut status = None;
    let end = Instant::now() + WHILE;
    for index in 0..MANY + 2 {
        let is_late = pairs.len() >= FEW && Instant::now() >= end;
        if is_late || pairs.len() == PAIRS && chance(&pairs) > DOUBT {
            break;
        }
        let mut times = [0.0; 2];
        let order = if index % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            let request = disguised(ctx, [known, unknown][which].clone(), bypass);
            let answer = ctx.client.call(request).await?;
            // What is answered otherwise takes another way: its time tells nothing.
            if *status.get_or_insert(answer.status) != answer.status || !answer.is_there() {
                return Err(answer.unclear());
            }
            times[which] = answer.elapsed.as_secs_f64() * 1000.0;
        }
        if index >= 2 {
            pairs.push(times);
        }
    }
    Ok(judge(&pairs))
}

fn judge(pairs: &[[f64; 2]]) -> Outcome {
    let [first, second] = [0, 1].map(|which| median(pairs.iter().map(|pair| pair[which]).collect()));
    let chance = chance(pairs);
    let seen = format!(
        "Known {first:.2} ms, unknown {second:.2} ms (medians of {} pairs); the known one took longer in \
         {}: two-sided sign test, p = {chance:.1e}. A finding takes p < {CHANCE} and {LEAST} ms.",
        pairs.len(),
        longer(pairs)
    );
    if chance >= CHANCE || (first - second).abs() <= LEAST {
        return Outcome::Passed(seen);
    }
    let evidence = Evidence {
        request: format!("{} calls, one after the other", 2 * pairs.len()),
        response: seen.clone(),
    };
    Outcome::Found(seen, vec![evidence])
}

/// In how many pairs the first took longer.
fn longer(pairs: &[[f64; 2]]) -> usize {
    pairs.iter().filter(|pair| pair[0] > pair[1]).count()
}

fn chance(pairs: &[[f64; 2]]) -> f64 {
    sign_test(longer(pairs), pairs.len())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let below = times.get(middle.saturating_sub(1)).copied().unwrap_or_default();
    let above = times.get(middle).copied().unwrap_or_default();
    if times.len() % 2 == 1 { above } else { f64::midpoint(below, above) }
}

/// How likely a fair coin falls at least so far from the middle.
#[allow(clippy::cast_precision_loss, reason = "tens of pairs")]
fn sign_test(heads: usize, throws: usize) -> f64 {
    let extreme = heads.max(throws - heads);
    let mut ways = 1.0;
    let mut tail = 0.0;
    for count in 0..=throws {
        if count >= extreme {
            tail += ways;
        }
        ways = ways * (throws - count) as f64 / (count + 1) as f64;
    }
    (2.0 * tail / 2f64.powi(i32::try_from(throws).unwrap_or(i32::MAX))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_test_is_the_binomial_one() {
        assert!((sign_test(5, 10) - 1.0).abs() < 1e-9);
        assert!((sign_test(9, 10) - 0.021_484_375).abs() < 1e-9);
        assert!((sign_test(0, 4) - 0.125).abs() < 1e-9);
        assert!(sign_test(34, 40) < CHANCE && sign_test(32, 40) > CHANCE);
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}
