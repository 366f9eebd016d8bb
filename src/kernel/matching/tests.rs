//! What matching promises, by examples and by property.

use super::*;
use proptest::prelude::*;

fn key(text: &str) -> String {
    CompanyName::of(text).key()
}

fn company(name: &str) -> Company {
    Company {
        names: CompanyName::all_of(name),
        ..Company::default()
    }
}

fn at(name: &str, domain: &str) -> Company {
    Company {
        domain: registrable_domain(domain),
        ..company(name)
    }
}

#[test]
fn a_registrable_domain_is_what_somebody_registered() {
    for (address, domain) in [
        ("https://www.shop.hafen.co.uk:8443/de?x=1#y", Some("hafen.co.uk")),
        ("HAFEN.Example.", Some("hafen.example")),
        ("//user:secret@www.hafen.com.au/path", Some("hafen.com.au")),
        ("müller.de", Some("xn--mller-kva.de")),
        ("xn--mller-kva.de", Some("xn--mller-kva.de")),
        ("co.uk", None),
        ("com", None),
        ("localhost", None),
        ("10.0.0.1", None),
        ("https://[2001:db8::1]/", None),
        ("gmail.com", None),
        ("mail.yahoo.co.jp", None),
        ("https://github.com/hafen", None),
        ("hafen.github.io", Some("hafen.github.io")),
        ("", None),
        ("http://", None),
        ("a..b", None),
        ("😀", None),
    ] {
        assert_eq!(registrable_domain(address).as_deref(), domain, "{address}");
    }
    let of_mail = registrable_domain_of_mail("Ines <ines@sub.hafen.example");
    assert_eq!(of_mail.as_deref(), Some("hafen.example"));
    assert_eq!(registrable_domain_of_mail("hafen@gmail.com"), None);
    assert_eq!(registrable_domain_of_mail("no address"), None);
}

#[test]
fn names_that_differ_in_habits_have_one_key() {
    for (left, right) in [
        (
            "Hafen Logistik GmbH",
            "HAFEN-LOGISTIK Gesellschaft mit beschränkter Haftung",
        ),
        ("Société Générale S.A.", "societe generale"),
        ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne"),
        ("The Procter & Gamble Company", "Procter and Gamble Co."),
        ("A.B.C. Trading Ltd.", "abc trading limited"),
        ("J. P. Morgan", "JP Morgan"),
        ("Acme Intl. Svcs", "ACME International Services, Inc."),
        ("OOO Romashka", "Romashka LLC"),
        ("PT Astra", "Astra"),
        ("Novák s.r.o.", "NOVAK"),
        ("Łódź Sp. z o.o.", "Lodz"),
        ("Good Will Company", "Goodwill"),
        ("Brigade Forty-Four", "Brigade 44"),
        ("SiemensAG", "Siemens AG"),
        ("Ошибка ООО", "oshibka"),
        ("(Hafen Logistik GmbH", "Hafen Logistik"),
        ("( forty GmbH", "Forty"),
    ] {
        assert_eq!(key(left), key(right), "{left} / {right}");
    }
    for (left, right) in [
        ("Hafen One", "Hafen Two"),
        ("Hafen II", "Hafen III"),
        ("Hafen Nord", "Hafen Sued"),
    ] {
        assert_ne!(key(left), key(right), "{left} / {right}");
    }
}

#[test]
fn a_second_name_behind_trading_as_counts_as_one() {
    for text in [
        "Nordwind Holding GmbH trading as Hafen Logistik",
        "Nordwind Holding t/a Hafen Logistik",
        "Nordwind Holding LLC d/b/a Hafen Logistik",
        "Nordwind Holding (trading as Hafen Logistik)",
    ] {
        let keys: Vec<String> = CompanyName::all_of(text).iter().map(CompanyName::key).collect();
        assert!(keys.contains(&"hafenlogistik".to_owned()), "{text}: {keys:?}");
        assert!(
            compare(&company(text), &company("Hafen Logistik")).certain,
            "{text}"
        );
    }
    assert_eq!(CompanyName::all_of("dba").len(), 1);
    assert_eq!(CompanyName::all_of("Adbald").len(), 1);
}

