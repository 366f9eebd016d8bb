//! The fonts, and which of their letters occur.

use super::Weight;
use crate::kernel::problem::Problem;
use std::collections::BTreeMap;
use subsetter::GlyphRemapper;
use ttf_parser::GlyphId;

/// A font of which the letters that occur are embedded.
pub(super) struct Face {
    /// Its name in a document.
    pub(super) name: &'static str,
    /// Its name among all fonts.
    pub(super) font: &'static str,
    pub(super) data: &'static [u8],
    pub(super) parsed: ttf_parser::Face<'static>,
    /// Which glyphs occur, and their numbers in what is embedded.
    pub(super) glyphs: GlyphRemapper,
    /// What letter each embedded glyph is, for whoever copies text out of a document.
    pub(super) letters: BTreeMap<u16, char>,
}

impl Face {
    fn new(name: &'static str, font: &'static str, data: &'static [u8]) -> Result<Self, Problem> {
        Ok(Self {
            name,
            font,
            data,
            parsed: ttf_parser::Face::parse(data, 0).map_err(Problem::damaged)?,
            glyphs: GlyphRemapper::new(),
            letters: BTreeMap::new(),
        })
    }

    /// A length of the font in thousandths of the height of its letters.
    pub(super) fn thousandths(&self, length: i32) -> i32 {
        let whole = i32::from(self.parsed.units_per_em());
        (length * 1_000 + whole / 2).div_euclid(whole)
    }

    /// How wide a glyph is, in thousandths of the height of letters.
    pub(super) fn advance(&self, glyph: GlyphId) -> i32 {
        let advance = self.parsed.glyph_hor_advance(glyph).unwrap_or_default();
        self.thousandths(i32::from(advance))
    }
}

/// Letters of one font that stand beside one another.
pub(super) struct Run {
    /// The font's name in the document.
    pub(super) face: &'static str,
    /// The glyphs by their numbers in what is embedded, two bytes each.
    pub(super) codes: Vec<u8>,
    /// In thousandths of the height of letters.
    pub(super) width: i32,
}

/// All fonts: regular, bold, and the one with Chinese, Japanese and Korean characters.
pub(super) struct Faces([Face; 3]);

const IDEOGRAPHS: usize = 2;

impl Faces {
    /// The fonts, of which no letter occurs yet.
    pub(super) fn new() -> Result<Self, Problem> {
        Ok(Self([
            Face::new(
                "Regular",
                "LiberationSans",
                include_bytes!("../../../assets/fonts/LiberationSans-Regular.ttf"),
            )?,
            Face::new(
                "Bold",
                "LiberationSans-Bold",
                include_bytes!("../../../assets/fonts/LiberationSans-Bold.ttf"),
            )?,
            Face::new(
                "Ideographs",
                "DroidSansFallback",
                include_bytes!("../../../assets/fonts/DroidSansFallback.ttf"),
            )?,
        ]))
    }

    /// Whether a letter can be set, in both weights.
    pub(super) fn have(&self, letter: char) -> bool {
        let [regular, bold, ideographs] = &self.0;
        let has = |face: &Face| face.parsed.glyph_index(letter).is_some();
        has(ideographs) || has(regular) && has(bold)
    }

    /// The fonts of which letters occur.
    pub(super) fn used(&self) -> impl Iterator<Item = &Face> {
        self.0.iter().filter(|face| !face.letters.is_empty())
    }

    /// Where a letter is found; a box stands for one that is nowhere.
    fn find(&self, weight: Weight, letter: char) -> (usize, GlyphId) {
        let first = match weight {
            Weight::Regular => 0,
            Weight::Bold => 1,
        };
        let found = [first, IDEOGRAPHS]
            .into_iter()
            .find_map(|at| Some((at, self.0.get(at)?.parsed.glyph_index(letter)?)));
        found.unwrap_or((first, GlyphId(0)))
    }

    /// The text, cut where the font changes; its letters occur from now on.
    pub(super) fn runs(&mut self, weight: Weight, text: &str) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for letter in text.chars() {
            let (at, glyph) = self.find(weight, letter);
            let face = &mut self.0[at];
            let code = face.glyphs.remap(glyph.0);
            face.letters.entry(code).or_insert(letter);
            let width = face.advance(glyph);
            match runs.last_mut().filter(|run| run.face == face.name) {
                Some(run) => {
                    run.codes.extend(code.to_be_bytes());
                    run.width += width;
                }
                None => runs.push(Run {
                    face: face.name,
                    codes: code.to_be_bytes().to_vec(),
                    width,
                }),
            }
        }
        runs
    }

    /// How wide a text is, in thousandths of the height of letters.
    pub(super) fn width(&self, weight: Weight, text: &str) -> i32 {
        let widths = text.chars().map(|letter| {
            let (at, glyph) = self.find(weight, letter);
            self.0[at].advance(glyph)
        });
        widths.sum()
    }
}
