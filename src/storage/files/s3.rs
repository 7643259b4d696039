//! Files in a bucket of S3, or of a store that speaks its language.
//!
//! The bucket stays private: the server fetches what it shows, so that its headers and its word on who is
//! still there hold for every file.

use super::{FileName, FilesError};
use crate::config;
use crate::error::{Error, Result};
use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{ClientConfigKey, ClientOptions, ObjectStoreExt, PutPayload, RetryConfig};
use std::time::Duration;

/// What Amazon's tools take when no region is named; other makers' stores do not mind.
const DEFAULT_REGION: &str = "us-east-1";
/// A caller waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// A bucket, and a folder in it.
pub(super) struct Bucket {
    store: AmazonS3,
    prefix: String,
}

impl Bucket {
    pub(super) fn open(settings: &config::Storage) -> Result<Self, FilesError> {
        let place = settings.files_bucket();
        let (bucket, prefix) = place
            .ok_or_else(|| FilesError("the place of files is neither file://DIR nor s3://BUCKET".into()))?;
        let aws = &settings.aws;
        let endpoint = aws.endpoint_url.as_deref();
        let retry = RetryConfig { max_retries: 2, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let client =
            ClientOptions::new().with_allow_http(endpoint.is_some_and(|url| url.starts_with("http://")));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(aws.region.as_deref().unwrap_or(DEFAULT_REGION))
            .with_retry(retry)
            .with_client_options(client)
            .with_http_connector(Direct);
        if let Some(url) = endpoint {
            builder = builder.with_endpoint(url);
        }
        // Without a key the machine's role is asked for one.
        if let (Some(id), Some(secret)) = (&aws.access_key_id, &aws.secret_access_key) {
            builder = builder.with_access_key_id(id.expose_text());
            builder = builder.with_secret_access_key(secret.expose_text());
        }
        if let Some(token) = &aws.session_token {
            builder = builder.with_token(token.expose_text());
        }
        let store = builder.build().map_err(|error| FilesError(format!("the bucket of files: {error}")))?;
        Ok(Self { store, prefix: prefix.to_owned() })
    }

    pub(super) async fn put(&self, name: &FileName, content: Bytes) -> Result<()> {
        self.store.put(&self.path(name), PutPayload::from(content)).await.map_err(unavailable)?;
        Ok(())
    }

    pub(super) async fn read(&self, name: &FileName) -> Result<Option<Bytes>> {
        match self.store.get(&self.path(name)).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(unavailable)?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(super) async fn remove(&self, name: &FileName) -> Result<()> {
        match self.store.delete(&self.path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn path(&self, name: &FileName) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }
}

/// Follows no redirect: settings say where the bucket is, and nobody else (ASVS v5.0.0-15.3.2).
#[derive(Debug)]
struct Direct;

impl HttpConnector for Direct {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp).as_deref() == Some("true");
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!allows_http)
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(3))
            .build();
        let refused = |error| object_store::Error::Generic { store: "S3", source: Box::new(error) };
        Ok(HttpClient::new(client.map_err(refused)?))
    }
}

fn unavailable(error: object_store::Error) -> Error {
    Error::unavailable(format!("the bucket of files: {error}"))
}
