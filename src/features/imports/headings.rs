//! The first line of a file: which of its columns the mapping means.

use super::mapping::{FieldMapping, Source};
use super::rows::FileError;

/// What files separate columns by.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// Where the field's column is; none for a constant.
pub fn column(headings: &[String], field: &FieldMapping) -> Result<Option<usize>, FileError> {
    let Source::Column(wanted) = &field.source else {
        return Ok(None);
    };
    let mut found = headings
        .iter()
        .enumerate()
        .filter(|(_, heading)| *heading == wanted.trim());
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(Some(index)),
        (Some(_), Some(_)) => Err(FileError::new(
            "duplicate_column",
            format!("The file has more than one column {wanted:?}."),
        )),
        (None, _) => Err(missing(headings, wanted, field.target.name)),
    }
}

fn missing(headings: &[String], wanted: &str, target: &str) -> FileError {
    let mut message = format!("The file has no column {wanted:?}, which the mapping takes for {target}.");
    if let [only] = headings
        && let Some(delimiter) = DELIMITERS.into_iter().find(|delimiter| only.contains(*delimiter))
    {
        let hint = format!(
            " All of its first line is one column; if {delimiter:?} separates them, say so in `delimiter`."
        );
        message.push_str(&hint);
    }
    FileError::new("missing_column", message)
}
