//! Paper: A4 pages with text and lines, as PDF, for what people file and send on.
//!
//! Lengths are whole twentieths of a point, from the upper left corner of a page, which is [`WIDTH`] by [`HEIGHT`].
//!
//! The same calls give the same bytes, in any process: nothing is asked of the clock, of chance or of the machine. The
//! letters are those of fonts that are part of the program (`assets/fonts`), and those that occur are embedded, so that
//! every reader shows them. They are set one after the other: that is right for Latin, Greek and Cyrillic letters and for
//! Chinese, Japanese and Korean characters. Other scripts need more than that (Arabic letters join and run to the left,
//! Indian ones change places), and no such font is here; [`Paper::spelled`] writes them in Latin letters and says so.

mod faces;
mod file;

use crate::kernel::problem::Problem;
use any_ascii::any_ascii_char;
use faces::Faces;
use pdf_writer::{Content, Name, Str};
use std::fmt;

/// The width of a page.
pub const WIDTH: i32 = 11_906;
/// The height of a page.
pub const HEIGHT: i32 = 16_838;
/// What stands for the rest of a text that does not fit.
const ELLIPSIS: char = '…';

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// As usual.
    Regular,
    /// For what is looked for first.
    Bold,
}

/// How dark something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// Text.
    Black,
    /// What is said in passing.
    Gray,
    /// Lines and grounds.
    Pale,
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    /// How heavy it is.
    pub weight: Weight,
    /// The height of its letters.
    pub size: i32,
    /// How dark it is.
    pub shade: Shade,
}

/// What a document says of itself.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Its title.
    pub title: &'a str,
    /// By whom it is.
    pub author: &'a str,
    /// By what it is told from all others: the hash of what it is about.
    pub fingerprint: &'a str,
}

/// Pages that are being written.
pub struct Paper {
    faces: Faces,
    pages: Vec<Content>,
    current: usize,
}

impl fmt::Debug for Paper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Paper")
            .field("pages", &self.pages.len())
            .finish_non_exhaustive()
    }
}

impl Paper {
    /// One empty page.
    pub fn new() -> Result<Self, Problem> {
        let mut paper = Self {
            faces: Faces::new()?,
            pages: Vec::new(),
            current: 0,
        };
        paper.add_page();
        Ok(paper)
    }

    /// A further page at the end, to write on from here.
    pub fn add_page(&mut self) {
        let mut page = Content::new();
        // From twentieths of a point to points.
        page.transform([0.05, 0.0, 0.0, 0.05, 0.0, 0.0]);
        self.pages.push(page);
        self.current = self.pages.len() - 1;
    }

    /// How many pages there are.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there is no page.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Writes on an earlier page from here, counted from 0; on the last one where there is none.
    pub fn go_to(&mut self, page: usize) {
        self.current = page.min(self.pages.len().saturating_sub(1));
    }

    /// Writes a text to the right of this point of its baseline.
    pub fn write(&mut self, ink: Ink, x: i32, y: i32, text: &str) {
        let Some(page) = self.pages.get_mut(self.current) else {
            return;
        };
        page.set_fill_gray(match ink.shade {
            Shade::Black => 0.0,
            Shade::Gray => 0.4,
            Shade::Pale => 0.8,
        });
        let mut x = x;
        for run in self.faces.runs(ink.weight, text) {
            page.begin_text();
            page.op("Tf").operand(Name(run.face.as_bytes())).operand(ink.size);
            page.op("Td").operands([x, HEIGHT - y]);
            page.show(Str(&run.codes));
            page.end_text();
            x += scaled(run.width, ink.size);
        }
    }

    /// Writes a text to the left of this point of its baseline.
    pub fn write_before(&mut self, ink: Ink, right: i32, y: i32, text: &str) {
        let x = right - self.width(ink, text);
        self.write(ink, x, y, text);
    }

    /// Fills a rectangle; a line is one of little height.
    pub fn fill(&mut self, shade: Shade, x: i32, y: i32, width: i32, height: i32) {
        if let Some(page) = self.pages.get_mut(self.current) {
            page.set_fill_gray(match shade {
                Shade::Black => 0.0,
                Shade::Gray => 0.6,
                Shade::Pale => 0.94,
            });
            page.op("re").operands([x, HEIGHT - y - height, width, height]);
            page.fill_nonzero();
        }
    }

    /// How wide a text is.
    pub fn width(&self, ink: Ink, text: &str) -> i32 {
        scaled(self.faces.width(ink.weight, text), ink.size)
    }

    /// The text, or as much of its beginning as fits.
    pub fn clipped(&self, ink: Ink, text: &str, width: i32) -> String {
        if self.width(ink, text) <= width {
            return text.to_owned();
        }
        let mut kept = text.to_owned();
        while kept.pop().is_some() {
            let clipped = format!("{}{ELLIPSIS}", kept.trim_end());
            if self.width(ink, &clipped) <= width {
                return clipped;
            }
        }
        kept
    }

