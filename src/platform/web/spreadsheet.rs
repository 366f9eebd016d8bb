//! Text in files that somebody opens with a spreadsheet.

/// What makes a cell a formula, by OWASP's list: the wide forms count in spreadsheets of East Asian languages.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A text that a spreadsheet would take for a formula is quoted, so that opening a file runs nothing.
pub fn harmless(text: &str) -> String {
    if text.starts_with(FORMULA_STARTS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
