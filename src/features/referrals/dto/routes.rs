//! Routes of referrals on the wire.

use crate::features::referrals::domain::ReferralRoute;
use crate::kernel::id::{ProductFamilyId, UserId};
use crate::kernel::problem::Problem;
use crate::platform::web::{Fields, MoneyBody};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use validator::Validate;

/// A country, ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = RouteCountry, value_type = String, min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct RouteCountry(pub String);

/// To whom referrals go that fit.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[schema(as = ReferralRouteInput, examples(json!({"countries": ["DE"], "owner_ids": ["usr_01j9zq4y8k7m5n3p2r1s0t6v4w"]})))]
#[serde(deny_unknown_fields)]
pub struct ReferralRouteBody {
    /// Only companies in these countries; none is all.
    #[serde(default)]
    #[schema(max_items = 300)]
    pub countries: Vec<RouteCountry>,
    /// Only companies that need one of these; none is all.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub product_family_ids: Vec<ProductFamilyId>,
    /// Only what is worth this much at least, in this currency.
    #[schema(nullable = false)]
    pub minimum_amount: Option<MoneyBody>,
    /// Who answers: one after the other, those left out who are not active.
    #[schema(min_items = 1, max_items = 100)]
    pub owner_ids: Vec<UserId>,
}

/// The routes of a program, in the order in which they are tried; they replace those before.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[schema(as = ReferralRoutesUpdate, examples(json!({"routes": [{"countries": ["DE"], "owner_ids": ["usr_01j9zq4y8k7m5n3p2r1s0t6v4w"]}]})))]
#[serde(deny_unknown_fields)]
pub struct ReferralRoutesBody {
    /// The routes; with none, referrals go to nobody in particular.
    #[schema(max_items = 100)]
    pub routes: Vec<ReferralRouteBody>,
}

impl ReferralRoutesBody {
    /// The body as business speaks of it.
    pub fn routes(&self) -> Result<Vec<ReferralRoute>, Problem> {
        let mut fields = Fields::new();
        let mut routes = Vec::new();
        for (index, body) in self.routes.iter().enumerate() {
            let pointer = format!("/routes/{index}/minimum_amount");
            let least = body.minimum_amount.as_ref();
            let minimum_amount = least.and_then(|least| fields.money(&pointer, least));
            fields.require(
                minimum_amount.is_none_or(|least| !least.is_negative()),
                &format!("{pointer}/amount"),
                "negative",
                "A referral is worth nothing or more.",
            );
            let owners: BTreeSet<&UserId> = body.owner_ids.iter().collect();
            fields.require(
                owners.len() == body.owner_ids.len(),
                &format!("/routes/{index}/owner_ids"),
                "duplicate",
                "Name each owner once.",
            );
            routes.push(ReferralRoute {
                countries: body.countries.iter().map(|country| country.0.clone()).collect(),
                product_family_ids: body.product_family_ids.iter().copied().collect(),
                minimum_amount,
                owner_ids: body.owner_ids.clone(),
            });
        }
        fields.finish(Some(routes))
    }
}

/// To whom referrals go that fit.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralRoute, examples(json!({"countries": ["DE"], "product_family_ids": [], "minimum_amount": "50000.00", "currency": "EUR", "owner_ids": ["usr_01j9zq4y8k7m5n3p2r1s0t6v4w"]})))]
pub struct ReferralRouteView {
    /// Only companies in these countries; none is all.
    #[schema(max_items = 300)]
    pub countries: Vec<RouteCountry>,
    /// Only companies that need one of these; none is all.
    #[schema(max_items = 100)]
    pub product_family_ids: Vec<ProductFamilyId>,
    /// Only what is worth this much at least.
    #[schema(required, max_length = 32)]
    pub minimum_amount: Option<String>,
    /// In this currency, ISO 4217.
    #[schema(required, max_length = 3)]
    pub currency: Option<String>,
    /// Who answers, one after the other.
    #[schema(max_items = 100)]
    pub owner_ids: Vec<UserId>,
}

/// The routes of a program, in the order in which they are tried.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReferralRoutes, examples(json!({"routes": [{"countries": ["DE"], "product_family_ids": [], "minimum_amount": "50000.00", "currency": "EUR", "owner_ids": ["usr_01j9zq4y8k7m5n3p2r1s0t6v4w"]}]})))]
pub struct ReferralRoutesView {
    /// The routes.
    #[schema(max_items = 100)]
    pub routes: Vec<ReferralRouteView>,
}

impl From<Vec<ReferralRoute>> for ReferralRoutesView {
    fn from(routes: Vec<ReferralRoute>) -> Self {
        let views = routes.into_iter().map(|route| ReferralRouteView {
            countries: route.countries.into_iter().map(RouteCountry).collect(),
            product_family_ids: route.product_family_ids.into_iter().collect(),
            minimum_amount: route.minimum_amount.map(|least| least.amount_text()),
            currency: route
                .minimum_amount
                .map(|least| least.currency().code().to_owned()),
            owner_ids: route.owner_ids,
        });
        Self {
            routes: views.collect(),
        }
    }
}