    /// The text in lines that fit; a word that is too long is broken where it must be.
    pub fn wrapped(&self, ink: Ink, text: &str, width: i32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let gap = if lines.last().is_none_or(String::is_empty) {
                ""
            } else {
                " "
            };
            let longer = format!("{}{gap}{word}", lines.last().map_or("", String::as_str));
            if self.width(ink, &longer) <= width {
                lines.pop();
                lines.push(longer);
                continue;
            }
            lines.retain(|line| !line.is_empty());
            lines.extend(self.broken(ink, word, width));
        }
        lines
    }

    fn broken(&self, ink: Ink, word: &str, width: i32) -> Vec<String> {
        let mut pieces = vec![String::new()];
        for letter in word.chars() {
            let longer = format!("{}{letter}", pieces.last().map_or("", String::as_str));
            if pieces.last().is_some_and(String::is_empty) || self.width(ink, &longer) <= width {
                pieces.pop();
                pieces.push(longer);
            } else {
                pieces.push(letter.to_string());
            }
        }
        pieces
    }

    /// A text of others as it can be printed, and whether it is spelled otherwise: letters that cannot be set are written
    /// in Latin ones, or, where there is no such spelling, by their number. What has no shape of its own is left out.
    pub fn spelled(&self, text: &str) -> (String, bool) {
        let mut spelled = String::new();
        let mut otherwise = false;
        for letter in text.chars().filter(|letter| !is_shapeless(*letter)) {
            if letter.is_whitespace() || letter.is_control() {
                spelled.push(' ');
            } else if is_set_in_a_row(letter) && self.faces.have(letter) {
                spelled.push(letter);
            } else {
                otherwise = true;
                match any_ascii_char(letter) {
                    "" if is_mark(letter) => {}
                    "" => spelled.push_str(&format!("[U+{:04X}]", u32::from(letter))),
                    latin => spelled.push_str(latin),
                }
            }
        }
        (spelled, otherwise)
    }

    /// The finished document.
    pub fn finish(self, about: &About<'_>) -> Result<Vec<u8>, Problem> {
        file::written(self.faces, self.pages, about)
    }
}

/// Thousandths of the height of letters as a length.
fn scaled(thousandths: i32, size: i32) -> i32 {
    (thousandths * size + 500) / 1_000
}

/// What only tells how others are to be set.
fn is_shapeless(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether a letter stands beside the one before it, in the same direction and in its own shape.
fn is_set_in_a_row(letter: char) -> bool {
    // Hebrew, Arabic and their neighbors; parts of Korean syllables.
    let is_otherwise = matches!(letter, '\u{590}'..='\u{8ff}' | '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}'
        | '\u{d7b0}'..='\u{d7ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}');
    !is_otherwise && !is_mark(letter)
}

/// What goes on top of another letter.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}' | '\u{3099}' | '\u{309a}'
        | '\u{fe20}'..='\u{fe2f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Ink = Ink {
        weight: Weight::Regular,
        size: 200,
        shade: Shade::Black,
    };

    fn spelled(text: &str) -> (String, bool) {
        Paper::new().unwrap().spelled(text)
    }

    #[test]
    fn names_are_printed_as_they_are() {
        for name in [
            "Brightwater",
            "Żółć Łódź Sp. z o.o.",
            "Ακρόπολη Α.Ε.",
            "ООО «Ромашка»",
            "Nguyễn & Trần",
            "北京科技有限公司",
            "株式会社あおい",
            "한빛 주식회사",
        ] {
            assert_eq!(spelled(name), (name.to_owned(), false));
        }
    }

    #[test]
    fn other_scripts_are_spelled_in_latin_letters_and_said_to_be() {
        for name in ["شركة النور", "חברת אור", "नमस्ते", "บริษัท", "e\u{301}t\u{e9}"]
        {
            let (latin, otherwise) = spelled(name);
            assert!(otherwise, "{name}");
            let letters = latin.chars().filter(|letter| letter.is_alphanumeric());
            assert!(letters.clone().count() > 1, "{name}: {latin}");
            assert!(
                letters.clone().all(|letter| letter.is_ascii() || letter == 'é'),
                "{name}: {latin}"
            );
        }
        assert_eq!(spelled("A\u{e000}B"), ("A[U+E000]B".to_owned(), true));
        assert_eq!(spelled("A\u{202e}B\nC"), ("AB C".to_owned(), false));
    }

    #[test]
    fn a_text_is_clipped_and_wrapped_to_its_width() {
        let paper = Paper::new().unwrap();
        let width = paper.width(INK, "Nordlicht");
        assert_eq!(paper.clipped(INK, "Nordlicht", width), "Nordlicht");
        let clipped = paper.clipped(INK, "Nordlicht Consulting", width);
        assert!(
            clipped.ends_with('…') && paper.width(INK, &clipped) <= width,
            "{clipped}"
        );
        assert_eq!(paper.clipped(INK, "Nordlicht", 1), "");
        let text = "one two three Nordlichtconsultingpartnerschaft four";
        let lines = paper.wrapped(INK, text, width);
        assert!(
            lines.iter().all(|line| paper.width(INK, line) <= width),
            "{lines:?}"
        );
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert!(lines.len() > 3);
    }

    #[test]
    fn the_same_calls_give_the_same_bytes() {
        let write = |title| {
            let mut paper = Paper::new().unwrap();
            paper.write(INK, 100, 100, "Nordlicht 北京 Ακρόπολη");
            paper.add_page();
            paper.write_before(INK, 5_000, 300, "1,250.00");
            paper.fill(Shade::Pale, 0, 0, 100, 10);
            let about = About {
                title,
                author: "Brightwater",
                fingerprint: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            };
            paper.finish(&about).unwrap()
        };
        assert_eq!(write("One"), write("One"));
        assert_ne!(write("One"), write("Two"));
        assert!(write("One").starts_with(b"%PDF-1."));
    }

    #[test]
    fn figures_are_equally_wide() {
        let paper = Paper::new().unwrap();
        for digit in '0'..='9' {
            assert_eq!(paper.width(INK, &digit.to_string()), paper.width(INK, "0"));
        }
    }
}
