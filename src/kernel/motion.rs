//! How a partner and the vendor sell together, and what a partner did for a deal.

use crate::kernel::word::word_enum;

word_enum! {
    /// The way of selling that a program is made for.
    Motion, "motion" {
        /// The partner hands over a lead.
        Referral = "referral",
        /// The partner and the vendor sell together.
        CoSell = "co_sell",
        /// The partner advises the customer and implements.
        Agency = "agency",
        /// The partner's product works with the vendor's.
        Integration = "integration",
        /// The partner buys and sells on.
        Reseller = "reseller",
        /// The partner sends visitors through links.
        Affiliate = "affiliate",
    }
}

word_enum! {
    /// The part that a partner played in a deal.
    Role, "role" {
        /// The partner brought the deal.
        Sourced = "sourced",
        /// The partner helped to win it.
        Influenced = "influenced",
        /// The partner implemented it.
        Delivered = "delivered",
    }
}

word_enum! {
    /// What a deal means to the customer's business with the organization.
    DealType, "deal type" {
        /// Its first purchase, or of something new.
        New = "new",
        /// The same again for another term.
        Renewal = "renewal",
        /// More of what it has.
        Expansion = "expansion",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for motion in Motion::ALL {
            assert_eq!(motion.as_str().parse(), Ok(*motion));
            let wire = serde_json::to_string(motion).unwrap();
            assert_eq!(wire, format!("\"{motion}\""));
            assert_eq!(serde_json::from_str::<Motion>(&wire).unwrap(), *motion);
        }
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
        assert_eq!((Motion::ALL.len(), Role::ALL.len()), (6, 3));
    }

    #[test]
    fn words_are_snake_case_and_strict() {
        assert_eq!(Motion::CoSell.as_str(), "co_sell");
        assert!("CoSell".parse::<Motion>().is_err());
        assert!("sourced ".parse::<Role>().is_err());
        let refusal = serde_json::from_str::<Role>("\"owned\"").unwrap_err();
        assert!(refusal.to_string().starts_with("unknown role"), "{refusal}");
    }
}
