//! Names in the characters of a rail, and the bounds of each.

use super::*;
use proptest::prelude::*;

const TAKEN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ";

proptest! {
    #[test]
    fn any_name_fits_the_scheme(name in any::<String>()) {
        let told = credit_transfer::latin(&name);
        prop_assert!(told.chars().all(|letter| TAKEN.contains(letter)), "{told:?}");
        prop_assert!((1..=70).contains(&told.len()), "{told:?}");
        prop_assert!(!told.contains("//") && !told.starts_with('/') && !told.ends_with('/'), "{told:?}");
        prop_assert_eq!(told.trim(), told.as_str());
    }

    #[test]
    fn no_name_is_a_formula(name in "[ =+@＝＋－＠\t\r\n'a-c-]{0,8}") {
        let told = csv_file::plain(&name);
        let first = told.trim_start().chars().next();
        prop_assert!(!first.is_some_and(|first| "=+-@＝＋－＠".contains(first)), "{told:?}");
        prop_assert!(!told.chars().any(char::is_control), "{told:?}");
    }
}

#[test]
fn names_stay_as_much_as_they_can() {
    for (name, told) in [
        ("Nordlicht Consulting GmbH", "Nordlicht Consulting GmbH"),
        ("Müller & Söhne <Łódź>", "Muller + Sohne Lodz"),
        ("//a//b_c//", "a/b-c"),
        ("\"\u{1}\"", "NOTPROVIDED"),
        ("", "NOTPROVIDED"),
    ] {
        assert_eq!(credit_transfer::latin(name), told);
    }
    assert_eq!(credit_transfer::latin(&"abcdefghi/".repeat(9)).len(), 69);
    assert_eq!(csv_file::plain("Nordlicht"), "Nordlicht");
    assert_eq!(csv_file::plain(" =1+1"), "' =1+1");
    for formula in ["＝1+1", "＋1", "－1", "＠A1", " \u{3000}＝1"] {
        assert_eq!(csv_file::plain(formula), format!("'{formula}"));
    }
}

#[test]
fn each_rail_says_whom_it_can_pay() {
    let reach = |rail: PayoutRail| rail.rail().reach();
    let to = |kind| {
        let rails = PayoutRail::ALL.iter().filter(|rail| reach(**rail).method == kind);
        rails.copied().collect::<Vec<_>>()
    };
    assert_eq!(to(None), [PayoutRail::Manual]);
    let banks = to(Some(PayoutMethodKind::BankAccount));
    assert_eq!(banks, [PayoutRail::Csv, PayoutRail::Sepa]);
    assert_eq!(to(Some(PayoutMethodKind::Stripe)), [PayoutRail::Stripe]);
    let ours = PayoutRail::ALL.iter().filter(|rail| rail.rail().is_by_service());
    assert_eq!(ours.collect::<Vec<_>>(), [&PayoutRail::Stripe]);
    let debtors = PayoutRail::ALL.iter().filter(|rail| rail.rail().needs_debtor());
    assert_eq!(debtors.collect::<Vec<_>>(), [&PayoutRail::Sepa]);
    let most = reach(PayoutRail::Sepa).most.map(|most| most.to_string());
    assert_eq!(most.as_deref(), Some("999999999.99"));
    assert_eq!(reach(PayoutRail::Sepa).currencies, Some(["EUR"].as_slice()));
}
