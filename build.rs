//! Tells the program when its list of dependencies was last changed: the date of the newest commit of Cargo.lock, or
//! `SOURCE_DATE_EPOCH` outside of a repository. Never the clock, so that two builds of the same source are the same.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let date = committed().or_else(|| std::env::var("SOURCE_DATE_EPOCH").ok()).unwrap_or_default();
    // Without the prefix of settings: cargo hands it to what it runs, too.
    println!("cargo:rustc-env=DEPENDENCIES_DATE={}", date.trim());
}

/// Seconds since 1970; nothing outside of a repository.
fn committed() -> Option<String> {
    let git = Command::new("git").args(["log", "-1", "--format=%ct", "--", "Cargo.lock"]).output().ok()?;
    let date = String::from_utf8(git.stdout).ok()?;
    (git.status.success() && !date.trim().is_empty()).then_some(date)
}
