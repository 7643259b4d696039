//! A picture: inspected first, then decoded, turned upright, made small and written anew.

use super::pixels::{Samples, shrink};
use super::png::without_ancillary;
use super::{ImageKind, ImageLimits};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::borrow::Cow;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The media type of every result.
pub const OUTPUT_TYPE: &str = "image/jpeg";
/// The extension that belongs to [`OUTPUT_TYPE`].
pub const OUTPUT_EXTENSION: &str = "jpg";

/// JPEG's 1 to 100; from here on up files grow faster than pictures get better.
const QUALITY: u8 = 85;

/// Why a picture is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// It is no JPEG, PNG or WebP.
    #[error("neither JPEG nor PNG nor WebP")]
    UnknownType,
    /// It has more pixels than are decoded.
    #[error("too many pixels")]
    TooManyPixels,
    /// It is broken, cut off, empty, or of a kind that is not understood.
    #[error("not a valid image")]
    Undecodable,
}

/// A file whose header says that it is a picture of a bearable size. Nothing is decoded yet.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    bytes: Cow<'a, [u8]>,
    kind: ImageKind,
    size: (u32, u32),
    memory: u64,
    limits: ImageLimits,
}

/// Inspects and re-encodes in one go. The work takes tens of milliseconds of CPU for a photograph: not for a
/// thread that serves others.
///
/// # Errors
/// As [`Picture::inspect`] and [`Picture::reencode`].
///
/// ```
/// use portcullis_security::upload::{ImageError, ImageLimits, reencode};
///
/// let cut_off = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
/// assert_eq!(reencode(cut_off, &ImageLimits::default()), Err(ImageError::Undecodable));
/// ```
pub fn reencode(bytes: &[u8], limits: &ImageLimits) -> Result<Vec<u8>, ImageError> {
    Picture::inspect(bytes, limits)?.reencode()
}

impl<'a> Picture<'a> {
    /// Reads the header alone: 50,000 × 50,000 pixels are refused in microseconds and without memory
    /// (CWE-409, CWE-789).
    ///
    /// # Errors
    /// Every [`ImageError`].
    ///
    /// ```
    /// use portcullis_security::upload::{ImageError, ImageLimits, Picture};
    ///
    /// let bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\x02\0\0\0";
    /// let refused = Picture::inspect(bomb, &ImageLimits::default());
    /// assert!(refused.is_err());
    /// ```
    pub fn inspect(bytes: &'a [u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let kind = ImageKind::sniff(bytes).ok_or(ImageError::UnknownType)?;
        let bytes = match kind {
            ImageKind::Png => Cow::Owned(without_ancillary(bytes)),
            ImageKind::Jpeg | ImageKind::WebP => Cow::Borrowed(bytes),
        };
        let (size, memory) = guarded(|| {
            let decoder = decoder(&bytes, kind, limits)?;
            let (width, height) = decoder.dimensions();
            if width == 0 || height == 0 {
                return Err(ImageError::Undecodable);
            }
            if !limits.allows(width, height) {
                return Err(ImageError::TooManyPixels);
            }
            Ok(((width, height), decoder.total_bytes().saturating_mul(buffers(kind))))
        })?;
        Ok(Self { bytes, kind, size, memory, limits: *limits })
    }

    /// The format it came in.
    #[must_use]
    pub const fn kind(&self) -> ImageKind {
        self.kind
    }

    /// Width and height in pixels, as stored.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Bytes that [`reencode`](Self::reencode) may take at most, for a budget.
    #[must_use]
    pub const fn memory(&self) -> u64 {
        self.memory
    }

    /// Decodes it, turns it as its EXIF says, fits it into [`ImageLimits::fit`] and writes it as a JPEG
    /// without metadata; transparency becomes white, of an animation the first picture remains. Colours are
    /// taken for sRGB. A decoder that panics has met a picture that is refused.
    ///
    /// # Errors
    /// [`ImageError::Undecodable`], and [`ImageError::TooManyPixels`] where decoding takes too much memory.
    ///
    /// ```
    /// use portcullis_security::upload::{ImageError, ImageLimits, Picture};
    ///
    /// # let mut photo = std::io::Cursor::new(Vec::new());
    /// # image::RgbImage::new(1024, 256).write_to(&mut photo, image::ImageFormat::Png).unwrap();
    /// # let photo = photo.into_inner();
    /// let picture = Picture::inspect(&photo, &ImageLimits::default())?;
    /// let avatar = picture.reencode()?;
    /// assert!(avatar.starts_with(b"\xff\xd8\xff"));
    /// # let small = image::load_from_memory(&avatar).unwrap();
    /// # assert_eq!((small.width(), small.height()), (512, 128));
    /// # Ok::<(), ImageError>(())
    /// ```
    pub fn reencode(&self) -> Result<Vec<u8>, ImageError> {
        guarded(|| self.draw())
    }

