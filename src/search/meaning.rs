//! What words mean, as vectors: the nearer two meanings, the smaller the angle between them.
//!
//! `data/words.bin` knows some 42,000 words; `scripts/word_vectors.py` has made it. A text means what its words
//! mean together.

use super::text::telling;

/// Numbers of a vector.
pub(super) const DIMENSIONS: usize = 128;
const DATA: &[u8] = include_bytes!("data/words.bin");
const HEADER: usize = 16;

/// Endings without which a word may be known, and what takes their place.
const ENDINGS: [(&str, &str); 18] = [
    ("ies", "y"),
    ("es", ""),
    ("s", ""),
    ("ied", "y"),
    ("ed", ""),
    ("ed", "e"),
    ("ing", ""),
    ("ing", "e"),
    ("ly", ""),
    ("ers", ""),
    ("ers", "e"),
    ("er", ""),
    ("er", "e"),
    ("est", ""),
    ("est", "e"),
    ("ness", ""),
    ("ism", ""),
    ("ist", ""),
];
const BEGINNINGS: [&str; 8] = ["de", "un", "re", "non", "anti", "mis", "over", "post"];

/// A direction of length one, in bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Vector {
    cells: [i8; DIMENSIONS],
    scale: f32,
}

/// A sum of words.
pub(super) struct Sum([f32; DIMENSIONS]);

impl Sum {
    pub(super) const fn zero() -> Self {
        Self([0.0; DIMENSIONS])
    }

    /// Adds a vector so many times.
    pub(super) fn add(&mut self, vector: &Vector, times: f32) {
        let factor = vector.scale * times;
        for (sum, cell) in self.0.iter_mut().zip(vector.cells) {
            *sum += f32::from(cell) * factor;
        }
    }

    /// The direction in which the sum points; none of nothing.
    pub(super) fn direction(&self) -> Option<Vector> {
        let length = self.0.iter().map(|part| part * part).sum::<f32>().sqrt();
        let largest = self.0.iter().fold(0.0_f32, |largest, part| largest.max(part.abs()));
        if length == 0.0 || !length.is_finite() {
            return None;
        }
        let mut cells = [0_i8; DIMENSIONS];
        for (cell, part) in cells.iter_mut().zip(self.0) {
            *cell = (part / largest * 127.0).round() as i8;
        }
        Some(Vector { cells, scale: largest / 127.0 / length })
    }
}

/// Many vectors, one after the other, to be compared with one.
#[derive(Default)]
pub(super) struct Vectors {
    cells: Vec<i8>,
    scales: Vec<f32>,
}

impl Vectors {
    pub(super) fn push(&mut self, vector: Option<&Vector>) {
        match vector {
            Some(vector) => {
                self.cells.extend(vector.cells);
                self.scales.push(vector.scale);
            }
            None => {
                self.cells.extend([0; DIMENSIONS]);
                self.scales.push(0.0);
            }
        }
    }

    /// The cosine of the angle between each vector and this one.
    pub(super) fn cosines<'a>(&'a self, vector: &'a Vector) -> impl Iterator<Item = f32> + 'a {
        let rows = self.cells.as_chunks::<DIMENSIONS>().0.iter();
        rows.zip(&self.scales).map(|(row, scale)| dot(row, &vector.cells) as f32 * scale * vector.scale)
    }

    /// Keeps those at which the flag is set.
    pub(super) fn retain(&mut self, is_kept: impl Fn(usize) -> bool) {
        let rows = self.cells.as_chunks::<DIMENSIONS>().0.iter().zip(&self.scales).enumerate();
        let kept: Vec<_> = rows.filter(|(place, _)| is_kept(*place)).map(|(_, row)| row).collect();
        let scales = kept.iter().map(|(_, scale)| **scale).collect();
        self.cells = kept.iter().flat_map(|(cells, _)| cells.iter().copied()).collect();
        self.scales = scales;
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.cells.capacity() + self.scales.capacity() * size_of::<f32>()
    }
}

/// In sixteen sums side by side, and with products of 16 bits, which hold them: compilers make half as many
/// instructions of it as of the plain sum.
fn dot(left: &[i8; DIMENSIONS], right: &[i8; DIMENSIONS]) -> i32 {
    let mut sums = [0_i32; 16];
    for (left, right) in left.as_chunks::<16>().0.iter().zip(right.as_chunks::<16>().0) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += i32::from(i16::from(*left) * i16::from(*right));
        }
    }
    sums.iter().sum()
}

/// The words whose meaning is known.
pub(super) struct Meanings {
    /// Where each word begins; one more for the end.
    begins: Vec<u32>,
    text: &'static [u8],
    scales: &'static [[u8; 4]],
    cells: &'static [[u8; DIMENSIONS]],
}

