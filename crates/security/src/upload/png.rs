//! A PNG without what its picture does not need.

const SIGNATURE: usize = 8;
/// Length, type and checksum of a chunk.
const FRAME: usize = 12;
/// What makes the picture, and which way is up. All of it is either raw or the pixels.
const KEPT: [&[u8; 4]; 6] = [b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"];

/// Copies the chunks that are needed and leaves out all others: texts and profiles are compressed, and a
/// decoder that inflates them turns 5 MB of them into seconds of work (CWE-409). A chunk that is cut off
/// ends the copy; the decoder says what that means.
pub(super) fn without_ancillary(bytes: &[u8]) -> Vec<u8> {
    let (signature, mut rest) = bytes.split_at(SIGNATURE.min(bytes.len()));
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(signature);
    while let Some((length, kind)) = rest.get(..4).zip(rest.get(4..8)) {
        let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        let (chunk, after) = rest.split_at((length + FRAME).min(rest.len()));
        if KEPT.iter().any(|kept| *kept == kind) {
            out.extend_from_slice(chunk);
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_makes_the_picture_is_kept() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x02zTXtab\0\0\0\0\0\0\0\x01IDATx\0\0\0\0\xff\xff\xff\xfftEXt";
        assert_eq!(without_ancillary(png), b"\x89PNG\r\n\x1a\n\0\0\0\x01IDATx\0\0\0\0");
        assert_eq!(without_ancillary(b"\x89PN"), b"\x89PN");
        assert_eq!(
            without_ancillary(b"\x89PNG\r\n\x1a\n\0\0\0\x09IDATx"),
            b"\x89PNG\r\n\x1a\n\0\0\0\x09IDATx"
        );
    }
}
