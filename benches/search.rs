//! What a search in many books costs: `cargo bench --bench search`. One thread; CPU time from the kernel.

use portcullis::search::measure::Measured;
use std::error::Error;
use std::io::Write;
use std::time::Duration;

const BOOKS: usize = 100_000;
/// Words of a description: a blurb.
const WORDS: usize = 60;
const ROUNDS: usize = 20;
const MORE_WORDS: &str = include_str!("../src/search/data/more-words.txt");
const CATALOGUE: &str = include_str!("../tests/fixtures/search/books.csv");
const QUERIES: &str = include_str!("../tests/fixtures/search/queries.tsv");

fn main() -> Result<(), Box<dyn Error>> {
    let vocabulary: Vec<&str> = words(CATALOGUE).chain(MORE_WORDS.lines()).collect();
    let (memory, cpu) = (resident()?, cpu_time()?);
    let measured = Measured::of(BOOKS, |number| book(number, &vocabulary));
    let (memory, filled) = (resident()? - memory, cpu_time()? - cpu);
    let mut out = std::io::stdout();
    writeln!(out, "{BOOKS} books of {WORDS} words, filled in {filled:.2?} of CPU")?;
    writeln!(out, "memory: {} bytes a book resident, {} counted", memory / BOOKS, measured.bytes() / BOOKS)?;
    let mut costs = Vec::new();
    for query in QUERIES.lines().skip(1).filter_map(|line| line.split('\t').nth(1)) {
        let cpu = cpu_time()?;
        let found: usize = (0..ROUNDS).map(|_| measured.search(query)).sum();
        costs.push(((cpu_time()? - cpu) / ROUNDS as u32, query, found / ROUNDS));
    }
    // Every word counts, and each is frequent.
    let long: String = vocabulary.iter().take(90).flat_map(|word| [word, " "]).collect::<String>();
    let cpu = cpu_time()?;
    measured.search(long.get(..500).unwrap_or(&long));
    let longest = cpu_time()? - cpu;
    costs.sort_unstable();
    let sum: Duration = costs.iter().map(|(cost, _, _)| *cost).sum();
    writeln!(out, "{} questions, {ROUNDS} times each: mean {:.2?}", costs.len(), sum / costs.len() as u32)?;
    for (cost, query, found) in costs.iter().rev().take(3) {
        writeln!(out, "  {cost:.2?} for “{query}”, {found} found")?;
    }
    writeln!(out, "500 characters of frequent words: {longest:.2?}")?;
    Ok(())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphabetic()).filter(|word| word.len() > 1)
}

/// Words as often as in a language: the second half as often as the first, and so on (Zipf).
fn book(number: usize, vocabulary: &[&str]) -> [String; 3] {
    let mut state = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let part = (state >> 11) as f64 / (1_u64 << 53) as f64;
        let place = (vocabulary.len() as f64).powf(part) as usize - 1;
        vocabulary.get(place).copied().unwrap_or("book")
    };
    let mut text = |count: usize| (0..count).map(|_| word()).collect::<Vec<_>>().join(" ");
    [text(3), text(2), text(WORDS)]
}

fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(text.split(' ').next().unwrap_or_default().parse()?))
}

fn resident() -> Result<usize, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    Ok(text.split(' ').nth(1).unwrap_or_default().parse::<usize>()? * 4096)
}
