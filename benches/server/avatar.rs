//! Avatars: a photograph of 3000 × 2000 against Pillow, which does the same work in its fastest order.

use crate::Outcome;
use crate::client::{Connection, upload};
use crate::report::{Report, Row};
use crate::server::{Server, pinned};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const UPLOADS: usize = 20;
const ROUNDS: usize = 3;

/// CPU of an upload, all of the server's work, against Pillow's alone.
pub async fn upload_cost(data: &TempDir, token: &str, server: &Server, report: &mut Report) -> Outcome<()> {
    let photograph = data.path().join("photograph.jpg");
    pillow(&["make", &photograph.display().to_string()])?;
    let request = upload("/api/profile/avatar/", token, &std::fs::read(&photograph)?);
    let mut connection = Connection::open(server.port).await?;
    let (mut ours, mut usual, mut least) = (0.0, 0.0, 0.0);
    for round in 0..=ROUNDS {
        let before = server.cpu()?;
        for _ in 0..UPLOADS {
            let answer = connection.call(&request).await?;
            if answer.status != 200 {
                return Err(format!("an upload was answered with {}", answer.status).into());
            }
        }
        let cost = (server.cpu()? - before) * 1000.0 / UPLOADS as f64;
        let printed = pillow(&["measure", &photograph.display().to_string(), &UPLOADS.to_string()])?;
        let costs: Result<Vec<f64>, _> = printed.split_whitespace().map(str::parse).collect();
        // The first round warms up.
        if let (1.., [upright_first, small_first]) = (round, costs?.as_slice()) {
            ours += cost / ROUNDS as f64;
            usual += upright_first / ROUNDS as f64;
            least += small_first / ROUNDS as f64;
        }
    }
    let raw = format!(
        "{ours:.1} ms CPU an upload over HTTP; Pillow alone {usual:.1} ms upright first, {least:.1} ms small first"
    );
    report.add(Row {
        what: "avatar of 3000 × 2000, of Pillow's CPU for the same work",
        goal: "≤ 1.0",
        result: format!("{:.2}; {:.2} of its fastest order", ours / usual, ours / least),
        met: ours <= usual,
        raw,
    });
    Ok(())
}

fn pillow(arguments: &[&str]) -> Outcome<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/pillow_avatar.py");
    let out = pinned(&python()).arg(script).args(arguments).output()?;
    match out.status.success() {
        true => Ok(String::from_utf8(out.stdout)?),
        false => {
            Err(format!("Pillow is missing; run scripts/setup.sh: {}", String::from_utf8_lossy(&out.stderr))
                .into())
        }
    }
}

/// The one that scripts/setup.sh makes, or the machine's.
fn python() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/tools");
    let folders = ["/var/cache/portcullis/tools".into(), own];
    let programs = folders.into_iter().map(|tools: PathBuf| tools.join("python/bin/python"));
    programs.into_iter().find(|path| path.is_file()).unwrap_or_else(|| "python3".into())
}