#[test]
fn equal_keys_decide_unless_something_speaks_against_it() {
    let hafen = at("Hafen Logistik", "hafen.example");
    for (other, certain, reason) in [
        (at("Hafen", "www.hafen.example"), true, Reason::SameDomain),
        (company("HAFEN LOGISTIK GmbH"), true, Reason::SameName),
        (at("Hafen Logistik", "gmail.com"), true, Reason::SameName),
        (at("Hafen Logistik", "other.example"), false, Reason::OtherDomain),
        (at("Nordwind Reederei", "hafen.example"), false, Reason::OtherName),
        (company("Hafn Logistik"), false, Reason::SimilarSpelling),
    ] {
        let verdict = compare(&hafen, &other);
        assert_eq!(verdict.certain, certain, "{other:?}: {verdict:?}");
        assert!(verdict.reasons.contains(&reason), "{other:?}: {verdict:?}");
    }
    let forms = compare(&company("Deutsche Hafen AG"), &company("Deutsche Hafen GmbH"));
    assert!(!forms.certain && forms.reasons.contains(&Reason::OtherLegalForm));
    assert!(!compare(&company("Consulting Group"), &company("Consulting Group")).certain);
    let country = |code: &str| Company {
        country: Some(code.to_owned()),
        ..company("Hafen Logistik")
    };
    assert!(compare(&country("DE"), &country("DE")).certain);
    assert!(!compare(&country("DE"), &country("FR")).certain);
    let known = |id: &str, name: &str| Company {
        external_id: Some(id.to_owned()),
        ..company(name)
    };
    let same_id = compare(&known("1", "Hafen"), &known("1", "Nordwind"));
    assert!(same_id.certain && same_id.score == 10_000);
}

#[test]
fn several_of_one_name_are_for_a_person() {
    let plain = company("Hafen Logistik");
    let mut verdicts = [
        compare(&plain, &company("Hafen Logistik GmbH")),
        compare(&plain, &company("Hafen Logistik (Bremen)")),
    ];
    assert!(verdicts[0].certain && !verdicts[1].certain);
    settle(verdicts.iter_mut());
    assert!(verdicts.iter().all(|verdict| !verdict.certain));
    let mut one = [
        compare(&plain, &company("Hafen Logistik GmbH")),
        compare(&plain, &company("Hafn Logistik")),
    ];
    settle(one.iter_mut());
    assert!(one[0].certain);
}

#[test]
fn what_tells_companies_of_a_group_apart_counts() {
    for (left, right) in [
        ("Nordwind of Atlanta, Inc.", "Nordwind of Boston, Inc."),
        ("Nordwind Services France", "Nordwind Services Germany"),
        ("Nordwind Fund II", "Nordwind Fund III"),
        ("Hafen Aviation", "Bahnhof Aviation"),
    ] {
        let verdict = compare(&company(left), &company(right));
        assert!(
            verdict.score < LIKELY && !verdict.certain,
            "{left} / {right}: {verdict:?}"
        );
    }
}

/// Texts like names: with legal forms, signs of all kinds and letters of several scripts.
fn names() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[A-Za-zÀ-ÿ]{1,9}",
        "[а-яА-Я]{1,6}",
        "[0-9]{1,3}",
        Just("GmbH".to_owned()),
        Just("& Co.".to_owned()),
        Just("S.A.R.L.".to_owned()),
        Just("Ltd".to_owned()),
        Just("trading as".to_owned()),
        Just("(The)".to_owned()),
        Just("forty".to_owned()),
        Just("intl".to_owned()),
        "\\PC{1,4}",
    ];
    proptest::collection::vec(word, 0..7).prop_map(|words| words.join(" "))
}

