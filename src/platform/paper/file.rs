//! Pages and fonts as a file (ISO 32000).

use super::faces::{Face, Faces};
use super::{About, HEIGHT, WIDTH};
use crate::kernel::problem::Problem;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use std::io::Write;
use subsetter::subset;
use ttf_parser::GlyphId;

/// Glyphs are numbered as in the embedded font, with no order of characters behind it.
const AS_EMBEDDED: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

/// Numbers of objects, one after the other.
struct Numbers(i32);

impl Numbers {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// The finished file.
pub(super) fn written(faces: Faces, pages: Vec<Content>, about: &About<'_>) -> Result<Vec<u8>, Problem> {
    let mut numbers = Numbers(0);
    let [catalog, tree, info] = [(); 3].map(|()| numbers.next());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
    let mut fonts = Vec::new();
    for face in faces.used() {
        fonts.push((face.name, embed(&mut pdf, face, &mut numbers, about)?));
    }
    let mut leaves = Vec::new();
    for content in pages {
        let [leaf, stream] = [(); 2].map(|()| numbers.next());
        leaves.push(leaf);
        pdf.stream(stream, &compressed(&content.finish())?)
            .filter(Filter::FlateDecode);
        let mut page = pdf.page(leaf);
        page.parent(tree).contents(stream);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        for (name, font) in &fonts {
            named.pair(Name(name.as_bytes()), font);
        }
        named.finish();
        resources.finish();
    }
    let count = i32::try_from(leaves.len()).map_err(Problem::damaged)?;
    // A4, in points.
    let sheet = Rect::new(0.0, 0.0, 595.3, 841.9);
    debug_assert_eq!((WIDTH, HEIGHT), (11_906, 16_838));
    pdf.pages(tree).kids(leaves).count(count).media_box(sheet);
    pdf.document_info(info)
        .title(TextStr(about.title))
        .author(TextStr(about.author))
        .producer(TextStr("Copartner"));
    let fingerprint: Vec<u8> = about.fingerprint.bytes().take(32).collect();
    pdf.set_file_id((fingerprint.clone(), fingerprint));
    Ok(pdf.finish())
}

/// Embeds what occurs of a font, and tells by which number it is found.
fn embed(pdf: &mut Pdf, face: &Face, numbers: &mut Numbers, about: &About<'_>) -> Result<Ref, Problem> {
    let [font, descendant, descriptor, outlines, letters] = [(); 5].map(|()| numbers.next());
    let name = format!("{}+{}", tag(about.fingerprint), face.font);
    let name = Name(name.as_bytes());
    pdf.type0_font(font)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(letters);
    let mut cid = pdf.cid_font(descendant);
    cid.subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(AS_EMBEDDED)
        .font_descriptor(descriptor)
        .default_width(0.0)
        .cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = cid.widths();
    for (code, glyph) in (0_u16..).zip(face.glyphs.remapped_gids()) {
        widths.consecutive(code, [narrow(face.advance(GlyphId(glyph))).into()]);
    }
    widths.finish();
    cid.finish();
    let length = |length: i16| narrow(face.thousandths(i32::from(length)));
    let bounds = face.parsed.global_bounding_box();
    let bounds = Rect::new(
        length(bounds.x_min).into(),
        length(bounds.y_min).into(),
        length(bounds.x_max).into(),
        length(bounds.y_max).into(),
    );
    let ascender = face.parsed.ascender();
    let capitals = face.parsed.capital_height().unwrap_or(ascender);
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC)
        .bbox(bounds)
        .italic_angle(0.0)
        .ascent(length(ascender).into())
        .descent(length(face.parsed.descender()).into())
        .cap_height(length(capitals).into())
        .stem_v(80.0)
        .font_file2(outlines);
    let program = subset(face.data, 0, &face.glyphs).map_err(Problem::damaged)?;
    let packed = compressed(&program)?;
    let mut stream = pdf.stream(outlines, &packed);
    let plain_length = i32::try_from(program.len()).map_err(Problem::damaged)?;
    stream
        .filter(Filter::FlateDecode)
        .pair(Name(b"Length1"), plain_length);
    stream.finish();
    let mut map = UnicodeCmap::new(Name(b"Letters"), AS_EMBEDDED);
    for (code, letter) in &face.letters {
        map.pair(*code, *letter);
    }
    pdf.cmap(letters, &compressed(&map.finish())?)
        .filter(Filter::FlateDecode);
    Ok(font)
}

/// Six capitals that tell one document's part of a font from another's.
fn tag(fingerprint: &str) -> String {
    let letters = fingerprint.bytes().map(|byte| char::from(b'A' + byte % 26));
    letters.chain(std::iter::repeat('A')).take(6).collect()
}

/// No glyph is wider than thirty times its height.
fn narrow(length: i32) -> i16 {
    i16::try_from(length).unwrap_or(i16::MAX)
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).map_err(Problem::damaged)?;
    encoder.finish().map_err(Problem::damaged)
}
