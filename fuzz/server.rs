//! What the server reads with the libraries that it uses, set as it sets them: none of it panics or grows.
#![allow(dead_code, reason = "a target uses one function of these")]

use futures_util::StreamExt;
use multer::bytes::Bytes;
use multer::{Constraints, Multipart, SizeLimit};
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
    let chunks: Vec<_> = body.chunks(size).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
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
