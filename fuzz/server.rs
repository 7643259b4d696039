//! What the server reads itself, or with the libraries that it uses, set as it sets them: none of it panics or grows.
#![allow(dead_code, reason = "a target uses one function of these")]

use axum::extract::FromRequestParts;
use axum::http::{Request, Uri};
use futures_util::{FutureExt, StreamExt};
use multer::bytes::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
use portcullis::config::WebUrl;
use portcullis::extract::{Key, ListQuery, Ordering, Search};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

const MAX_FRAME: usize = 16 * 1024;

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work);
}

/// The first line is the content type, the rest the body, in chunks of as many bytes as its first says.
pub fn multipart(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (kind, body) = (String::from_utf8_lossy(&data[..end]).into_owned(), data[end + 1..].to_vec());
    let Ok(boundary) = multer::parse_boundary(kind) else { return };
    let size = usize::from(body.first().copied().unwrap_or(1)).max(1);
    let chunks: Vec<_> =
        body.chunks(size).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
    run(async {
        let bounds = Constraints::new().size_limit(SizeLimit::new().whole_stream(64 * 1024));
        let mut fields = Multipart::with_constraints(futures_util::stream::iter(chunks), boundary, bounds);
        let mut read = 0;
        while let Ok(Some(mut field)) = fields.next_field().await {
            let _ = (field.name().map(str::len), field.file_name().map(str::len));
            while let Ok(Some(chunk)) = field.chunk().await {
                read += chunk.len();
            }
        }
        assert!(read <= body.len());
    });
}

/// The bytes of a peer after the handshake.
pub fn socket_frames(data: &[u8]) {
    run(async {
        let (mut peer, own) = tokio::io::duplex(1 << 20);
        peer.write_all(&data[..data.len().min(1 << 19)]).await.expect("a write");
        peer.shutdown().await.expect("an end");
        let config = WebSocketConfig::default()
            .max_frame_size(Some(MAX_FRAME))
            .max_message_size(Some(MAX_FRAME))
            .read_buffer_size(2 * 1024);
        let mut socket = WebSocketStream::from_raw_socket(own, Role::Server, Some(config)).await;
        while let Some(Ok(message)) = socket.next().await {
            assert!(message.len() <= MAX_FRAME);
        }
    });
}

/// What a list is asked for: refused or read; the links of its page are read as the same question at another place.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(query) = list_query(&format!("http://localhost/api/books/?{text}")) else { return };
    let _ = Search::parse(query.parameter("search"));
    let ordered = ["title", "id"].map(|name| Ordering { name, is_descending: false });
    let Ok(ordering) = query.ordering(&ordered) else { return };
    let url = WebUrl::parse("https://books.example").expect("a URL");
    let rows = (0..).zip(0..query.limit()).map(|(id, _)| id).collect();
    // As long as the longest value by which a list is ordered.
    let value: String = text.chars().filter(|character| *character != '\0').take(200).collect();
    let page = query.page(&url, ordering, rows, |id: &i64| (Key::Text(value.clone()), *id));
    for link in page.next.iter().chain(&page.previous) {
        let again = list_query(link).unwrap_or_else(|| panic!("{link} is refused"));
        assert_eq!(again.limit(), query.limit(), "{link}");
        for name in ["search", "book", "user", "ordering", "include", "page_size"] {
            assert_eq!(again.parameter(name), query.parameter(name), "{link}");
        }
        assert_eq!(again.ordering(&ordered).ok(), Some(ordering), "{link}");
    }
}

fn list_query(url: &str) -> Option<ListQuery> {
    let (mut parts, ()) = Request::get(url.parse::<Uri>().ok()?).body(()).ok()?.into_parts();
    ListQuery::from_request_parts(&mut parts, &()).now_or_never()?.ok()
}
