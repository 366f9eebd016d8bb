//! The lines of an invoice on the wire.

use crate::features::invoices::domain::{InvoiceLine, NewInvoiceLine};
use crate::kernel::commission::{Goods, LineKind};
use crate::kernel::id::{InvoiceLineId, ProductFamilyId};
use crate::kernel::money::{Currency, Money, plain_decimal};
use crate::platform::web::fields::money_code;
use crate::platform::web::{Fields, MoneyBody};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A line of a new invoice, in the invoice's currency.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = InvoiceLineCreate, examples(json!({"net": "1000.00", "tax": "190.00", "product_family_id": "pfm_01j9zq4y8k7m5n3p2r1s0t6v4w", "description": "Platform, March"})))]
#[serde(deny_unknown_fields)]
pub struct NewInvoiceLineBody {
    /// The amount without tax, after discount.
    #[schema(
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "1000.00"
    )]
    pub net: String,
    /// The tax; nothing when absent. No commission is earned on it.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "190.00"
    )]
    pub tax: Option<String>,
    /// What was sold; rules may ask for it.
    #[schema(nullable = false)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What was sold, in words.
    #[schema(
        nullable = false,
        max_length = 1000,
        pattern = r"^[^\x00]*$",
        example = "Platform, March"
    )]
    pub description: Option<String>,
    /// What it is about: `product` (the default), `shipping` or `fee`.
    #[schema(nullable = false)]
    pub kind: Option<LineKind>,
    /// How many units; 1 when absent. The amount is that of all of them.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$",
        example = "1"
    )]
    pub quantity: Option<String>,
    /// What it cost you; rules that pay on the margin ask for it.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "400.00"
    )]
    pub cost: Option<String>,
    /// What it costs by the price list, where a reseller buys it for less: at least the net amount. The difference is the
    /// reseller's margin, which reports show and nobody is paid.
    #[schema(
        nullable = false,
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "1250.00"
    )]
    pub list: Option<String>,
}

impl NewInvoiceLineBody {
    /// The line as business speaks of it; what is wrong with it is noted at its place.
    pub fn terms(&self, index: usize, currency: Currency, fields: &mut Fields) -> Option<NewInvoiceLine> {
        let Self {
            net,
            tax,
            product_family_id,
            description,
            kind,
            quantity,
            cost,
            list,
        } = self;
        // The contract has checked the form of the quantity.
        let quantity = quantity.as_deref().map_or(Some(Decimal::ONE), plain_decimal)?;
        fields.require(
            !quantity.is_zero(),
            &format!("/lines/{index}/quantity"),
            "too_small",
            "A line has more than no units.",
        );
        let mut amount = |name: &str, text: &str| {
            Money::parse(text, currency)
                .map_err(|error| {
                    let pointer = format!("/lines/{index}/{name}");
                    fields.refuse(pointer, money_code(&error), error.to_string());
                })
                .ok()
        };
        let net_amount = amount("net", net);
        let tax_amount = match tax {
            Some(tax) => amount("tax", tax),
            None => Some(Money::zero(currency)),
        };
        let cost = match cost {
            Some(cost) => Some(amount("cost", cost)?.amount()),
            None => None,
        };
        let list_amount = match list {
            Some(list) => Some(amount("list", list)?),
            None => None,
        };
        fields.require(
            list_amount.is_none_or(|list| net_amount.is_none_or(|net| list.amount() >= net.amount())),
            &format!("/lines/{index}/list"),
            "below_net",
            "What is bought for less than the price list says costs at least as much by the list.",
        );
        Some(NewInvoiceLine {
            list_amount,
            goods: Goods {
                kind: kind.unwrap_or(LineKind::Product),
                quantity: quantity.normalize(),
                cost,
            },
            net_amount: net_amount?,
            tax_amount: tax_amount?,
            product_family_id: *product_family_id,
            description: description.clone(),
        })
    }
}

/// A line of an invoice.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = InvoiceLine, examples(json!({"id": "inl_01j9zq4y8k7m5n3p2r1s0t6v4w", "position": 1, "product_family_id": null, "description": "Platform, March", "net_amount": {"amount": "1000.00", "currency": "USD"}, "tax_amount": {"amount": "190.00", "currency": "USD"}, "kind": "product", "quantity": "1", "cost_amount": null, "list_amount": {"amount": "1250.00", "currency": "USD"}})))]
pub struct InvoiceLineView {
    /// Its id.
    pub id: InvoiceLineId,
    /// Its place on the invoice.
    #[schema(minimum = 1, maximum = 500)]
    pub position: i32,
    /// What was sold.
    #[schema(required)]
    pub product_family_id: Option<ProductFamilyId>,
    /// What was sold, in words.
    #[schema(required, max_length = 1000)]
    pub description: Option<String>,
    /// The amount without tax.
    pub net_amount: MoneyBody,
    /// The tax.
    pub tax_amount: MoneyBody,
    /// What it is about: `product`, `shipping` or `fee`.
    pub kind: LineKind,
    /// How many units.
    #[schema(
        max_length = 20,
        pattern = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$",
        example = "1"
    )]
    pub quantity: String,
    /// What it cost, where that is known.
    #[schema(required)]
    pub cost_amount: Option<MoneyBody>,
    /// What it costs by the price list, before a reseller's margin; the amount without tax where there is none.
    pub list_amount: MoneyBody,
}

impl From<InvoiceLine> for InvoiceLineView {
    fn from(line: InvoiceLine) -> Self {
        let currency = line.net_amount.currency();
        let cost = line.goods.cost.and_then(|cost| Money::new(cost, currency).ok());
        Self {
            kind: line.goods.kind,
            quantity: line.goods.quantity.to_string(),
            cost_amount: cost.map(MoneyBody::from),
            list_amount: line.list_amount.unwrap_or(line.net_amount).into(),
            id: line.id,
            position: line.position,
            product_family_id: line.product_family_id,
            description: line.description,
            net_amount: line.net_amount.into(),
            tax_amount: line.tax_amount.into(),
        }
    }
}