#[test]
fn a_name_is_looked_for_by_its_slips_and_its_words() {
    let search = Search::of("kalenberg bau".to_owned());
    assert_eq!((search.words.len(), search.threshold), (2, 600));
    for slipped in [
        "kaenberg bau",
        "kallenberg bau",
        "kalenburg bau",
        "kalebnerg bau",
        "kalenbergbau",
        "kalenberg bauw",
    ] {
        assert!(search.slips.contains(slipped), "{slipped}");
    }
    for other in [
        "kalenberg bau",
        "kalenberg bahn",
        "kalenburg bauw",
        "kalenberg bau ",
    ] {
        assert!(!search.slips.contains(other), "{other}");
    }
    let (long, short) = (&search.words[0], &search.words[1]);
    assert_eq!(long[0], "kalenberg");
    let is_looked_for = |word: &str| long.iter().any(|other| other == word);
    assert!(is_looked_for("kalenberk") && is_looked_for("kalenbrg"));
    assert!(!is_looked_for("kalen berg") && !is_looked_for("kalenbrk"));
    assert_eq!(*short, ["bau"]);
    assert_eq!(Search::of("bau bau".to_owned()).words, [["bau"]]);
    assert_eq!(Search::of("rainwen".to_owned()).threshold, 400);
}

#[test]
fn another_number_is_no_slip_and_what_is_very_short_has_none() {
    let search = Search::of("studio 54".to_owned());
    assert!(search.slips.contains("studo 54"));
    assert!(
        !search
            .slips
            .iter()
            .any(|slip| slip.starts_with("studio 5") && slip.len() == 9)
    );
    assert!(Search::of("abc".to_owned()).slips.is_empty());
    assert!(Search::of("a".repeat(41)).slips.is_empty());
    assert!(Search::of(String::new()).words.is_empty());
}

proptest! {
    /// A slip in one direction is a slip in the other, so that it does not matter which of two comes first.
    #[test]
    fn what_is_one_slip_away_is_so_from_both_sides(core in "[a-z]{2,6}( [a-z]{2,6}){0,2}", at in any::<prop::sample::Index>()) {
        let search = Search::of(core.clone());
        prop_assume!(!search.slips.is_empty());
        let slip = at.get(&search.slips.iter().cloned().collect::<Vec<_>>()).clone();
        let back = Search::of(slip.clone()).slips;
        prop_assert!(back.is_empty() || back.contains(&core), "{} {}", core, slip);
    }

    #[test]
    fn nothing_panics_and_keys_are_plain(text in any::<String>(), other in names()) {
        for name in CompanyName::all_of(&text) {
            prop_assert!(name.key().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
            prop_assert!(name.key().len() <= 400 && name.core().len() <= 400);
        }
        let verdict = compare(&company(&text), &company(&other));
        prop_assert!(verdict.score <= 10_000);
        let _ = (registrable_domain(&text), registrable_domain_of_mail(&text));
    }

    #[test]
    fn a_key_of_a_key_is_the_same(text in names()) {
        let once = CompanyName::of(&text);
        let twice = CompanyName::of(&once.text());
        prop_assert_eq!(twice.key(), once.key());
    }

    #[test]
    fn signs_between_words_do_not_matter(words in proptest::collection::vec("[a-z]{2,9}", 1..5), signs in proptest::collection::vec(" [-–,;:!*_/|] | |, |\t", 5)) {
        let plain = words.join(" ");
        let signed: String = words.iter().zip(&signs).flat_map(|(word, sign)| [word.as_str(), sign.as_str()]).collect();
        prop_assert_eq!(key(&plain), key(&signed));
        prop_assert_eq!(key(&plain), key(&plain.to_uppercase()));
    }

    #[test]
    fn both_sides_see_the_same(left in names(), right in names()) {
        let (there, back) = (compare(&company(&left), &company(&right)), compare(&company(&right), &company(&left)));
        prop_assert_eq!(there.certain, back.certain);
        prop_assert_eq!(there.same_key, back.same_key);
    }

    #[test]
    fn a_company_is_itself(text in "[A-Z][a-z]{6,9}(q|x)[a-z]{1,3} (Logistik|Systems) (GmbH|Ltd|AG)") {
        let verdict = compare(&company(&text), &company(&text));
        prop_assert!(verdict.certain && verdict.score == 10_000);
    }
}
