//! Reading what a PDF says, by the specification and none of the service's code: objects by their cross-references,
//! streams inflated, glyphs as letters by the maps of their fonts.

use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::Read;

/// A PDF whose cross-references all lead to their objects.
pub struct Pdf {
    objects: BTreeMap<usize, Vec<u8>>,
}

fn find(bytes: &[u8], what: &str) -> Option<usize> {
    bytes
        .windows(what.len())
        .position(|window| window == what.as_bytes())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The numbers of the objects that are named after this key: `/Kids [4 0 R 6 0 R]`, `/Contents 7 0 R`.
fn named(object: &[u8], key: &str) -> Vec<usize> {
    let Some(at) = find(object, &format!("/{key}")) else {
        return Vec::new();
    };
    let rest = text(&object[at + key.len() + 1..]);
    let rest = rest.trim_start();
    let list = match rest.strip_prefix('[') {
        Some(list) => list.split(']').next().unwrap(),
        None => rest.split_inclusive('R').next().unwrap(),
    };
    list.split('R')
        .filter_map(|one| one.split_whitespace().next()?.parse().ok())
        .collect()
}

impl Pdf {
    /// Reads a file.
    pub fn read(bytes: &[u8]) -> Self {
        assert!(bytes.starts_with(b"%PDF-1.7"), "{}", text(&bytes[..20]));
        assert!(text(&bytes[bytes.len() - 6..]).trim_end().ends_with("%%EOF"));
        let tail = text(&bytes[bytes.len() - 40..]);
        let start = tail
            .split("startxref")
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap();
        let table = text(&bytes[start.parse::<usize>().unwrap()..]);
        let mut rows = table.lines();
        assert_eq!(rows.next(), Some("xref"));
        let count: usize = rows.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut objects = BTreeMap::new();
        for (number, row) in (0..count).zip(rows) {
            if row.contains('n') {
                let at: usize = row[..10].parse().unwrap();
                let object = &bytes[at..];
                let opening = format!("{number} 0 obj");
                assert!(
                    object.starts_with(opening.as_bytes()),
                    "object {number} is elsewhere"
                );
                let end = find(object, "\nendobj").unwrap();
                objects.insert(number, object[opening.len()..end].to_vec());
            }
        }
        Self { objects }
    }

    /// The text of a page after another, each piece in a line of its own.
    pub fn pages(&self) -> Vec<Vec<String>> {
        let tree = self
            .objects
            .values()
            .find(|object| find(object, "/Kids").is_some());
        let tree = tree.unwrap();
        let pages = named(tree, "Kids");
        assert!(
            text(tree).contains(&format!("/Count {}", pages.len())),
            "{}",
            text(tree)
        );
        pages.iter().map(|page| self.page(&self.objects[page])).collect()
    }

    /// The names of the fonts that are embedded.
    pub fn fonts(&self) -> Vec<String> {
        let of = |object: &Vec<u8>| {
            let at = find(object, "/FontFile2")?;
            assert!(at > 0);
            let name = text(object)
                .split("/FontName /")
                .nth(1)?
                .split_whitespace()
                .next()?
                .to_owned();
            Some(name.split('+').nth(1).unwrap().to_owned())
        };
        self.objects.values().filter_map(of).collect()
    }

    fn page(&self, page: &[u8]) -> Vec<String> {
        let mut maps = BTreeMap::new();
        for name in ["Regular", "Bold", "Ideographs"] {
            if let Some(font) = named(page, name).first() {
                maps.insert(name, self.letters(&self.objects[font]));
            }
        }
        let content = self.inflated(named(page, "Contents")[0]);
        let mut said = Vec::new();
        let mut font = String::new();
        let mut rest = &content[..];
        while let Some(end) = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .or((!rest.is_empty()).then_some(rest.len()))
        {
            let (line, after) = rest.split_at(end);
            if line.ends_with(b" Tf") {
                font = text(line)[1..].split(' ').next().unwrap().to_owned();
            }
            if line.ends_with(b" Tj") {
                let codes = string(&line[..line.len() - 3]);
                let map = &maps[font.as_str()];
                said.push(
                    codes
                        .chunks(2)
                        .map(|code| map[&u16::from_be_bytes([code[0], code[1]])])
                        .collect(),
                );
            }
            rest = after.get(1..).unwrap_or_default();
        }
        said
    }

    fn letters(&self, font: &[u8]) -> BTreeMap<u16, char> {
        let map = text(&self.inflated(named(font, "ToUnicode")[0]));
        let mut letters = BTreeMap::new();
        for line in map
            .lines()
            .filter(|line| line.starts_with('<') && line.contains("> <"))
        {
            let hex: Vec<&str> = line
                .split(['<', '>', ' '])
                .filter(|part| !part.is_empty())
                .collect();
            if let [code, letter] = hex[..] {
                let letter = u32::from_str_radix(letter, 16).unwrap();
                letters.insert(
                    u16::from_str_radix(code, 16).unwrap(),
                    char::from_u32(letter).unwrap(),
                );
            }
        }
        letters
    }

    fn inflated(&self, number: usize) -> Vec<u8> {
        let object = &self.objects[&number];
        let start = find(object, "stream\n").unwrap() + "stream\n".len();
        let mut inflated = Vec::new();
        ZlibDecoder::new(&object[start..])
            .read_to_end(&mut inflated)
            .unwrap();
        inflated
    }
}

/// The bytes of a string, in hexadecimal digits or as they are with a backslash before some.
fn string(written: &[u8]) -> Vec<u8> {
    if let Some(hex) = written.strip_prefix(b"<") {
        let digits: Vec<u8> = hex.iter().copied().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(&text(pair), 16).unwrap();
        return digits.chunks(2).map(byte).collect();
    }
    let mut bytes = Vec::new();
    let mut rest = written[1..written.len() - 1].iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next().unwrap() {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'b' => 8,
                b'f' => 12,
                high @ b'0'..=b'3' => {
                    let [middle, low] = [(); 2].map(|()| rest.next().unwrap());
                    ((high - b'0') << 6) | ((middle - b'0') << 3) | (low - b'0')
                }
                other => *other,
            },
            other => *other,
        });
    }
    bytes
}
