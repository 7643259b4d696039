//! From decoded samples to a small picture in RGB, row by row, so that a large one is in memory once.

use image::{ColorType, RgbImage};

/// What the weights of one target sum to, along one side. 255 × ONE × ONE fits into 32 bits.
const ONE: u32 = 1 << 12;
const CHANNELS: usize = 3;

/// Decoded samples as the decoder left them.
pub(super) struct Samples<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) color: ColorType,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Scales down by the mean of the area that each new pixel covers, on white where the picture is
/// transparent. `None` when the samples are of a kind that no decoder here makes.
pub(super) fn shrink(samples: &Samples<'_>, width: u32, height: u32) -> Option<RgbImage> {
    let stride = usize::from(samples.color.bytes_per_pixel()) * samples.width as usize;
    let mut row = vec![0_u8; samples.width as usize * CHANNELS];
    let mut sums = vec![0_u32; row.len()];
    let columns = covers(samples.width, width);
    let mut out = Vec::with_capacity(width as usize * height as usize * CHANNELS);
    let rows = samples.bytes.chunks_exact(stride).zip(covers(samples.height, height));
    for (source, cover) in rows {
        let source = if samples.color == ColorType::Rgb8 {
            source
        } else {
            to_rgb(samples.color, source, &mut row)?;
            &row
        };
        add(&mut sums, source, cover.first);
        if cover.is_last {
            average_columns(&sums, &columns, &mut out);
            sums.fill(0);
            add(&mut sums, source, cover.second);
        }
    }
    RgbImage::from_raw(width, height, out)
}

/// How a source row or column is shared between the target that it starts in and the next one.
#[derive(Clone, Copy)]
struct Cover {
    first: u32,
    second: u32,
    /// The target ends with this source.
    is_last: bool,
}

/// The shares of `from` sources in `to` targets, `to` ≤ `from`. On a common scale sources end at multiples
/// of `to` and targets at multiples of `from`; positions are rounded rather than weights, so that every
/// target gets exactly [`ONE`].
fn covers(from: u32, to: u32) -> Vec<Cover> {
    let (from, to) = (u64::from(from), u64::from(to));
    let weight_at = |position: u64| position * u64::from(ONE) / from;
    let mut all = Vec::new();
    for source in 0..from {
        let (start, end) = (source * to, (source + 1) * to);
        let border = (start / from + 1) * from;
        let is_last = end >= border;
        let split = end.min(border);
        let first = weight_at(split) - weight_at(start);
        let second = weight_at(end) - weight_at(split);
        let narrow = |weight| u32::try_from(weight).unwrap_or(ONE);
        all.push(Cover { first: narrow(first), second: narrow(second), is_last });
    }
    all
}

fn add(sums: &mut [u32], row: &[u8], weight: u32) {
    if weight > 0 {
        for (sum, sample) in sums.iter_mut().zip(row) {
            *sum += u32::from(*sample) * weight;
        }
    }
}

fn average_columns(sums: &[u32], columns: &[Cover], out: &mut Vec<u8>) {
    let mut total = [0_u32; CHANNELS];
    for (pixel, cover) in sums.chunks_exact(CHANNELS).zip(columns) {
        for (total, sum) in total.iter_mut().zip(pixel) {
            *total += *sum * cover.first;
        }
        if cover.is_last {
            out.extend(total.map(rounded));
            for (total, sum) in total.iter_mut().zip(pixel) {
                *total = *sum * cover.second;
            }
        }
    }
}

fn rounded(total: u32) -> u8 {
    const ONE_AREA: u32 = ONE * ONE;
    u8::try_from((total + ONE_AREA / 2) / ONE_AREA).unwrap_or(u8::MAX)
}

/// Eight-bit RGB on white.
fn to_rgb(color: ColorType, source: &[u8], row: &mut [u8]) -> Option<()> {
    use ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
    let (size, high) = match color {
        L8 | La8 | Rgb8 | Rgba8 => (1, 0),
        // Of sixteen bits the high byte, which decoders leave in the machine's own order.
        L16 | La16 | Rgb16 | Rgba16 => (2, usize::from(cfg!(target_endian = "little"))),
        _ => return None,
    };
    let channels = usize::from(color.channel_count());
    for (target, pixel) in row.chunks_exact_mut(CHANNELS).zip(source.chunks_exact(size * channels)) {
        let sample = |channel: usize| pixel[channel * size + high];
        let (rgb, alpha) = match channels {
            1 => ([sample(0); CHANNELS], u8::MAX),
            2 => ([sample(0); CHANNELS], sample(1)),
            3 => ([sample(0), sample(1), sample(2)], u8::MAX),
            _ => ([sample(0), sample(1), sample(2)], sample(3)),
        };
        target.copy_from_slice(&rgb.map(|sample| on_white(sample, alpha)));
    }
    Some(())
}

fn on_white(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    u8::try_from((sample * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_weights_of_every_target_sum_to_one() {
        for (from, to) in [(1, 1), (2, 1), (3, 2), (512, 512), (513, 512), (3000, 512), (16_384, 512), (7, 7)]
        {
            let (mut total, mut targets) = (0, 0);
            for cover in covers(from, to) {
                total += cover.first;
                if cover.is_last {
                    assert_eq!(total, ONE, "{from} to {to}");
                    targets += 1;
                    total = cover.second;
                }
            }
            assert_eq!((total, targets), (0, to), "{from} to {to}");
        }
    }

    #[test]
    fn a_half_covered_pixel_counts_half() {
        let samples = Samples { bytes: &[0, 90, 240], color: ColorType::L8, width: 3, height: 1 };
        let small = shrink(&samples, 2, 1).unwrap();
        assert_eq!(small.as_raw(), &[30, 30, 30, 190, 190, 190]);
    }

    #[test]
    fn what_is_transparent_becomes_white() {
        let samples =
            Samples { bytes: &[9, 9, 9, 0, 10, 20, 30, 255], color: ColorType::Rgba8, width: 2, height: 1 };
        assert_eq!(shrink(&samples, 2, 1).unwrap().as_raw(), &[255, 255, 255, 10, 20, 30]);
    }

    #[test]
    fn sixteen_bits_keep_their_high_byte() {
        let bytes: Vec<u8> =
            [0x1234_u16, 0x5678, 0x9abc].iter().flat_map(|sample| sample.to_ne_bytes()).collect();
        let samples = Samples { bytes: &bytes, color: ColorType::Rgb16, width: 1, height: 1 };
        assert_eq!(shrink(&samples, 1, 1).unwrap().as_raw(), &[0x12, 0x56, 0x9a]);
    }
}
