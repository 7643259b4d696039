//! Encryption: whether there is any, and how good it is.

use super::probe;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use crate::{Evidence, tls};
use rustls::pki_types::CertificateDer;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

pub(crate) const PROBES: &[Probe] = &[
    probe(
        "transport.encrypted",
        "Passwords and tokens travel without encryption",
        &["v5.0.0-12.2.1", "v5.0.0-4.4.1"],
        Severity::High,
        "Serve https only, with a certificate that browsers trust.",
        |ctx| Box::pin(encrypted(ctx)),
    ),
    probe(
        "transport.plain",
        "The same host also answers without encryption",
        &["v5.0.0-12.2.1", "v5.0.0-4.1.2"],
        Severity::Medium,
        "Redirect pages from http to https with 301 or 308, and let the API refuse http.",
        |ctx| Box::pin(plain(ctx)),
    ),
    probe(
        "tls.old",
        "TLS 1.0 or 1.1 is accepted",
        &["v5.0.0-12.1.1"],
        Severity::Medium,
        "Accept TLS 1.2 and 1.3 only.",
        |ctx| Box::pin(old(ctx)),
    ),
    probe(
        "tls.newest",
        "TLS 1.3 is not offered",
        &["v5.0.0-12.1.1"],
        Severity::Low,
        "Switch TLS 1.3 on.",
        |ctx| Box::pin(newest(ctx)),
    ),
    probe(
        "tls.certificate",
        "Browsers do not trust the certificate",
        &["v5.0.0-12.2.2"],
        Severity::High,
        "Get a certificate for this name from an authority that browsers trust, and serve its whole chain.",
        |ctx| Box::pin(certificate(ctx)),
    ),
    probe(
        "tls.expiry",
        "The certificate ends within 14 days",
        &["v5.0.0-12.2.2"],
        Severity::Low,
        "Renew it, and let it be renewed by a timer.",
        |ctx| Box::pin(expiry(ctx)),
    ),
];

async fn encrypted(ctx: &Context) -> Result<Outcome, Skip> {
    if ctx.target.is_https() {
        return Ok(Outcome::passed());
    }
    if ctx.target.is_loopback() {
        return Ok(Outcome::skipped("the target is on this machine itself"));
    }
    let evidence = ctx.survey().await?.answers.iter().take(1).map(|answer| answer.evidence(&[]));
    Ok(Outcome::judge("The target is http.", evidence.collect()))
}

async fn plain(ctx: &Context) -> Result<Outcome, Skip> {
    https_only(ctx)?;
    let base =
        ctx.plain.as_deref().ok_or(Skip::Because("no address without encryption is known".to_owned()))?;
    let paths = ["/"].into_iter().chain(ctx.mapping.open.first().map(|path| &**path));
    let mut evidence = Vec::new();
    for path in paths {
        // Where nothing listens there is nothing to read.
        let Ok(answer) = ctx.client.call_at(base, Request::get(path)).await else { continue };
        let leads_to_https = answer.header("location").is_some_and(|to| to.starts_with("https://"));
        if answer.is_success() || (300..400).contains(&answer.status) && !leads_to_https {
            evidence.push(answer.evidence(&["location"]));
        }
    }
    Ok(Outcome::judge("A call without encryption was answered.", evidence))
}

async fn old(ctx: &Context) -> Result<Outcome, Skip> {
    https_only(ctx)?;
    let mut evidence = Vec::new();
    for (minor, name) in [(1, "TLS 1.0"), (2, "TLS 1.1")] {
        ctx.client.count()?;
        let failed = |cause: String| Skip::Failed { path: name.to_owned(), cause };
        let greeted = timeout(ctx.client.patience(), greet(ctx, minor)).await;
        let greeted = greeted.map_err(|_| failed("it took too long".to_owned()))?;
        if greeted.map_err(|error| failed(error.to_string()))? {
            evidence.push(shake(&format!("ClientHello, at most {name}"), &format!("ServerHello, {name}")));
        }
    }
    Ok(Outcome::judge("The server agrees to an old version.", evidence))
}

