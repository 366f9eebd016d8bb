//! What can be imported: the fields of each resource, what may stand in them, and what right each of them takes.

use crate::kernel::permission::Permission;
use crate::kernel::word::word_enum;

word_enum! {
    /// What the rows of an import become.
    ImportResource, "import resource" {
        /// Product families.
        ProductFamilies = "product_families",
        /// Partners, with an enrollment where a program is named.
        Partners = "partners",
        /// Accounts.
        Accounts = "accounts",
        /// Deals, with confirmed credits where partners are named.
        Deals = "deals",
        /// Invoices and credit notes, with a payment in full where an instant of payment is given.
        Invoices = "invoices",
        /// Exchange rates in the shape in which the ECB publishes its history: a row for each day, a column for each
        /// currency.
        ExchangeRates = "exchange_rates",
    }
}

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A key of the caller's: of the row itself, or of a record that it refers to.
    Key,
    /// A name or other text.
    Text,
    /// An internet domain, in lower case.
    Domain,
    /// ISO 3166-1 alpha-2.
    Country,
    /// Several of them, separated by spaces, commas, semicolons or bars; kept in order and separated by spaces.
    Countries,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A plain decimal in the row's currency.
    Amount,
    /// ISO 4217.
    Currency,
    /// The day that a row is known by; the columns without a field, that are headed by currencies, are rates of it.
    Day,
    /// A day.
    Date,
    /// An instant; a day alone is its beginning in UTC.
    Instant,
}

/// A field of a resource that a column or a constant may fill.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name in the mapping.
    pub name: &'static str,
    /// What may stand in it.
    pub kind: Kind,
    /// Whether every row needs it.
    pub required: bool,
    /// The right that filling it takes, besides that of the resource.
    pub permission: Option<Permission>,
}

const fn required(name: &'static str, kind: Kind) -> Target {
    Target {
        name,
        kind,
        required: true,
        permission: None,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Target {
    Target {
        name,
        kind,
        required: false,
        permission: None,
    }
}

const fn guarded(name: &'static str, kind: Kind, permission: Permission) -> Target {
    Target {
        name,
        kind,
        required: false,
        permission: Some(permission),
    }
}

const PRODUCT_FAMILIES: &[Target] = &[required("external_id", Kind::Key), required("name", Kind::Text)];

const PARTNERS: &[Target] = &[
    required("external_id", Kind::Key),
    required("name", Kind::Text),
    optional("domain", Kind::Domain),
    optional("country", Kind::Country),
    optional("territories", Kind::Countries),
    guarded(
        "status",
        Kind::Word(&["applied", "approved"]),
        Permission::PartnersReview,
    ),
    guarded("program", Kind::Key, Permission::EnrollmentsWrite),
];

const ACCOUNTS: &[Target] = &[
    required("external_id", Kind::Key),
    required("name", Kind::Text),
    optional("domain", Kind::Domain),
    optional("country", Kind::Country),
];

const DEALS: &[Target] = &[
    required("external_id", Kind::Key),
    optional("name", Kind::Text),
    required("account", Kind::Key),
    optional("program", Kind::Key),
    optional("partner", Kind::Key),
    optional("product_family", Kind::Key),
    required("amount", Kind::Amount),
    required("currency", Kind::Currency),
    optional("opened_on", Kind::Date),
    optional("expected_close_on", Kind::Date),
    optional("deal_type", Kind::Word(&["new", "renewal", "expansion"])),
    optional("crm_partner_source", Kind::Text),
    optional("crm_partner_influence", Kind::Text),
    guarded("status", Kind::Word(&["open", "won"]), Permission::DealsClose),
    guarded("won_at", Kind::Instant, Permission::DealsClose),
    guarded("sourced_by", Kind::Key, Permission::AttributionsReview),
    guarded("influenced_by", Kind::Key, Permission::AttributionsReview),
    guarded("delivered_by", Kind::Key, Permission::AttributionsReview),
];

const INVOICES: &[Target] = &[
    required("external_id", Kind::Key),
    guarded(
        "kind",
        Kind::Word(&["invoice", "credit_note"]),
        Permission::CreditNotesWrite,
    ),
    required("deal", Kind::Key),
    required("amount", Kind::Amount),
    optional("tax", Kind::Amount),
    optional("cost", Kind::Amount),
    optional("list", Kind::Amount),
    required("currency", Kind::Currency),
    required("issued_on", Kind::Date),
    optional("due_on", Kind::Date),
    optional("product_family", Kind::Key),
    guarded("paid_at", Kind::Instant, Permission::PaymentsWrite),
];

const EXCHANGE_RATES: &[Target] = &[required("date", Kind::Day)];

impl ImportResource {
    /// The fields that a mapping may fill; the first one is what a row is known by.
    pub const fn targets(self) -> &'static [Target] {
        match self {
            Self::ProductFamilies => PRODUCT_FAMILIES,
            Self::Partners => PARTNERS,
            Self::Accounts => ACCOUNTS,
            Self::Deals => DEALS,
            Self::Invoices => INVOICES,
            Self::ExchangeRates => EXCHANGE_RATES,
        }
    }

    /// The field of this name.
    pub fn target(self, name: &str) -> Option<&'static Target> {
        self.targets().iter().find(|target| target.name == name)
    }

    /// The right to write the resource at all.
    pub const fn permission(self) -> Permission {
        match self {
            Self::ProductFamilies => Permission::ProductFamiliesWrite,
            Self::Partners => Permission::PartnersWrite,
            Self::Accounts => Permission::AccountsWrite,
            Self::Deals => Permission::DealsWrite,
            Self::Invoices => Permission::InvoicesWrite,
            Self::ExchangeRates => Permission::ExchangeRatesWrite,
        }
    }
}
