//! Files from strangers: received within limits, looked at by a scanner, drawn anew away from other work.
//!
//! | Bound | Holds |
//! |---|---|
//! | a file | while it arrives: one that is larger is cut off and answered with 413 |
//! | [`RECEIVING`] | all files that are here at once |
//! | [`DRAWING`] | all pictures that are decoded at once |
//! | threads | half the cores, so that uploads never keep everybody else waiting |
//!
//! Who comes while a bound is reached hears 503 and when to come back (ASVS v5.0.0-5.2.1).

mod clamav;
mod receive;

pub use receive::Received;

use crate::config;
use crate::error::{Error, Result};
use axum::extract::Request;
use bytes::Bytes;
use clamav::Scanner;
use portcullis_security::upload::{ImageError, ImageLimits, Picture};
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// KiB of files that are here at once: a dozen of the largest.
const RECEIVING: usize = 64 * 1024;
/// KiB of pictures that are decoded at once: one of the largest, or many of the usual.
const DRAWING: usize = 256 * 1024;
const MOST_THREADS: usize = 4;
/// How long a picture waits for its turn before its sender is asked to come back.
const PATIENCE: Duration = Duration::from_secs(5);
const COME_BACK: Duration = Duration::from_secs(2);

/// Where files are received and pictures are drawn.
pub struct Uploads {
    receiving: Arc<Semaphore>,
    drawing: Arc<Semaphore>,
    threads: Arc<Semaphore>,
    scanner: Option<Scanner>,
    limits: ImageLimits,
}

/// Whether a scanner answers at an address of the settings, tried with an empty file.
pub async fn scanner_answers(address: &str) -> bool {
    Scanner::at(address).check("file", b"").await.is_ok()
}

impl Uploads {
    /// With the scanner of the settings, if one is set.
    pub fn new(settings: &config::Uploads) -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self {
            receiving: Arc::new(Semaphore::new(RECEIVING)),
            drawing: Arc::new(Semaphore::new(DRAWING)),
            threads: Arc::new(Semaphore::new((cores / 2).clamp(1, MOST_THREADS))),
            scanner: settings.clamav.as_deref().map(Scanner::at),
            limits: ImageLimits::default(),
        }
    }

    /// Reads the file of one field of a multipart body; `None` when there is none.
    ///
    /// # Errors
    /// 413 in the guide's words when it is larger than `limit`, 415 for another content type, 400 for a body
    /// that is broken, 408 for one that never ends, 503 while too many files are here.
    pub async fn receive(
        &self,
        request: Request,
        field: &'static str,
        limit: usize,
    ) -> Result<Option<Received>> {
        receive::file(request, (field, limit), &self.receiving).await
    }

    /// Makes a picture that is ours of a file that is not: see [`portcullis_security::upload`].
    ///
    /// # Errors
    /// 400 for `field` when the file is no picture, is too large in pixels or is known to the scanner; 503
    /// when the scanner does not answer, or too many pictures wait.
    pub async fn draw(&self, field: &'static str, file: Received) -> Result<Bytes> {
        let (file, memory) = self.inspect(field, file).await?;
        if let Some(scanner) = &self.scanner {
            scanner.check(field, file.bytes()).await?;
        }
        let permits = tokio::time::timeout(PATIENCE, self.turn(memory)).await;
        let permits = permits.map_err(|_| Error::Busy(COME_BACK))??;
        let limits = self.limits;
        let drawn = tokio::task::spawn_blocking(move || {
            let drawn = Picture::inspect(file.bytes(), &limits).and_then(|picture| picture.reencode());
            // Held to the end, even when the caller has gone away meanwhile.
            drop((file, permits));
            drawn
        });
        let drawn = drawn.await.map_err(Error::internal)?;
        Ok(drawn.map_err(|error| refusal(field, error))?.into())
    }

    /// Reading a header takes no time, but for a PNG it copies the file.
    async fn inspect(&self, field: &'static str, file: Received) -> Result<(Received, u64)> {
        let limits = self.limits;
        let inspected = tokio::task::spawn_blocking(move || {
            let memory = Picture::inspect(file.bytes(), &limits).map(|picture| picture.memory());
            memory.map(|memory| (file, memory))
        });
        inspected.await.map_err(Error::internal)?.map_err(|error| refusal(field, error))
    }

    /// Waits for memory and a thread, in the order of arrival.
    async fn turn(&self, memory: u64) -> Result<[OwnedSemaphorePermit; 2]> {
        let kib = usize::try_from(memory / 1024).unwrap_or(DRAWING).clamp(1, DRAWING);
        let kib = u32::try_from(kib).unwrap_or(u32::MAX);
        let memory = self.drawing.clone().acquire_many_owned(kib).await.map_err(Error::internal)?;
        let thread = self.threads.clone().acquire_owned().await.map_err(Error::internal)?;
        Ok([memory, thread])
    }
}

fn refusal(field: &'static str, error: ImageError) -> Error {
    let problem = match error {
        ImageError::UnknownType => "Invalid file type. Allowed: JPEG, PNG, WebP",
        ImageError::TooManyPixels => "The image has too many pixels. At most 25 megapixels are read",
        _ => "Invalid image file",
    };
    Error::field(field, problem)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[tokio::test]
    async fn a_picture_waits_for_the_memory_of_others() {
        let uploads = Uploads::new(&config::Uploads { clamav: None });
        let busy = uploads.turn(u64::MAX).await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(20), uploads.turn(1)).await;
        assert!(waited.is_err());
        drop(busy);
        drop(uploads.turn(1).await.unwrap());
    }
}
