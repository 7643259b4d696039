//! The `.env` file, read without touching the process's environment.

use super::{
    problem::{MOST_TOLD, Problem},
    spec::{self, PREFIX},
};

/// The file's names and values, in order, and what is wrong with it. No message quotes a line: lines hold
/// secrets.
pub(super) fn parse(text: &str) -> (Vec<(String, String)>, Vec<Problem>) {
    let mut pairs = Vec::new();
    let mut problems = mangled_secrets(text);
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        match item {
            Err(_) if problems.len() >= MOST_TOLD => {}
            Ok(pair) => pairs.push(pair),
            Err(dotenvy::Error::LineParse(fragment, _)) => problems.push(unreadable(text, &fragment)),
            Err(_) => problems.push(unreadable(text, "")),
        }
    }
    (pairs, problems)
}

fn unreadable(text: &str, fragment: &str) -> Problem {
    let place = match text.match_indices(fragment.trim_end()).next() {
        Some((offset, found)) if !found.is_empty() => {
            format!(" line {}", text[..offset].matches('\n').count() + 1)
        }
        _ => String::new(),
    };
    let sentence =
        format!(".env{place} cannot be read: write NAME=value, with special characters in 'quotes'.");
    Problem::new(".env", sentence)
}

/// Secrets that the format would silently change: `$` begins a substitution and a leading `#` a comment, and
/// Django's generated keys hold both.
fn mangled_secrets(text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        let ours = name.strip_prefix(PREFIX).and_then(spec::find).or_else(|| spec::find_usual(name));
        let Some(spec) = ours.filter(|spec| spec.is_secret()) else { continue };
        if is_mangled(value) {
            let sentence =
                format!("{name} (.env) holds $ or begins with #: put the value in 'single quotes'.");
            problems.push(Problem::new(spec.name, sentence));
        }
    }
    problems.truncate(MOST_TOLD);
    problems
}

fn is_mangled(value: &str) -> bool {
    if value.starts_with('#') {
        return true;
    }
    let value = value.trim_start();
    !value.starts_with('\'') && value.replace(r"\$", "").contains('$')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn values_may_be_quoted_exported_and_commented() {
        let (pairs, problems) = parse("# head\nexport A=1\nB='x $y #z' # why\nC=\"two words\"\n\nD=\n");
        assert_eq!(problems, []);
        let expected = [("A", "1"), ("B", "x $y #z"), ("C", "two words"), ("D", "")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_broken_line_is_named_by_number_and_not_quoted() {
        let (pairs, problems) = parse("A=1\nSECRET_KEY hunter2\nB=2\n");
        assert_eq!(pairs.len(), 2);
        assert!(problems[0].sentence.contains("line 2"), "{}", problems[0]);
        assert!(!problems[0].sentence.contains("hunter2"));
    }

    #[test]
    fn a_secret_that_the_format_would_change_is_refused() {
        for line in ["SECRET_KEY=ab$cd", "export PORTCULLIS_TOKENS__SIGNING_KEY=\"ab$cd\"", "SECRET_KEY=#abc"]
        {
            assert!(parse(line).1.iter().any(|problem| problem.sentence.contains("single quotes")), "{line}");
        }
        for line in ["SECRET_KEY='ab$cd'", r"SECRET_KEY=ab\$cd", "OTHER=a$b", "SECRET_KEY=  # none yet"] {
            assert_eq!(parse(line).1, [], "{line}");
        }
    }

    #[test]
    fn a_file_of_something_else_is_told_of_in_a_few_lines() {
        for line in ["no setting\n", "SECRET_KEY=$a\n"] {
            assert_eq!(parse(&line.repeat(2_000)).1.len(), MOST_TOLD);
        }
    }

    #[test]
    fn nonsense_never_panics() {
        for text in ["=", "'", "\"", "A='", "A=\\", "A=${", "$", "\0", "A=\u{fffd}\n'\n", "export", "é=1"] {
            let _ = parse(text);
        }
    }
}
