//! A run as an ISO 20022 customer credit transfer initiation, `pain.001.001.09`, by the rules of SEPA: one group, one
//! debtor, one instruction, one transaction for each payout, charges shared, the Latin characters of the scheme.

use super::{PaymentOrder, Transfer};
use crate::features::organizations::Debtor;
use crate::kernel::money::{Currency, Money};
use crate::kernel::problem::Problem;
use any_ascii::any_ascii;
use std::fmt::{self, Write};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// What the scheme writes where something has to stand and nothing is known.
const NOT_PROVIDED: &str = "NOTPROVIDED";
/// The most characters of a name.
const LONGEST_NAME: usize = 70;

/// The whole document.
pub(super) fn write(order: &PaymentOrder, debtor: &Debtor) -> Result<String, Problem> {
    let figures = Figures::of(order)?;
    let mut text = String::with_capacity(1_500 + 700 * order.transfers.len());
    document(&mut text, order, debtor, &figures).map_err(Problem::damaged)?;
    Ok(text)
}

/// An id in characters that the scheme takes.
pub(super) fn reference(id: &str) -> String {
    id.replace('_', "-")
}

/// How many payments there are and what they add up to.
struct Figures {
    count: usize,
    total: String,
}

impl Figures {
    fn of(order: &PaymentOrder) -> Result<Self, Problem> {
        let euro = Currency::from_code("EUR").map_err(Problem::damaged)?;
        let add = |sum: Money, transfer: &Transfer| sum.checked_add(transfer.amount);
        let total = order
            .transfers
            .iter()
            .try_fold(Money::zero(euro), add)
            .map_err(Problem::damaged)?;
        Ok(Self {
            count: order.transfers.len(),
            total: total.amount_text(),
        })
    }
}

fn document(text: &mut String, order: &PaymentOrder, debtor: &Debtor, figures: &Figures) -> fmt::Result {
    let Figures { count, total } = figures;
    let message = reference(&order.run_id.to_string());
    let (name, iban) = (latin(&debtor.name), debtor.iban.reveal());
    let created = order.processed_at.format("%Y-%m-%dT%H:%M:%SZ");
    // In UTC, so that a change of the organization's time zone changes no file.
    let pays_on = order.processed_at.format("%Y-%m-%d");
    write!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"{NAMESPACE}\"><CstmrCdtTrfInitn>\n\
         <GrpHdr><MsgId>{message}</MsgId><CreDtTm>{created}</CreDtTm><NbOfTxs>{count}</NbOfTxs>\
         <CtrlSum>{total}</CtrlSum><InitgPty><Nm>{name}</Nm></InitgPty></GrpHdr>\n\
         <PmtInf><PmtInfId>{message}</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>{count}</NbOfTxs>\
         <CtrlSum>{total}</CtrlSum><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>\
         <ReqdExctnDt><Dt>{pays_on}</Dt></ReqdExctnDt><Dbtr><Nm>{name}</Nm></Dbtr>\
         <DbtrAcct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy></DbtrAcct><DbtrAgt><FinInstnId>"
    )?;
    match &debtor.bic {
        Some(bic) => write!(text, "<BICFI>{bic}</BICFI>")?,
        None => write!(text, "<Othr><Id>{NOT_PROVIDED}</Id></Othr>")?,
    }
    text.push_str("</FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>\n");
    for transfer in &order.transfers {
        transaction(text, transfer)?;
    }
    text.push_str("</PmtInf>\n</CstmrCdtTrfInitn></Document>\n");
    Ok(())
}

fn transaction(text: &mut String, transfer: &Transfer) -> fmt::Result {
    let end_to_end = reference(&transfer.payout_id.to_string());
    let amount = transfer.amount.amount_text();
    write!(
        text,
        "<CdtTrfTxInf><PmtId><EndToEndId>{end_to_end}</EndToEndId></PmtId>\
         <Amt><InstdAmt Ccy=\"EUR\">{amount}</InstdAmt></Amt>"
    )?;
    let account = &transfer.account;
    if let Some(bic) = &account.bic {
        write!(
            text,
            "<CdtrAgt><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></CdtrAgt>"
        )?;
    }
    let (name, iban) = (latin(&account.holder), account.iban.reveal());
    writeln!(
        text,
        "<Cdtr><Nm>{name}</Nm></Cdtr><CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct>\
         <RmtInf><Ustrd>Payout {end_to_end}</Ustrd></RmtInf></CdtTrfTxInf>"
    )
}

/// A name in the characters that every bank of the scheme takes (none of them has a meaning in XML), as long as a name
/// can be, without a slash at an end or two in a row.
pub(super) fn latin(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    for letter in any_ascii(name).chars() {
        let letter = match letter {
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | '/'
            | '-'
            | '?'
            | ':'
            | '('
            | ')'
            | '.'
            | ','
            | '\''
            | '+' => letter,
            '&' => '+',
            '_' => '-',
            _ => ' ',
        };
        let doubled = matches!(letter, ' ' | '/') && kept.ends_with(letter);
        if !doubled && kept.len() < LONGEST_NAME {
            kept.push(letter);
        }
    }
    match kept.trim_matches([' ', '/']) {
        "" => NOT_PROVIDED.to_owned(),
        name => name.to_owned(),
    }
}
