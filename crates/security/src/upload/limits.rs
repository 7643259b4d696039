//! How large a picture may be, before and after.

/// What is decoded, and how large the result is.
///
/// ```
/// use portcullis_security::upload::ImageLimits;
///
/// let limits = ImageLimits { fit: 128, ..ImageLimits::default() };
/// assert!(limits.allows(6000, 4000));
/// assert!(!limits.allows(50_000, 50_000));
/// assert!(!limits.allows(0, 10));
/// assert_eq!(limits.fitted(3000, 2000), (128, 85));
/// assert_eq!(limits.fitted(40, 30), (40, 30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageLimits {
    /// Pixels of a picture that is still decoded.
    pub max_pixels: u64,
    /// Pixels of its longer side.
    pub max_side: u32,
    /// Pixels of the longer side of the result. The picture keeps its shape, and a smaller one its size.
    pub fit: u32,
}

impl Default for ImageLimits {
    /// 25 megapixels, which a camera makes and which take at most about 250 MB to decode; a result that fits
    /// into 512 × 512, sharp at the 256 points of the largest place where an avatar is shown.
    fn default() -> Self {
        Self { max_pixels: 25_000_000, max_side: 16_384, fit: 512 }
    }
}

impl ImageLimits {
    /// Whether a picture of this size is decoded.
    #[must_use]
    pub fn allows(&self, width: u32, height: u32) -> bool {
        let pixels = u64::from(width) * u64::from(height);
        pixels > 0 && pixels <= self.max_pixels && width.max(height) <= self.max_side
    }

    /// The size of the result: the same shape, no side longer than `fit`, none shorter than one pixel.
    #[must_use]
    pub fn fitted(&self, width: u32, height: u32) -> (u32, u32) {
        let longer = u64::from(width.max(height));
        let fit = u64::from(self.fit.max(1));
        if longer <= fit {
            return (width, height);
        }
        let scale = |side: u32| {
            let rounded = (u64::from(side) * fit + longer / 2) / longer;
            u32::try_from(rounded).unwrap_or(self.fit).max(1)
        };
        (scale(width), scale(height))
    }
}