/// Whether the server agrees to a version below TLS 1.2; rustls knows none, so the greeting is written here.
async fn greet(ctx: &Context, minor: u8) -> io::Result<bool> {
    let mut stream = tls::open(&ctx.target).await?;
    stream.write_all(&client_hello(ctx.target.host(), minor)).await?;
    // Record: type 22, version, length; handshake: type 2, length, version. A refusal is an alert, type 21, or the
    // end of the connection.
    let mut head = [0; 11];
    match stream.read_exact(&mut head).await {
        Ok(_) if head[0] == 22 && head[5] == 2 => Ok(head[9..11] == [3, minor]),
        Ok(_) if head[0] == 21 => Ok(false),
        Ok(_) => Err(io::Error::other("the answer is not TLS")),
        Err(error)
            if [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset].contains(&error.kind()) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// RFC 2246 §7.4.1.2, with the server's name (RFC 6066) and the curves that old servers want.
fn client_hello(host: &str, minor: u8) -> Vec<u8> {
    const SUITES: &[u16] = &[0xc014, 0xc013, 0xc00a, 0xc009, 0x0039, 0x0033, 0x0035, 0x002f, 0x000a];
    let is_address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let mut sni = Vec::new();
    if !is_address {
        sni = with_length(&[&[0][..], &with_length(host.as_bytes())].concat());
        sni.splice(0..0, [0, 0].into_iter().chain(length(sni.len())));
    }
    let curves = [0, 10, 0, 8, 0, 6, 0, 29, 0, 23, 0, 24, 0, 11, 0, 2, 1, 0];
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let mut body = vec![3, minor];
    body.extend([0x5a; 32]);
    body.push(0);
    body.extend(with_length(&suites));
    body.extend([1, 0]);
    body.extend(with_length(&[&sni[..], &curves].concat()));
    let handshake = [&[1, 0][..], &with_length(&body)].concat();
    [&[22, 3, minor][..], &with_length(&handshake)].concat()
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    length(bytes.len()).into_iter().chain(bytes.iter().copied()).collect()
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

async fn newest(ctx: &Context) -> Result<Outcome, Skip> {
    https_only(ctx)?;
    match handshake(ctx, &[&rustls::version::TLS13]).await {
        Ok(_) => Ok(Outcome::passed()),
        Err(refused) => {
            // Only a server that speaks TLS 1.2 has refused 1.3.
            handshake(ctx, &[&rustls::version::TLS12]).await?;
            let evidence = shake("ClientHello, TLS 1.3 only", &refused.to_string());
            Ok(Outcome::Found("The server speaks TLS 1.2 and not 1.3.".to_owned(), vec![evidence]))
        }
    }
}

async fn certificate(ctx: &Context) -> Result<Outcome, Skip> {
    https_only(ctx)?;
    if ctx.roots.is_empty() {
        return Ok(Outcome::skipped("this machine trusts no certificates at all"));
    }
    let chain = chain(ctx).await?;
    let problem = tls::judge(&ctx.target, &chain, &ctx.roots, ctx.now).err();
    Ok(judged("The certificate is not good", problem, chain.len()))
}

async fn expiry(ctx: &Context) -> Result<Outcome, Skip> {
    https_only(ctx)?;
    let chain = chain(ctx).await?;
    if tls::judge(&ctx.target, &chain, &ctx.roots, ctx.now).is_err() {
        return Ok(Outcome::skipped("the certificate is not trusted today"));
    }
    let problem = tls::judge(&ctx.target, &chain, &ctx.roots, ctx.now + SOON).err();
    Ok(judged("In 14 days the certificate will not be good", problem, chain.len()))
}

fn judged(what: &str, problem: Option<String>, length: usize) -> Outcome {
    problem.map_or_else(Outcome::passed, |problem| {
        let evidence = shake("ClientHello", &format!("{length} certificates: {problem}"));
        Outcome::Found(format!("{what}: {problem}."), vec![evidence])
    })
}

async fn chain(ctx: &Context) -> Result<Vec<CertificateDer<'static>>, Skip> {
    handshake(ctx, rustls::DEFAULT_VERSIONS).await
}

async fn handshake(
    ctx: &Context,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<Vec<CertificateDer<'static>>, Skip> {
    ctx.client.count()?;
    let failed = |cause: String| Skip::Failed { path: "TLS".to_owned(), cause };
    let stream = timeout(ctx.client.patience(), tls::connect(&ctx.target, versions)).await;
    let stream = stream.map_err(|_| failed("it took too long".to_owned()))?;
    let stream = stream.map_err(|error| failed(error.to_string()))?;
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(shown.iter().map(|certificate| certificate.clone().into_owned()).collect())
}

fn shake(request: &str, response: &str) -> Evidence {
    Evidence { request: request.to_owned(), response: response.to_owned() }
}

fn https_only(ctx: &Context) -> Result<(), Skip> {
    if ctx.target.is_https() { Ok(()) } else { Err(Skip::Because("the target is not https".to_owned())) }
}
