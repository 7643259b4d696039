//! Hostile HTML of other projects (testdata/README.md), cleaned and read again by a parser that the cleaner
//! does not use.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::html::{TAGS, clean};
use super::text::strip_tags;
use html5gum::{Token, Tokenizer};

/// What a second parser finds in cleaned HTML that must not be there.
pub(super) fn offences(html: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for token in Tokenizer::new(html).map(Result::unwrap) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                if !TAGS.contains(&name.as_str()) {
                    found.push(format!("<{name}>"));
                }
                for (attribute, value) in &tag.attributes {
                    let (attribute, value) =
                        (String::from_utf8_lossy(attribute), String::from_utf8_lossy(value));
                    if !is_allowed(&name, &attribute, &value) {
                        found.push(format!("<{name} {attribute}={value}>"));
                    }
                }
                let has = |wanted: &[u8]| tag.attributes.keys().any(|key| key.as_slice() == wanted);
                if name == "a" && !(has(b"href") && has(b"rel")) {
                    found.push("a link without a target or rel".to_owned());
                }
                if name != "br" {
                    open.push(name);
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                if open.pop() != Some(name.clone()) {
                    found.push(format!("</{name}> closes nothing"));
                }
            }
            // Unusual characters are errors to it, too.
            Token::String(_) | Token::Error(_) => {}
            other => found.push(format!("{other:?}")),
        }
    }
    found.extend(open.into_iter().map(|name| format!("<{name}> is not closed")));
    found
}

fn is_allowed(element: &str, attribute: &str, value: &str) -> bool {
    match (element, attribute) {
        ("a", "href") => ["http://", "https://", "mailto:"].iter().any(|scheme| {
            value.to_ascii_lowercase().starts_with(scheme) && !value.chars().any(char::is_control)
        }),
        ("a", "title") => true,
        ("a", "rel") => value == "nofollow ugc noopener",
        _ => false,
    }
}

fn corpus() -> Vec<String> {
    let files = [include_str!("testdata/dompurify.json"), include_str!("testdata/bleach.json")];
    let all: Vec<String> =
        files.iter().flat_map(|file| serde_json::from_str::<Vec<String>>(file).unwrap()).collect();
    assert!(all.len() > 240, "{}", all.len());
    all
}

#[test]
fn hostile_html_of_other_projects_comes_out_on_the_allow_list() {
    for dirty in corpus() {
        let cleaned = clean(&dirty).unwrap();
        assert_eq!(offences(&cleaned), Vec::<String>::new(), "{dirty}\n{cleaned}");
        assert_eq!(clean(&cleaned).unwrap(), cleaned, "{dirty}");
    }
}

#[test]
fn hostile_html_stays_harmless_inside_every_allowed_tag() {
    for tag in TAGS {
        for dirty in corpus() {
            for wrapped in [format!("<{tag}>{dirty}</{tag}>"), format!("<{tag} title=\"{dirty}\">x")] {
                let cleaned = clean(&wrapped).unwrap();
                assert_eq!(offences(&cleaned), Vec::<String>::new(), "{wrapped}\n{cleaned}");
            }
        }
    }
}

#[test]
fn hostile_titles_lose_every_tag() {
    for dirty in corpus() {
        let stripped = strip_tags(&dirty);
        assert!(!stripped.contains("<script>") && !stripped.contains("</"), "{dirty}\n{stripped}");
        assert_eq!(strip_tags(&stripped), stripped);
    }
}

#[test]
fn the_second_parser_finds_what_is_forbidden() {
    for bad in [
        "<script>",
        "<p onclick=x></p>",
        "<a href=\"javascript:x\" rel=\"nofollow ugc noopener\">x</a>",
        "<a>x</a>",
        "<p>",
        "</p>",
        "<!-- x -->",
        "<p><em></p></em>",
        "<a href=\"http://x\">x</a>",
    ] {
        assert_ne!(offences(bad), Vec::<String>::new(), "{bad}");
    }
}
