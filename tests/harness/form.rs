//! Forms with files, byte by byte, so that broken ones can be sent too.

use super::{Answer, TestApp};
use reqwest::Method;
use std::path::PathBuf;

const BOUNDARY: &str = "----a-boundary";

/// A body of one field with a file.
pub fn body(field: &str, file_name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"{file_name}\"\r\n\
         content-type: application/octet-stream\r\n\r\n"
    );
    [head.as_bytes(), content, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

/// A picture of the library's tests.
pub fn picture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crates/security/tests/pictures");
    std::fs::read(folder.join(name)).expect("a picture")
}

impl TestApp {
    /// Sends a multipart body to the caller's avatar.
    pub async fn send_avatar(&self, access: &str, body: Vec<u8>) -> Answer {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.request(Method::PATCH, "/api/profile/avatar/").bearer_auth(access);
        self.send(request.header("content-type", kind).body(body)).await
    }

    pub async fn upload_avatar(&self, access: &str, content: &[u8]) -> Answer {
        self.send_avatar(access, body("avatar", "me.jpg", content)).await
    }

    /// What lies at an absolute URL of this server: status, headers, content.
    pub async fn fetch(&self, url: &str) -> (u16, reqwest::header::HeaderMap, Vec<u8>) {
        let path = url.strip_prefix(&self.origin()).expect("a URL of this server");
        let response = self.request(Method::GET, path).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.bytes().await.expect("a body").to_vec())
    }

    /// The avatars on this server's disk.
    pub fn stored_avatars(&self) -> Vec<PathBuf> {
        let folder = self.app().config.storage.files_directory().expect("a folder").join("avatars");
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}
