//! Pictures from strangers, made harmless: told by their content, measured before they are decoded, drawn
//! anew (guide §13, §11.1; ASVS v5.0.0-5.2, CWE-434).
//!
//! What comes out of [`reencode`] was written by our encoder from pixels alone. Nothing of the file that
//! came in is in it: no EXIF with the place where it was taken, no colour profile, no comment, nothing
//! behind its end, no second format that the same bytes are valid in. That is why the name and the declared
//! type of an upload are never asked.
//!
//! | Step | Answers |
//! |---|---|
//! | [`ImageKind::sniff`] | renamed scripts, pages and programs |
//! | [`Picture::inspect`] | bombs: a few bytes that stand for gigabytes of pixels |
//! | [`Picture::reencode`] | metadata, tails and polyglots |
//!
//! ```
//! use portcullis_security::upload::{ImageError, ImageLimits, reencode};
//!
//! let page = b"<svg onload=alert(1)>";
//! assert_eq!(reencode(page, &ImageLimits::default()), Err(ImageError::UnknownType));
//! ```

mod image;
mod limits;
mod pixels;
mod png;
mod sniff;

pub use image::{ImageError, OUTPUT_EXTENSION, OUTPUT_TYPE, Picture, reencode};
pub use limits::ImageLimits;
pub use sniff::ImageKind;
