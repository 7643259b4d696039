//! Pictures that are uploaded.

use super::{ask, because, probe};
use crate::answer::Answer;
use crate::probe::{Context, Outcome, Probe, Severity, Skip};
use crate::request::Request;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use std::time::Duration;
use tokio::time::sleep;

pub(super) const PROBES: &[Probe] = &[
    probe(
        "uploads.metadata",
        "Pictures keep where they were taken",
        &["v5.0.0-14.2.8"],
        Severity::Medium,
        "Decode pictures and encode them anew, without EXIF.",
        |ctx| {
            let seen = "The served picture still has its EXIF data.";
            Box::pin(async { kept(ctx, with_place(), PLACE, seen).await })
        },
    ),
    probe(
        "uploads.polyglot",
        "Pictures keep what was hidden in them",
        &["v5.0.0-5.2.2"],
        Severity::Medium,
        "Decode pictures and encode them anew, so that nothing but pixels stays.",
        |ctx| {
            let seen = "The served picture still ends with a script.";
            Box::pin(async { kept(ctx, [&jpeg(), HIDDEN].concat(), HIDDEN, seen).await })
        },
    ),
    probe(
        "uploads.page",
        "An uploaded picture is served as a page",
        &["v5.0.0-3.2.1", "v5.0.0-5.3.2"],
        Severity::High,
        "Name files yourself, with the ending of what was found inside; never with the name that was sent.",
        |ctx| Box::pin(page(ctx)),
    ),
    probe(
        "uploads.content",
        "Files that are no pictures are taken as pictures",
        &["v5.0.0-5.2.2"],
        Severity::High,
        "Tell the type by the content, and refuse SVG.",
        |ctx| Box::pin(content(ctx)),
    ),
    probe(
        "uploads.size",
        "Files of any size are taken",
        &["v5.0.0-5.2.1"],
        Severity::Medium,
        "Stop reading at the limit, and answer 413.",
        |ctx| Box::pin(size(ctx)),
    ),
    probe(
        "uploads.old_file",
        "The old picture stays when a new one is uploaded",
        &[],
        Severity::Low,
        "Remove the file that nobody refers to any more.",
        |ctx| Box::pin(old_file(ctx)),
    ),
];

/// 48 × 48 pixels.
const JPEG: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j\
    q62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/\
    wAARCAAwADADASIAAhEBAxEB/8QAFwABAQEBAAAAAAAAAAAAAAAAAwIEBv/EACEQAAIBBAICAwAAAAAAAAAAAAECAAMRITFBYRJRInGh/8QAGQEA\
    AgMBAAAAAAAAAAAAAAAAAgQAAwYB/8QAHxEAAwACAgMBAQAAAAAAAAAAAAECEfADMRIhsUFx/9oADAMBAAIRAxEAPwDnlSKtOWiR0pw+OPIk2CtK\
    KtHqKAB2ZSqx6+obnjXrtjUWyBRA3LFNfcRaYG4ir6WA/Ffi+jcWYqaRvGy9mVSSIEu/5JFY4/XbM/N+yEpywpOBqJ43NhqIF4G4LpJYXX0biw1QL2Yg\
    Q7OBLVAMAXMsJY5yZW6xu5G4syUlsLxESy3lovwMQJgCcVYlfz6Z+LIVPFe5apYWGzEVc3OhLVSM8mC6xu9jcWQqcDctUtrA9xFS2OOZYTrHAlbrd1jk\
    Wf/Z";
/// In the EXIF data, as a description.
const PLACE: &[u8] = b"probe 52.5163N 13.3777E";
/// After the end of the picture.
const HIDDEN: &[u8] = b"<html><script>probe()</script></html>";
/// More than any avatar needs.
const LARGE: usize = 11 * 1024 * 1024;

async fn kept(ctx: &Context, more: Vec<u8>, what: &[u8], seen: &str) -> Result<Outcome, Skip> {
    usual(ctx).await?;
    let uploaded = upload(ctx, "probe.jpg", "image/jpeg", &more).await?;
    if !uploaded.accepted()? {
        return Ok(Outcome::skipped("such a picture is refused"));
    }
    let served = served(ctx, &uploaded).await?;
    let kept = served.body.windows(what.len()).any(|window| window == what);
    Ok(Outcome::when(kept, seen, vec![served.evidence(&["content-type"])]))
}

async fn page(ctx: &Context) -> Result<Outcome, Skip> {
    usual(ctx).await?;
    let uploaded = upload(ctx, "probe.html", "text/html", &jpeg()).await?;
    let uploaded = if uploaded.accepted()? {
        uploaded
    } else {
        upload(ctx, "probe.html", "image/jpeg", &jpeg()).await?
    };
    if !uploaded.accepted()? {
        return Ok(Outcome::Passed("Such a name is refused.".to_owned()));
    }
    let served = served(ctx, &uploaded).await?;
    let evidence = vec![served.evidence(&["content-type", "content-disposition", "content-security-policy"])];
    Ok(Outcome::when(served.is_html(), "A picture named probe.html comes back as a page.", evidence))
}

