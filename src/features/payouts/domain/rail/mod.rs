//! The rails: how the money gets to the partners, and what each asks of those whom it pays.

mod credit_transfer;
mod csv_file;
#[cfg(test)]
mod tests;

use crate::features::organizations::Debtor;
use crate::features::payout_methods::{BankAccount, PayoutMethodKind};
use crate::kernel::iban::SEPA_COUNTRIES;
use crate::kernel::id::{PartnerId, PayoutId, PayoutRunId};
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use crate::platform::stripe::CURRENCIES;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

word_enum! {
    /// How the money gets to the partners.
    PayoutRail, "payout rail" {
        /// A person pays and confirms.
        Manual = "manual",
        /// A person hands a list to a bank and confirms.
        Csv = "csv",
        /// A person hands an ISO 20022 order of SEPA credit transfers to a bank and confirms.
        Sepa = "sepa",
        /// The service itself orders transfers to connected accounts at Stripe, and hears what became of them.
        Stripe = "stripe",
    }
}

/// What every rail can say of itself.
pub trait Rail: Sync {
    /// What a payout must fulfill to be made by it.
    fn reach(&self) -> Reach;

    /// Whether the organization must name the account that it pays from.
    fn needs_debtor(&self) -> bool {
        false
    }

    /// Whether the service itself pays by it, and hears itself what became of each payment. Otherwise a person does.
    fn is_by_service(&self) -> bool {
        false
    }

    /// The order as a file for the bank, the same bytes for the same order; `None` from a rail that has no file.
    fn file(&self, order: &PaymentOrder) -> Result<Option<PaymentFile>, Problem>;
}

/// What a payout must fulfill to be made by a rail. What does not is carried forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// It goes to what a method of this kind of the partner names, which is in force and has cooled off; `None` goes by no
    /// method.
    pub method: Option<PayoutMethodKind>,
    /// It is in one of these currencies; `None` is any.
    pub currencies: Option<&'static [&'static str]>,
    /// The account is in one of these countries; `None` is any.
    pub countries: Option<&'static [&'static str]>,
    /// It is no more than this; `None` is any amount.
    pub most: Option<Decimal>,
}

/// A run that is being paid, as a rail needs to know it.
#[derive(Debug, Clone)]
pub struct PaymentOrder {
    /// The run.
    pub run_id: PayoutRunId,
    /// When it began to pay.
    pub processed_at: DateTime<Utc>,
    /// From which account, where the rail needs to know.
    pub debtor: Option<Debtor>,
    /// To whom and how much, in the order of the payouts' ids.
    pub transfers: Vec<Transfer>,
}

/// One payment of an order.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The payout that it is made for.
    pub payout_id: PayoutId,
    /// Who is paid.
    pub partner_id: PartnerId,
    /// How much.
    pub amount: Money,
    /// Where the money goes.
    pub account: BankAccount,
}

/// A file that a bank takes. It does not print what is in it.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentFile {
    /// What it is.
    pub media_type: &'static str,
    /// How its name ends.
    pub extension: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for PaymentFile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.media_type)
    }
}

/// A person pays, by what means nobody here knows.
#[derive(Debug)]
struct Manual;

/// A list of payments for a bank that takes one.
#[derive(Debug)]
struct CsvFile;

/// SEPA credit transfers.
#[derive(Debug)]
struct CreditTransfer;

/// Transfers to connected accounts at Stripe.
#[derive(Debug)]
struct ConnectTransfer;

impl PayoutRail {
    /// The rail of this name.
    pub fn rail(self) -> &'static dyn Rail {
        match self {
            Self::Manual => &Manual,
            Self::Csv => &CsvFile,
            Self::Sepa => &CreditTransfer,
            Self::Stripe => &ConnectTransfer,
        }
    }
}

impl Rail for Manual {
    fn reach(&self) -> Reach {
        Reach {
            method: None,
            currencies: None,
            countries: None,
            most: None,
        }
    }

    fn file(&self, _: &PaymentOrder) -> Result<Option<PaymentFile>, Problem> {
        Ok(None)
    }
}

impl Rail for CsvFile {
    fn reach(&self) -> Reach {
        Reach {
            method: Some(PayoutMethodKind::BankAccount),
            currencies: None,
            countries: None,
            most: None,
        }
    }

    fn file(&self, order: &PaymentOrder) -> Result<Option<PaymentFile>, Problem> {
        Ok(Some(PaymentFile {
            media_type: "text/csv; charset=utf-8",
            extension: "csv",
            bytes: csv_file::write(order)?,
        }))
    }
}

impl Rail for CreditTransfer {
    fn reach(&self) -> Reach {
        Reach {
            method: Some(PayoutMethodKind::BankAccount),
            currencies: Some(&["EUR"]),
            countries: Some(SEPA_COUNTRIES),
            // 999,999,999.99: the scheme has no more digits.
            most: Some(Decimal::from_parts(1_215_752_191, 23, 0, false, 2)),
        }
    }

    fn needs_debtor(&self) -> bool {
        true
    }

    fn file(&self, order: &PaymentOrder) -> Result<Option<PaymentFile>, Problem> {
        let Some(debtor) = &order.debtor else {
            return Err(Problem::damaged("a run of credit transfers lacks its debtor"));
        };
        Ok(Some(PaymentFile {
            media_type: "application/xml",
            extension: "xml",
            bytes: credit_transfer::write(order, debtor)?.into_bytes(),
        }))
    }
}

impl Rail for ConnectTransfer {
    fn reach(&self) -> Reach {
        Reach {
            method: Some(PayoutMethodKind::Stripe),
            currencies: Some(CURRENCIES),
            countries: None,
            most: None,
        }
    }

    fn is_by_service(&self) -> bool {
        true
    }

    fn file(&self, _: &PaymentOrder) -> Result<Option<PaymentFile>, Problem> {
        Ok(None)
    }
}
