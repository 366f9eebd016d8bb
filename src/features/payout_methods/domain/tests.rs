//! Account numbers, what is shown of them, and the life cycle.

use super::*;
use crate::kernel::iban::IbanError;
use crate::kernel::id::{ApiKeyId, UserId};
use proptest::prelude::*;

const GERMAN: &str = "DE89370400440532013000";

/// An account number of Germany, with the check digits that ISO 7064 asks for.
fn german(account: u64) -> String {
    let account = format!("{account:018}");
    // The country and two zeros go to the end; D is 13 and E is 14.
    let rest = format!("{account}131400")
        .bytes()
        .fold(0_u64, |rest, digit| (rest * 10 + u64::from(digit - b'0')) % 97);
    format!("DE{:02}{account}", 98 - rest)
}

proptest! {
    #[test]
    fn right_numbers_are_taken(account in 0..10_u64.pow(18)) {
        let number = german(account);
        let iban: Iban = number.parse().unwrap();
        prop_assert_eq!(iban.reveal(), number.as_str());
        let groups: Vec<&str> = (0..number.len())
            .step_by(4)
            .map(|start| &number[start..number.len().min(start + 4)])
            .collect();
        prop_assert_eq!(groups.join(" ").parse::<Iban>(), Ok(iban));
    }

    #[test]
    fn a_wrong_character_is_seen(account in 0..10_u64.pow(18), place in 2_usize..22, digit in b'0'..=b'9') {
        let mut number = german(account).into_bytes();
        prop_assume!(number[place] != digit);
        number[place] = digit;
        let number = String::from_utf8(number).unwrap();
        prop_assert_eq!(number.parse::<Iban>(), Err(IbanError::Invalid));
    }

    #[test]
    fn two_characters_that_changed_places_are_seen(account in 0..10_u64.pow(18), place in 4_usize..21) {
        let mut number = german(account).into_bytes();
        prop_assume!(number[place] != number[place + 1]);
        number.swap(place, place + 1);
        let number = String::from_utf8(number).unwrap();
        prop_assert_eq!(number.parse::<Iban>(), Err(IbanError::Invalid));
    }

    #[test]
    fn no_more_than_four_characters_are_shown(account in 0..10_u64.pow(18), name in "[a-zA-Z ]{0,40}") {
        let number = german(account);
        let details = Details::BankAccount {
            account_holder: name.clone(),
            iban: number.parse().unwrap(),
            bic: None,
        };
        let told = serde_json::to_string(&details).unwrap() + &format!("{details:?}");
        let end = &number[number.len() - 4..];
        prop_assert!(told.contains(&format!("DE****{end}")), "{}", told);
        prop_assert!(!told.contains(&number[number.len() - 5..]), "{}", told);
        if name.len() > 4 {
            prop_assert!(!told.contains(&name), "{}", told);
        }
    }
}

#[test]
fn published_numbers_are_taken_and_others_are_not() {
    for number in [
        "GB82 WEST 1234 5698 7654 32",
        "FR1420041010050500013M02606",
        "NO93 8601 1117 947",
        GERMAN,
    ] {
        assert!(number.parse::<Iban>().is_ok(), "{number}");
    }
    for number in [
        "DE8937040044053201300",
        "DE893704004405320130000",
        "",
        "DE89",
        "de89370400440532013000",
    ] {
        assert_eq!(number.parse::<Iban>(), Err(IbanError::Invalid), "{number}");
    }
    // The check digits are right, the country is not on the register.
    assert_eq!(
        "ZZ22370400440532013000".parse::<Iban>(),
        Err(IbanError::UnknownCountry)
    );
}

#[test]
fn short_texts_show_nothing() {
    assert_eq!(
        (masked(""), masked("12345678"), masked("123456789")),
        ("****".to_owned(), "****".to_owned(), "****6789".to_owned())
    );
    assert_eq!(masked("Ähren & Söhne"), "****öhne");
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

fn author() -> ActorId {
    ActorId::User(UserId::from_uuid(uuid::Uuid::from_u128(1)))
}

fn second() -> ActorId {
    ActorId::ApiKey(ApiKeyId::from_uuid(uuid::Uuid::from_u128(2)))
}

fn method(status: PayoutMethodStatus) -> PayoutMethod {
    let details = Details::Manual {
        instruction: "By check.".to_owned(),
    };
    let proposed = PayoutMethod::propose(PartnerId::new(now()), Currency::USD, details, author(), now());
    PayoutMethod { status, ..proposed }
}

#[test]
fn each_verb_moves_from_its_states_only() {
    for &status in PayoutMethodStatus::ALL {
        let moves = [
            (
                "confirm",
                method(status).confirm(second(), TimeDelta::zero(), now()),
            ),
            ("refuse", method(status).refuse("No.".to_owned(), now())),
            ("withdraw", method(status).withdraw(now())),
        ];
        for (verb, outcome) in moves {
            assert_eq!(outcome.is_ok(), status.moves().contains(&verb), "{status} {verb}");
        }
        let replaced = method(status).replace(now());
        assert_eq!(replaced.is_ok(), status == PayoutMethodStatus::Active, "{status}");
    }
}

#[test]
fn another_person_confirms_and_it_cools_off() {
    let refused = method(PayoutMethodStatus::Proposed)
        .confirm(author(), TimeDelta::zero(), now())
        .unwrap_err();
    assert_eq!(refused.code, Code::SecondPersonRequired);
    for hours in [0, 1, 72, 720] {
        let confirmed = method(PayoutMethodStatus::Proposed)
            .confirm(second(), TimeDelta::hours(hours), now())
            .unwrap();
        assert_eq!(confirmed.confirmed_at, Some(now()));
        assert_eq!(
            confirmed.usable_from,
            Some(now() + TimeDelta::seconds(hours * 3_600))
        );
        assert_eq!(
            (confirmed.confirmed_by, confirmed.row_version),
            (Some(second()), 2)
        );
    }
}