async fn content(ctx: &Context) -> Result<Outcome, Skip> {
    usual(ctx).await?;
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\" onload=\"probe()\"/>";
    let lies =
        [("probe.svg", "image/svg+xml", svg), ("probe.jpg", "image/jpeg", "<html><script>probe()</script>")];
    let mut evidence = Vec::new();
    for (name, kind, file) in lies {
        let answer = upload(ctx, name, kind, file.as_bytes()).await?;
        if answer.accepted()? {
            evidence.push(answer.evidence_with_body(&[]));
        }
    }
    Ok(Outcome::judge("A file that is no picture is taken.", evidence))
}

async fn size(ctx: &Context) -> Result<Outcome, Skip> {
    usual(ctx).await?;
    let mut file = jpeg();
    file.resize(LARGE, 0);
    let answer = upload(ctx, "probe.jpg", "image/jpeg", &file).await?;
    let evidence = vec![answer.evidence_with_body(&[])];
    Ok(Outcome::when(answer.accepted()?, "A picture of 11 MiB is taken.", evidence))
}

async fn old_file(ctx: &Context) -> Result<Outcome, Skip> {
    let old = address(ctx, &upload(ctx, "probe.jpg", "image/jpeg", &jpeg()).await?)?;
    let new = address(ctx, &upload(ctx, "probe.jpg", "image/jpeg", &jpeg()).await?)?;
    if new == old {
        return Ok(Outcome::passed());
    }
    let mut last = fetch(ctx, &old).await?;
    for _ in 0..10 {
        if !last.accepted()? {
            return Ok(Outcome::passed());
        }
        sleep(Duration::from_millis(500)).await;
        last = fetch(ctx, &old).await?;
    }
    let seen = "Five seconds after it was replaced the old picture is still served.";
    Ok(Outcome::when(last.accepted()?, seen, vec![last.evidence(&[])]))
}

/// A usual picture, taken and served: else a refusal tells nothing of what is hostile.
async fn usual(ctx: &Context) -> Result<(), Skip> {
    let usual = async {
        let uploaded = upload(ctx, "probe.jpg", "image/jpeg", &jpeg()).await?;
        served(ctx, &uploaded).await
    };
    ctx.accounts.picture.get_or_init(|| usual).await.as_ref().map(|_| ()).map_err(Clone::clone)
}

async fn upload(ctx: &Context, name: &str, kind: &str, file: &[u8]) -> Result<Answer, Skip> {
    let route = ctx.route(&ctx.mapping.routes.upload, "route upload")?;
    let access = &ctx.first().await?.session.access;
    ask(ctx, Request::to(route).bearer(access).file(&ctx.mapping.fields.upload, name, kind, file)).await
}

async fn served(ctx: &Context, uploaded: &Answer) -> Result<Answer, Skip> {
    let served = fetch(ctx, &address(ctx, uploaded)?).await?;
    if served.accepted()? {
        Ok(served)
    } else {
        Err(because(format!("the picture is not served: {}", served.status)))
    }
}

/// The path within the host, which may lie beside the one below which the server lives.
async fn fetch(ctx: &Context, path: &str) -> Result<Answer, Skip> {
    ctx.client.call_at(&ctx.target.origin(), Request::get(path)).await
}

/// Where the picture is served, if that is on the target.
fn address(ctx: &Context, answer: &Answer) -> Result<String, Skip> {
    let url = answer.field(&ctx.mapping.fields.upload_url);
    let url = url.ok_or_else(|| because(format!("no picture could be uploaded: {}", answer.status)))?;
    let whole = Url::parse(&ctx.target.at("/")).and_then(|base| base.join(&url));
    match whole {
        Ok(whole) if whole.origin().ascii_serialization() == ctx.target.origin() => {
            Ok(whole.path().to_owned())
        }
        _ => Err(because("pictures are served by another host")),
    }
}

fn jpeg() -> Vec<u8> {
    BASE64_STANDARD.decode(JPEG).unwrap_or_default()
}

/// The picture with a place in its EXIF data.
fn with_place() -> Vec<u8> {
    let plain = jpeg();
    let mut text = PLACE.to_vec();
    text.push(0);
    // TIFF, little-endian, one directory with one entry: ImageDescription (0x010E), ASCII, its text at offset 26.
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0E\x01\x02\0".to_vec();
    exif.extend(u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
    exif.extend([26, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend(text);
    let mut file = plain.get(..2).unwrap_or_default().to_vec();
    file.extend([0xFF, 0xE1]);
    file.extend(u16::try_from(exif.len() + 2).unwrap_or_default().to_be_bytes());
    file.extend(exif);
    file.extend(plain.get(2..).unwrap_or_default());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_with_a_place_begins_and_goes_on_like_a_picture() {
        let (plain, file) = (jpeg(), with_place());
        assert_eq!((plain.len(), file.get(..4)), (504, Some(&[0xFF, 0xD8, 0xFF, 0xE1][..])));
        for part in [PLACE, plain.get(2..).unwrap_or_default()] {
            assert!(file.windows(part.len()).any(|window| window == part));
        }
    }
}
