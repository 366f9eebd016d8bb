//! The part of the schema of `pain.001.001.09` that an order of SEPA credit transfers may use, in the order of the
//! standard, and a check of a document against it: which elements, in which order, how many, and of which form.

use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// An element of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
    text: String,
}

/// What an element holds.
enum Form {
    /// These elements, in this order: name, least, most, form.
    Sequence(&'static [(&'static str, usize, usize, &'static Form)]),
    /// One of these elements.
    Choice(&'static [(&'static str, &'static Form)]),
    /// A text of at most so many characters.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Digits, at most so many.
    Digits(usize),
    Iban,
    Bic,
    DateTime,
    Date,
    /// An amount in euros, with its currency as an attribute.
    Euros,
    /// A sum.
    Sum,
}
use Form::*;

const MANY: usize = usize::MAX;

const AGENT: Form = Sequence(&[("FinInstnId", 1, 1, &BANK)]);
const BANK: Form = Sequence(&[
    ("BICFI", 0, 1, &Bic),
    ("LEI", 0, 1, &Text(20)),
    ("Nm", 0, 1, &Text(140)),
    ("Othr", 0, 1, &Sequence(&[("Id", 1, 1, &Text(35))])),
]);
const ACCOUNT: Form = Sequence(&[
    ("Id", 1, 1, &Choice(&[("IBAN", &Iban)])),
    ("Ccy", 0, 1, &Word(&["EUR"])),
]);
/// SEPA wants the name, of 70 characters at most where the schema takes 140.
const PARTY: Form = Sequence(&[("Nm", 1, 1, &Text(70))]);
const LEVEL: Form = Sequence(&[(
    "SvcLvl",
    0,
    MANY,
    &Choice(&[("Cd", &Word(&["SEPA"])), ("Prtry", &Text(35))]),
)]);
const HEADER: Form = Sequence(&[
    ("MsgId", 1, 1, &Text(35)),
    ("CreDtTm", 1, 1, &DateTime),
    ("NbOfTxs", 1, 1, &Digits(15)),
    ("CtrlSum", 0, 1, &Sum),
    ("InitgPty", 1, 1, &PARTY),
]);
const TRANSACTION: Form = Sequence(&[
    (
        "PmtId",
        1,
        1,
        &Sequence(&[("InstrId", 0, 1, &Text(35)), ("EndToEndId", 1, 1, &Text(35))]),
    ),
    ("PmtTpInf", 0, 1, &LEVEL),
    ("Amt", 1, 1, &Choice(&[("InstdAmt", &Euros)])),
    ("ChrgBr", 0, 1, &Word(&["SLEV"])),
    ("CdtrAgt", 0, 1, &AGENT),
    ("Cdtr", 0, 1, &PARTY),
    ("CdtrAcct", 0, 1, &ACCOUNT),
    ("RmtInf", 0, 1, &Sequence(&[("Ustrd", 0, MANY, &Text(140))])),
]);
const INSTRUCTION: Form = Sequence(&[
    ("PmtInfId", 1, 1, &Text(35)),
    ("PmtMtd", 1, 1, &Word(&["TRF"])),
    ("BtchBookg", 0, 1, &Word(&["true", "false"])),
    ("NbOfTxs", 0, 1, &Digits(15)),
    ("CtrlSum", 0, 1, &Sum),
    ("PmtTpInf", 0, 1, &LEVEL),
    (
        "ReqdExctnDt",
        1,
        1,
        &Choice(&[("Dt", &Date), ("DtTm", &DateTime)]),
    ),
    ("Dbtr", 1, 1, &PARTY),
    ("DbtrAcct", 1, 1, &ACCOUNT),
    ("DbtrAgt", 1, 1, &AGENT),
    ("ChrgBr", 0, 1, &Word(&["SLEV"])),
    ("CdtTrfTxInf", 1, MANY, &TRANSACTION),
]);
const DOCUMENT: Form = Sequence(&[(
    "CstmrCdtTrfInitn",
    1,
    1,
    &Sequence(&[("GrpHdr", 1, 1, &HEADER), ("PmtInf", 1, MANY, &INSTRUCTION)]),
)]);

/// Everything wrong with a document.
pub fn faults(document: &Element) -> Vec<String> {
    let mut found = Vec::new();
    if document.name != "Document" || document.attributes != [("xmlns".to_owned(), NAMESPACE.to_owned())] {
        found.push(format!("{} {:?}", document.name, document.attributes));
    }
    check(document, &DOCUMENT, "Document", &mut found);
    found
}

fn check(element: &Element, form: &Form, path: &str, found: &mut Vec<String>) {
    match form {
        Sequence(parts) => check_sequence(element, parts, path, found),
        Choice(options) => match element.children.as_slice() {
            [child] => match options.iter().find(|(name, _)| *name == child.name) {
                Some((name, form)) => check(child, form, &format!("{path}/{name}"), found),
                None => found.push(format!("{path}: {} is no choice", child.name)),
            },
            _ => found.push(format!("{path}: not one choice")),
        },
        simple => {
            let wants_currency = matches!(simple, Euros);
            let has_currency = element.attributes == [("Ccy".to_owned(), "EUR".to_owned())];
            let plain = element.children.is_empty() && (element.attributes.is_empty() || wants_currency);
            if !plain || wants_currency != has_currency || !takes(simple, &element.text) {
                found.push(format!("{path}: {element:?}"));
            }
        }
    }
}

fn check_sequence(
    element: &Element,
    parts: &[(&str, usize, usize, &Form)],
    path: &str,
    found: &mut Vec<String>,
) {
    let mut children = element.children.iter().peekable();
    for (name, least, most, form) in parts {
        let mut count = 0;
        while let Some(child) = children.next_if(|child| child.name == *name) {
            count += 1;
            check(child, form, &format!("{path}/{name}"), found);
        }
        if count < *least || count > *most {
            found.push(format!("{path}/{name}: {count} times"));
        }
    }
    found.extend(children.map(|child| format!("{path}: {} stands out of place", child.name)));
    if !element.text.trim().is_empty() {
        found.push(format!("{path}: text between elements"));
    }
}

fn takes(form: &Form, text: &str) -> bool {
    let latin = |letter: char| letter.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(letter);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    match form {
        Text(most) => (1..=*most).contains(&text.chars().count()) && text.chars().all(latin),
        Word(words) => words.contains(&text),
        Digits(most) => digits(text) && text.len() <= *most,
        Iban => {
            let (country, rest) = text.split_at(text.len().min(4));
            country[..2].bytes().all(|letter| letter.is_ascii_uppercase())
                && digits(&country[2..])
                && (1..=30).contains(&rest.len())
                && rest.bytes().all(|letter| letter.is_ascii_alphanumeric())
        }
        Bic => {
            matches!(text.len(), 8 | 11)
                && text[..6].bytes().all(|letter| letter.is_ascii_uppercase())
                && text
                    .bytes()
                    .all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
        }
        DateTime => DateTime::parse_from_rfc3339(text).is_ok(),
        Date => text.parse::<NaiveDate>().is_ok(),
        Euros | Sum => {
            let amount: Decimal = text.parse().unwrap_or_default();
            amount > Decimal::ZERO && amount.scale() == 2 && text.len() <= 19
        }
        Sequence(_) | Choice(_) => false,
    }
}

impl Element {
    /// The root of a document. It knows no entities, comments or sections, which such a document has none of.
    #[track_caller]
    pub fn read(text: &str) -> Self {
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        let mut rest = text
            .strip_prefix(declaration)
            .expect("a declaration")
            .trim_start();
        assert!(!text.contains('&') && !text.contains("<!"), "{text}");
        let root = Self::open(&mut rest);
        assert_eq!(rest.trim(), "", "after the root");
        root
    }

    #[track_caller]
    fn open(rest: &mut &str) -> Self {
        let (tag, after) = rest.strip_prefix('<').unwrap().split_once('>').unwrap();
        *rest = after;
        let mut words = tag.split(' ');
        let name = words.next().unwrap().to_owned();
        let attribute = |word: &str| {
            let (name, value) = word.split_once("=\"").unwrap();
            (name.to_owned(), value.strip_suffix('"').unwrap().to_owned())
        };
        let mut element = Self {
            attributes: words.map(attribute).collect(),
            name,
            children: Vec::new(),
            text: String::new(),
        };
        loop {
            let (text, _) = rest.split_once('<').expect("a closing tag");
            element.text.push_str(text);
            *rest = &rest[text.len()..];
            let closing = format!("</{}>", element.name);
            if let Some(after) = rest.strip_prefix(closing.as_str()) {
                *rest = after;
                return element;
            }
            element.children.push(Self::open(rest));
        }
    }

    /// The texts of all elements at this path below.
    pub fn texts(&self, path: &str) -> Vec<String> {
        let (first, rest) = path
            .split_once('/')
            .map_or((path, None), |(first, rest)| (first, Some(rest)));
        let matching = self.children.iter().filter(|child| child.name == first);
        match rest {
            Some(rest) => matching.flat_map(|child| child.texts(rest)).collect(),
            None => matching.map(|child| child.text.clone()).collect(),
        }
    }
}

/// The check itself sees what is wrong.
#[test]
fn a_document_out_of_order_or_form_is_seen() {
    let right = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
        <CstmrCdtTrfInitn><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-01T08:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs>\
        <InitgPty><Nm>A</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>M</PmtInfId><PmtMtd>TRF</PmtMtd>\
        <ReqdExctnDt><Dt>2026-03-01</Dt></ReqdExctnDt><Dbtr><Nm>A</Nm></Dbtr>\
        <DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>\
        <CdtTrfTxInf><PmtId><EndToEndId>E</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"EUR\">1.00</InstdAmt></Amt>\
        </CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>"
        .replace("<FinInstnId/>", "<FinInstnId></FinInstnId>");
    assert_eq!(faults(&Element::read(&right)), [] as [String; 0]);
    for (from, to) in [
        ("<MsgId>M</MsgId>", ""),
        ("<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CHK</PmtMtd>"),
        ("Ccy=\"EUR\"", "Ccy=\"USD\""),
        ("1.00", "1.0"),
        ("<Dt>2026-03-01</Dt>", "<Dt>2026-02-30</Dt>"),
        ("<Nm>A</Nm></Dbtr>", "<Nm>Ä</Nm></Dbtr>"),
        (
            "<PmtInfId>M</PmtInfId><PmtMtd>TRF</PmtMtd>",
            "<PmtMtd>TRF</PmtMtd><PmtInfId>M</PmtInfId>",
        ),
        ("001.09", "001.03"),
    ] {
        let wrong = right.replace(from, to);
        assert_ne!(
            faults(&Element::read(&wrong)),
            [] as [String; 0],
            "{from} as {to}"
        );
    }
}