impl Meanings {
    /// Finds the words in the program's own data.
    pub(super) fn load() -> Self {
        let number = |place: usize| {
            let bytes = DATA.get(place..place + 4).and_then(|bytes| bytes.try_into().ok());
            u32::from_le_bytes(bytes.unwrap_or_default()) as usize
        };
        let (count, length) = (number(8), number(12));
        let (text, rest) = DATA[HEADER..].split_at_checked(length).unwrap_or_default();
        let (scales, cells) = rest.split_at_checked(count * 4).unwrap_or_default();
        let ends = text.iter().zip(1_u32..).filter(|(byte, _)| **byte == b'\n').map(|(_, next)| next);
        let begins = std::iter::once(0).chain(ends).chain([length as u32 + 1]).collect();
        Self { begins, text, scales: scales.as_chunks().0, cells: cells.as_chunks().0 }
    }

    /// What a word means, or failing that the word without an ending or a beginning.
    pub(super) fn of_word(&self, word: &str) -> Option<Vector> {
        self.find(word)
            .or_else(|| {
                ENDINGS.iter().find_map(|(ending, instead)| self.without_ending(word, ending, instead))
            })
            .or_else(|| {
                let rests = BEGINNINGS.iter().filter_map(|beginning| word.strip_prefix(beginning));
                rests.filter(|rest| rest.len() >= 4).find_map(|rest| self.find(rest))
            })
    }

    /// What a text means.
    pub(super) fn of_text(&self, text: &str) -> Sum {
        self.of_words(&telling(text))
    }

    /// What words mean together.
    pub(super) fn of_words(&self, words: &[String]) -> Sum {
        let mut sum = Sum::zero();
        for vector in words.iter().filter_map(|word| self.of_word(word)) {
            sum.add(&vector, 1.0);
        }
        sum
    }

    fn without_ending(&self, word: &str, ending: &str, instead: &str) -> Option<Vector> {
        let rest = word.strip_suffix(ending).filter(|rest| rest.len() >= 3)?;
        let base = format!("{rest}{instead}");
        // running, run
        let is_doubled = base.len() > 3 && base.as_bytes()[base.len() - 1] == base.as_bytes()[base.len() - 2];
        let shorter = is_doubled.then(|| base.get(..base.len() - 1)).flatten();
        self.find(&base).or_else(|| self.find(shorter?))
    }

    fn find(&self, word: &str) -> Option<Vector> {
        let (mut low, mut high) = (0, self.cells.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.word(middle).cmp(word.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.vector(middle),
            }
        }
        None
    }

    fn word(&self, place: usize) -> &'static [u8] {
        let (begin, next) = (self.begins[place] as usize, self.begins[place + 1] as usize);
        self.text.get(begin..next - 1).unwrap_or_default()
    }

    fn vector(&self, place: usize) -> Option<Vector> {
        let scale = f32::from_le_bytes(*self.scales.get(place)?);
        let cells = self.cells.get(place)?.map(|byte| i8::from_le_bytes([byte]));
        Some(Vector { cells, scale })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn near(meanings: &Meanings, left: &str, right: &str) -> f32 {
        let direction = |text| meanings.of_text(text).direction().unwrap();
        let mut all = Vectors::default();
        all.push(Some(&direction(left)));
        let right = direction(right);
        all.cosines(&right).next().unwrap()
    }

    #[test]
    fn the_table_of_words_is_whole() {
        let meanings = Meanings::load();
        assert_eq!(&DATA[..4], b"PWV1");
        assert_eq!(
            (meanings.begins.len(), meanings.scales.len(), meanings.cells.len()),
            (42_271, 42_270, 42_270)
        );
        let is_sorted =
            (1..meanings.cells.len()).all(|place| meanings.word(place - 1) < meanings.word(place));
        assert!(is_sorted && meanings.text.iter().filter(|byte| **byte == b'\n').count() == 42_269);
        assert_eq!(meanings.word(42_269), &meanings.text[meanings.begins[42_269] as usize..]);
    }

    #[test]
    fn words_of_one_field_are_nearer_than_words_of_two() {
        let meanings = Meanings::load();
        for (word, near_one, far_one) in [
            ("ship", "boat", "kitchen"),
            ("chemicals", "pesticides", "poem"),
            ("totalitarian", "dictator", "spoon"),
        ] {
            assert!(near(&meanings, word, near_one) > near(&meanings, word, far_one) + 0.2, "{word}");
        }
        assert!((near(&meanings, "sea", "sea") - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_word_is_known_with_an_ending_and_an_unknown_one_means_nothing() {
        let meanings = Meanings::load();
        for (form, base) in
            [("shipwrecked", "shipwreck"), ("declutter", "clutter"), ("pickpockets", "pickpocket")]
        {
            assert_eq!(meanings.of_word(form), meanings.of_word(base), "{form}");
        }
        assert_eq!(meanings.of_word("xqzzv"), None);
        assert_eq!(meanings.of_text("xqzzv ééé").direction(), None);
    }
}
