//! The text form of an id, as the TypeID specification writes it.

use std::fmt;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::IdError;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LENGTH: usize = 26;
const NOT_IN_ALPHABET: u8 = u8::MAX;
const VALUES: [u8; 256] = values_by_character();

pub(super) fn write(formatter: &mut fmt::Formatter<'_>, prefix: &str, uuid: Uuid) -> fmt::Result {
    let suffix = encode(uuid.as_u128());
    formatter.write_str(prefix)?;
    formatter.write_str("_")?;
    formatter.write_str(std::str::from_utf8(&suffix).map_err(|_| fmt::Error)?)
}

pub(super) fn read(text: &str, prefix: &'static str) -> Result<Uuid, IdError> {
    let suffix = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(IdError::WrongPrefix { expected: prefix })?;
    decode(suffix.as_bytes()).map(Uuid::from_u128)
}

/// The schema is looser than the reader, so that a later form of id breaks no client.
pub(super) fn schema(prefix: &str, description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!("^{prefix}_[0-9a-z]{{10,60}}$")))
        .max_length(Some(64))
        .description(Some(description))
        .examples([serde_json::Value::String(format!(
            "{prefix}_01j9zq4y8k7m5n3p2r1s0t6v4w"
        ))])
        .into()
}

fn encode(bits: u128) -> [u8; SUFFIX_LENGTH] {
    let mut suffix = [b'0'; SUFFIX_LENGTH];
    let mut rest = bits;
    for character in suffix.iter_mut().rev() {
        *character = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    suffix
}

fn decode(suffix: &[u8]) -> Result<u128, IdError> {
    if suffix.len() != SUFFIX_LENGTH {
        return Err(IdError::WrongLength);
    }
    // Twenty-six characters carry 130 bits: the first may only use three of its five.
    if suffix[0] > b'7' {
        return Err(IdError::NotBase32);
    }
    suffix
        .iter()
        .try_fold(0u128, |bits, &character| match VALUES[character as usize] {
            NOT_IN_ALPHABET => Err(IdError::NotBase32),
            value => Ok((bits << 5) | u128::from(value)),
        })
}

const fn values_by_character() -> [u8; 256] {
    let mut values = [NOT_IN_ALPHABET; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
}