    fn draw(&self) -> Result<Vec<u8>, ImageError> {
        let mut decoder = decoder(&self.bytes, self.kind, &self.limits)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
        let length = usize::try_from(decoder.total_bytes()).map_err(|_| ImageError::TooManyPixels)?;
        let mut bytes = vec![0; length];
        decoder.read_image(&mut bytes).map_err(refusal)?;
        let (new_width, new_height) = self.limits.fitted(width, height);
        let small = shrink(&Samples { bytes: &bytes, color, width, height }, new_width, new_height);
        let mut small = DynamicImage::ImageRgb8(small.ok_or(ImageError::Undecodable)?);
        drop(bytes);
        small.apply_orientation(orientation);
        let mut out = Vec::new();
        JpegEncoder::new_with_quality(&mut out, QUALITY).encode_image(&small).map_err(refusal)?;
        Ok(out)
    }
}

/// How often decoding holds the whole picture: a progressive JPEG keeps its coefficients, in 16 bits, and
/// WebP its planes or a transformed copy.
const fn buffers(kind: ImageKind) -> u64 {
    match kind {
        ImageKind::Png => 1,
        ImageKind::Jpeg | ImageKind::WebP => 3,
    }
}

fn decoder<'a>(
    bytes: &'a [u8],
    kind: ImageKind,
    limits: &ImageLimits,
) -> Result<impl ImageDecoder + 'a, ImageError> {
    let format = match kind {
        ImageKind::Jpeg => ImageFormat::Jpeg,
        ImageKind::Png => ImageFormat::Png,
        ImageKind::WebP => ImageFormat::WebP,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut bounds = Limits::default();
    (bounds.max_image_width, bounds.max_image_height) = (Some(limits.max_side), Some(limits.max_side));
    // Four samples of sixteen bits are the largest pixel there is.
    bounds.max_alloc = Some(limits.max_pixels.saturating_mul(8));
    reader.limits(bounds);
    reader.into_decoder().map_err(refusal)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn refusal(error: image::ImageError) -> ImageError {
    match error {
        image::ImageError::Limits(_) => ImageError::TooManyPixels,
        _ => ImageError::Undecodable,
    }
}

/// The decoders are safe code, but a slip in one of them is a panic, and a picture that knows of it must
/// not become a failure of ours.
fn guarded<T>(work: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(ImageError::Undecodable))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};
    use proptest::prelude::*;
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    const MARK: &[u8] = b"PLACE-THAT-MUST-GO";
    const LIMITS: ImageLimits = ImageLimits { max_pixels: 25_000_000, max_side: 16_384, fit: 512 };

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pictures")
    }

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(folder().join(name)).unwrap()
    }

    fn drawn(bytes: &[u8]) -> RgbImage {
        let out = reencode(bytes, &LIMITS).unwrap();
        assert_eq!(ImageKind::sniff(&out), Some(ImageKind::Jpeg));
        image::load_from_memory(&out).unwrap().into_rgb8()
    }

    fn holds(bytes: &[u8], needle: &[u8]) -> bool {
        bytes.windows(needle.len()).any(|window| window == needle)
    }

    fn is_red(pixel: Rgb<u8>) -> bool {
        pixel[0] > 150 && pixel[2] < 90
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        let pixels = vec![77; width as usize * height as usize];
        encoder.write_image(&pixels, width, height, ExtendedColorType::L8).unwrap();
        bytes
    }

    #[test]
    fn every_kind_of_picture_becomes_a_plain_jpeg_that_shows_the_same() {
        for name in
            ["progressive.jpg", "cmyk.jpg", "lossless.webp", "animated.webp", "animated.png", "palette.png"]
        {
            let picture = drawn(&fixture(name));
            assert_eq!(picture.dimensions(), (48, 32), "{name}");
            assert!(is_red(*picture.get_pixel(4, 4)), "{name}: {:?}", picture.get_pixel(4, 4));
            assert!(!is_red(*picture.get_pixel(44, 28)), "{name}: {:?}", picture.get_pixel(44, 28));
        }
        assert!(is_red(*drawn(&fixture("sixteen-bit.png")).get_pixel(4, 4)));
        for name in ["grey.jpg", "one-bit.png"] {
            assert_eq!(drawn(&fixture(name)).dimensions(), (48, 32), "{name}");
        }
    }

    #[test]
    fn places_profiles_and_comments_are_gone_and_the_picture_stands_upright() {
        let upright = [
            ("exif.jpg", (32, 48), (4, 4)),
            ("exif.webp", (48, 32), (44, 28)),
            ("exif.png", (32, 48), (4, 44)),
        ];
        for (name, size, red) in upright {
            let bytes = fixture(name);
            assert!(holds(&bytes, MARK), "{name}");
            let out = reencode(&bytes, &LIMITS).unwrap();
            for metadata in [MARK, b"Exif", b"ICC_PROFILE", b"GPS"] {
                assert!(!holds(&out, metadata), "{name}");
            }
            let picture = drawn(&bytes);
            assert_eq!(picture.dimensions(), size, "{name}");
            assert!(is_red(*picture.get_pixel(red.0, red.1)), "{name}");
        }
    }

    #[test]
    fn what_stands_behind_or_beside_the_picture_is_gone() {
        for name in ["exif.jpg", "palette.png", "lossless.webp"] {
            let clean = reencode(&fixture(name), &LIMITS).unwrap();
            for tail in [b"PK\x03\x04evil.class".as_slice(), b"<script>alert(1)</script>", b"<?php evil();"] {
                let polyglot = [fixture(name).as_slice(), tail].concat();
                let out = reencode(&polyglot, &LIMITS).unwrap();
                assert!(!holds(&out, tail), "{name}");
                assert_eq!(out, clean, "{name}");
            }
        }
        let mut comment = fixture("progressive.jpg");
        comment.splice(2..2, *b"\xff\xfe\x00\x12*/alert(1)/*@@@@");
        assert!(!holds(&reencode(&comment, &LIMITS).unwrap(), b"alert"));
    }

    #[test]
    fn a_large_picture_fits_and_keeps_its_shape_and_a_small_one_keeps_its_size() {
        assert_eq!(drawn(&png(1500, 1000)).dimensions(), (512, 341));
        assert_eq!(drawn(&png(600, 3)).dimensions(), (512, 3));
        assert_eq!(drawn(&png(1, 9000)).dimensions(), (1, 512));
        assert_eq!(drawn(&png(1, 1)).dimensions(), (1, 1));
        assert_eq!(*drawn(&png(1500, 1000)).get_pixel(200, 200), Rgb([77, 77, 77]));
    }

    #[test]
    fn fifty_thousand_pixels_square_are_refused_at_once_and_without_memory() {
        let mut header = png(1, 1);
        let side = 50_000_u32.to_be_bytes();
        header[16..24].copy_from_slice(&[side, side].concat());
        let crc = crc32(&header[12..29]).to_be_bytes();
        header[29..33].copy_from_slice(&crc);
        let (begun, before) = (Instant::now(), peak_kib());
        assert_eq!(reencode(&header, &LIMITS), Err(ImageError::TooManyPixels));
        assert!(begun.elapsed() < Duration::from_millis(50), "{:?}", begun.elapsed());
        assert!(peak_kib() - before < 32 * 1024);
        // 25 million are the last that pass, whatever their shape.
        assert!(LIMITS.allows(5000, 5000) && !LIMITS.allows(5000, 5001) && !LIMITS.allows(16_385, 1));
    }

    #[test]
    fn bombs_inside_a_small_picture_cost_neither_time_nor_memory() {
        for name in ["text-bomb.png", "row-bomb.png", "zero-width.png"] {
            let (begun, before) = (Instant::now(), peak_kib());
            let outcome = reencode(&fixture(name), &LIMITS);
            assert!(begun.elapsed() < Duration::from_secs(1), "{name}: {:?}", begun.elapsed());
            assert!(peak_kib() - before < 32 * 1024, "{name}: {} KiB", peak_kib() - before);
            assert!(outcome.is_ok() || name == "zero-width.png", "{name}: {outcome:?}");
        }
        assert_eq!(reencode(&fixture("zero-width.png"), &LIMITS), Err(ImageError::Undecodable));
    }

    #[test]
    fn what_is_no_picture_is_told_by_its_content() {
        for bytes in
            [b"".as_slice(), b"GIF89a\x01\0\x01\0", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"MZ"]
        {
            assert_eq!(reencode(bytes, &LIMITS), Err(ImageError::UnknownType));
        }
        for bytes in [b"\xff\xd8\xff".as_slice(), b"\x89PNG\r\n\x1a\n", b"RIFF\x04\0\0\0WEBP"] {
            assert_eq!(reencode(bytes, &LIMITS), Err(ImageError::Undecodable));
        }
    }

    #[test]
    fn a_picture_that_is_cut_off_anywhere_is_refused_or_drawn() {
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let step = (bytes.len() / 40).max(1);
            for length in (0..bytes.len()).step_by(step) {
                if let Ok(out) = reencode(&bytes[..length], &LIMITS) {
                    assert!(image::load_from_memory(&out).is_ok(), "{}: {length}", path.display());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn no_damage_makes_more_than_an_error(
            which in 0_usize..100,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        ) {
            let names = ["exif.jpg", "progressive.jpg", "cmyk.jpg", "exif.webp", "lossless.webp",
                "animated.webp", "animated.png", "sixteen-bit.png", "palette.png"];
            let mut bytes = fixture(names[which % names.len()]);
            for (index, byte) in damage {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            let limits = ImageLimits { max_pixels: 1_000_000, ..LIMITS };
            if let Ok(out) = reencode(&bytes, &limits) {
                prop_assert!(image::load_from_memory(&out).is_ok());
            }
        }

        #[test]
        fn no_noise_makes_more_than_an_error(noise in prop::collection::vec(any::<u8>(), 0..400), kind in 0_usize..3) {
            let start = [b"\xff\xd8\xff\xe0".as_slice(), b"\x89PNG\r\n\x1a\n", b"RIFF\x90\0\0\0WEBPVP8X"][kind];
            let _ = reencode(&[start, &noise].concat(), &LIMITS);
        }
    }

    /// The most memory that this process has had.
    fn peak_kib() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc: u32, byte| {
            (0..8)
                .fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        })
    }
}
