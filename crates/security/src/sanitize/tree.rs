//! Makes hostile HTML well nested, with allowed tags only, so that parsing it takes linear time.
//!
//! A parser that follows the standard is quadratic in the depth of nesting and in unclosed formatting, which it
//! opens again in every block. Here blocks are counted, each kind of formatting is open at most once, and it ends
//! with the block that it stands in.

use super::html::{HtmlError, MAX_DEPTH};
use super::references::{LEFT_TO_PARSER, push_disguised, push_value};
use super::scan::{Scanner, Token};

/// The depths of all blocks together, at most: a parser goes through the open elements for each new one.
const MAX_WORK: usize = 200_000;

/// Bytes of an attribute, at most: longer ones are left out.
const MAX_VALUE: usize = 2048;

/// Well-nested HTML of the allowed tags. Attributes and character references are as in the input.
pub(super) fn balance(input: &str) -> Result<String, HtmlError> {
    let output = String::with_capacity(input.len());
    let mut tree = Tree { output, references: LEFT_TO_PARSER, ..Tree::default() };
    for token in Scanner::new(input) {
        match token {
            Token::Text(text) => tree.encoded_text(text),
            Token::LessThan => tree.text("&lt;"),
            Token::Start { name, href, title } => tree.start(name, href, title)?,
            Token::End { name } => tree.end(name),
        }
    }
    tree.end_inlines();
    tree.close_blocks(0);
    Ok(tree.output)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Paragraph,
    Item,
    Unordered,
    Ordered,
}

impl Block {
    fn of(name: &str) -> Option<Self> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match () {
            () if is("p") => Some(Self::Paragraph),
            () if is("li") => Some(Self::Item),
            () if is("ul") => Some(Self::Unordered),
            () if is("ol") => Some(Self::Ordered),
            () => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Paragraph => "p",
            Self::Item => "li",
            Self::Unordered => "ul",
            Self::Ordered => "ol",
        }
    }
}

/// Formatting, with the attributes of a link.
#[derive(Clone, Copy)]
struct Inline<'a> {
    name: &'static str,
    href: Option<&'a str>,
    title: Option<&'a str>,
}

const INLINES: [&str; 4] = ["strong", "em", "u", "a"];

#[derive(Default)]
struct Tree<'a> {
    output: String,
    blocks: Vec<Block>,
    /// The formatting of the next text, outermost first: at most one of each kind.
    wanted: Vec<Inline<'a>>,
    /// How many of `wanted` have their start tag in the output.
    open: usize,
    /// The depths of the blocks so far, added up.
    work: usize,
    /// How many more references the parser may see.
    references: usize,
}

impl<'a> Tree<'a> {
    fn text(&mut self, text: &str) {
        self.open_wanted();
        self.output.push_str(text);
    }

    fn encoded_text(&mut self, text: &str) {
        self.open_wanted();
        push_disguised(text, &mut self.output, &mut self.references);
    }

    fn start(
        &mut self,
        name: &'a str,
        href: Option<&'a str>,
        title: Option<&'a str>,
    ) -> Result<(), HtmlError> {
        if let Some(block) = Block::of(name) {
            return self.start_block(block);
        }
        if name.eq_ignore_ascii_case("br") {
            self.text("<br>");
        } else if let Some(known) = INLINES.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            let is_link = *known == "a";
            let short = |value: Option<&'a str>| value.filter(|value| value.len() <= MAX_VALUE);
            if is_link {
                self.end_inline("a");
            }
            if !self.wanted.iter().any(|inline| inline.name == *known) {
                let (href, title) = if is_link { (short(href), short(title)) } else { (None, None) };
                self.wanted.push(Inline { name: known, href, title });
            }
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        if let Some(block) = Block::of(name) {
            self.end_block(block);
        } else if let Some(known) = INLINES.iter().find(|known| name.eq_ignore_ascii_case(known)) {
            self.end_inline(known);
        }
    }

    /// A paragraph holds no block, an item no item but in a list of its own: both end where the next begins.
    fn start_block(&mut self, block: Block) -> Result<(), HtmlError> {
        self.end_inlines();
        self.close_if_last(Block::Paragraph);
        if block == Block::Item {
            self.close_if_last(Block::Item);
        }
        self.blocks.push(block);
        self.work += self.blocks.len();
        if self.blocks.len() > MAX_DEPTH || self.work > MAX_WORK {
            return Err(HtmlError::TooDeep);
        }
        self.tag("<", block.name());
        Ok(())
    }

    fn end_block(&mut self, block: Block) {
        let Some(index) = self.blocks.iter().rposition(|open| *open == block) else { return };
        let is_list = |block: &Block| matches!(block, Block::Unordered | Block::Ordered);
        if !is_list(&block) && self.blocks[index + 1..].iter().any(is_list) {
            return;
        }
        self.end_inlines();
        self.close_blocks(index);
    }

    fn close_if_last(&mut self, block: Block) {
        if self.blocks.last() == Some(&block) {
            self.close_blocks(self.blocks.len() - 1);
        }
    }

    fn close_blocks(&mut self, until: usize) {
        while self.blocks.len() > until {
            let Some(block) = self.blocks.pop() else { return };
            self.tag("</", block.name());
        }
    }

    fn end_inline(&mut self, name: &str) {
        let Some(index) = self.wanted.iter().rposition(|inline| inline.name == name) else { return };
        self.close_inlines(index);
        self.wanted.remove(index);
    }

    fn end_inlines(&mut self) {
        self.close_inlines(0);
        self.wanted.clear();
    }

    fn close_inlines(&mut self, until: usize) {
        while self.open > until {
            self.open -= 1;
            self.tag("</", self.wanted[self.open].name);
        }
    }

    fn open_wanted(&mut self) {
        while let Some(&inline) = self.wanted.get(self.open) {
            self.open += 1;
            self.output.push('<');
            self.output.push_str(inline.name);
            self.attribute("href", inline.href);
            self.attribute("title", inline.title);
            self.output.push('>');
        }
    }

    fn attribute(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.output.push(' ');
        self.output.push_str(name);
        self.output.push_str("=\"");
        push_value(value, &mut self.output);
        self.output.push('"');
    }

    fn tag(&mut self, opening: &str, name: &str) {
        self.output.push_str(opening);
        self.output.push_str(name);
        self.output.push('>');
    }
}
