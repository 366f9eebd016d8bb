//! A run as a list of payments: one line for each, amounts with the decimals of their currency.

use super::PaymentOrder;
use crate::kernel::problem::Problem;
use std::borrow::Cow;

const HEADER: [&str; 8] = [
    "payout_id",
    "partner_id",
    "account_holder",
    "iban",
    "bic",
    "amount",
    "currency",
    "reference",
];

/// What a spreadsheet takes for the beginning of a formula, in full width as well.
const FORMULAS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// The whole file.
pub(super) fn write(order: &PaymentOrder) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(HEADER).map_err(Problem::damaged)?;
    for transfer in &order.transfers {
        let account = &transfer.account;
        let payout_id = transfer.payout_id.to_string();
        writer
            .write_record([
                payout_id.as_str(),
                &transfer.partner_id.to_string(),
                &plain(&account.holder),
                account.iban.reveal(),
                account.bic.as_deref().unwrap_or_default(),
                &transfer.amount.amount_text(),
                transfer.amount.currency().code(),
                &super::credit_transfer::reference(&payout_id),
            ])
            .map_err(Problem::damaged)?;
    }
    writer.into_inner().map_err(Problem::damaged)
}

/// A name on one line that no spreadsheet computes: one that begins like a formula is quoted as text. Spaces in front
/// do not hide it.
pub(super) fn plain(name: &str) -> Cow<'_, str> {
    let name: Cow<'_, str> = if name.chars().any(char::is_control) {
        let on_one_line = |letter: char| if letter.is_control() { ' ' } else { letter };
        name.chars().map(on_one_line).collect::<String>().into()
    } else {
        name.into()
    };
    if name.trim_start().starts_with(FORMULAS) {
        format!("'{name}").into()
    } else {
        name
    }
}
