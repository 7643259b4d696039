//! What a file is, by its first bytes.

/// A format that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// JPEG, ITU-T T.81.
    Jpeg,
    /// PNG, W3C.
    Png,
    /// WebP, RFC 9649.
    WebP,
}

impl ImageKind {
    /// Tells the format by its signature, whatever the file is called; `None` for anything else.
    ///
    /// ```
    /// use portcullis_security::upload::ImageKind;
    ///
    /// assert_eq!(ImageKind::sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(ImageKind::Png));
    /// assert_eq!(ImageKind::sniff(b"RIFF\x24\0\0\0WEBPVP8 "), Some(ImageKind::WebP));
    /// assert_eq!(ImageKind::sniff(b"\xff\xd8\xff\xe0"), Some(ImageKind::Jpeg));
    /// assert_eq!(ImageKind::sniff(b"GIF89a"), None);
    /// ```
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\xff\xd8\xff") {
            return Some(Self::Jpeg);
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        is_webp.then_some(Self::WebP)
    }
}
