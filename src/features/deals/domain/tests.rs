//! The rules of a deal, without a database.

use super::*;
use crate::kernel::money::Currency;
use chrono::TimeDelta;

fn now() -> DateTime<Utc> {
    "2026-03-02T09:30:00Z".parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::from_code("USD").unwrap()).unwrap()
}

fn terms() -> NewDeal {
    NewDeal {
        external_id: None,
        name: "Acme".to_owned(),
        account_id: AccountId::new(now()),
        program_id: None,
        partner_id: None,
        product_family_id: None,
        stage_id: None,
        deal_type: DealType::New,
        amount: usd("1000.00"),
        opened_on: Some(day("2026-02-01")),
        expected_close_on: None,
        hidden_from_parent: false,
        crm_partner_source: None,
        crm_partner_influence: None,
    }
}

fn deal_in(state: DealState) -> Deal {
    Deal {
        state,
        ..Deal::open(terms(), now()).unwrap()
    }
}

fn lost() -> DealState {
    DealState::Lost {
        at: now(),
        reason: "Price".to_owned(),
    }
}

fn pointers(problem: &Problem) -> Vec<&str> {
    problem
        .errors
        .iter()
        .map(|error| error.pointer.as_str())
        .collect()
}

#[test]
fn every_verb_from_every_state() {
    use DealStatus::{Lost, Open, Won};
    type Verb = fn(Deal) -> Result<Deal, Problem>;
    let verbs: [(&str, Verb); 3] = [
        ("win", |deal| deal.win(None, now())),
        ("lose", |deal| deal.lose("Price".to_owned(), None, now())),
        ("reopen", |deal| deal.reopen(now())),
    ];
    let states = [DealState::Open, DealState::Won { at: now() }, lost()];
    let reached = [
        [Some(Won), None, None],
        [Some(Lost), None, None],
        [None, None, Some(Open)],
    ];
    for ((name, verb), row) in verbs.iter().zip(reached) {
        for (state, expected) in states.iter().zip(row) {
            let before = deal_in(state.clone());
            let outcome = verb(before.clone());
            match expected {
                Some(status) => {
                    let after = outcome.unwrap();
                    assert_eq!(after.state.status(), status, "{name}");
                    assert_eq!(after.row_version, before.row_version + 1);
                    assert!(before.state.status().moves().contains(name));
                }
                None => {
                    let problem = outcome.unwrap_err();
                    assert_eq!(problem.code, Code::WrongState, "{name}");
                    assert_eq!(problem.current_state.as_deref(), Some(state.status().as_str()));
                    assert!(!state.status().moves().contains(name));
                }
            }
        }
    }
}

#[test]
fn a_deal_may_be_won_in_the_past_but_not_in_the_future() {
    let past = now() - TimeDelta::days(400);
    let won = deal_in(DealState::Open).win(Some(past), now()).unwrap();
    assert_eq!(won.state.won_at(), Some(past));
    assert_eq!(won.updated_at, now());
    let at_once = deal_in(DealState::Open).win(Some(now()), now()).unwrap();
    assert_eq!(at_once.state.won_at(), Some(now()));
    let future = Some(now() + TimeDelta::microseconds(1));
    let problem = deal_in(DealState::Open).win(future, now()).unwrap_err();
    assert_eq!(
        (problem.code, pointers(&problem)),
        (Code::ValidationFailed, vec!["/won_at"])
    );
    let problem = deal_in(DealState::Open)
        .lose("Price".to_owned(), future, now())
        .unwrap_err();
    assert_eq!(pointers(&problem), ["/lost_at"]);
}

#[test]
fn instants_are_kept_in_microseconds() {
    let given = "2026-01-01T00:00:00.123456789Z".parse().unwrap();
    let won = deal_in(DealState::Open).win(Some(given), now()).unwrap();
    let kept = "2026-01-01T00:00:00.123456Z".parse().unwrap();
    assert_eq!(won.state.won_at(), Some(kept));
}

#[test]
fn what_is_settled_stays_as_it_is() {
    let won = deal_in(DealState::Won { at: now() });
    let patch = DealPatch {
        amount: Some(usd("2000.00")),
        product_family_id: Patch::Set(ProductFamilyId::new(now())),
        deal_type: Some(DealType::Renewal),
        ..DealPatch::default()
    };
    let problem = won.clone().patched(patch.clone(), now()).unwrap_err();
    assert_eq!(problem.code, Code::DealSettled);
    assert_eq!(
        pointers(&problem),
        ["/amount", "/product_family_id", "/deal_type"]
    );
    for state in [DealState::Open, lost()] {
        let after = deal_in(state).patched(patch.clone(), now()).unwrap();
        assert_eq!(after.amount, usd("2000.00"));
    }
    let same = DealPatch {
        amount: Some(usd("1000")),
        product_family_id: Patch::Clear,
        deal_type: Some(DealType::New),
        name: Some("Acme Corporation".to_owned()),
        ..DealPatch::default()
    };
    assert_eq!(won.patched(same, now()).unwrap().name, "Acme Corporation");
}

#[test]
fn a_stage_is_changed_of_an_open_deal_only() {
    let stage_id = PipelineStageId::new(now());
    let patch = DealPatch {
        stage_id: Patch::Set(stage_id),
        ..DealPatch::default()
    };
    let open = deal_in(DealState::Open).patched(patch.clone(), now()).unwrap();
    assert_eq!(open.stage_id, Some(stage_id));
    for state in [DealState::Won { at: now() }, lost()] {
        let problem = deal_in(state).patched(patch.clone(), now()).unwrap_err();
        assert_eq!(problem.code, Code::WrongState);
    }
}

#[test]
fn contradictions_are_named_all_at_once() {
    let new = NewDeal {
        amount: usd("-0.01"),
        expected_close_on: Some(day("2026-01-31")),
        ..terms()
    };
    let problem = Deal::open(new, now()).unwrap_err();
    assert_eq!(pointers(&problem), ["/amount/amount", "/expected_close_on"]);
    let patch = DealPatch {
        opened_on: Some(day("2026-03-01")),
        expected_close_on: Patch::Set(day("2026-02-28")),
        ..DealPatch::default()
    };
    let problem = deal_in(DealState::Open).patched(patch, now()).unwrap_err();
    assert_eq!(pointers(&problem), ["/expected_close_on"]);
}

#[test]
fn a_deal_is_opened_today_in_utc_unless_told() {
    let new = NewDeal {
        opened_on: None,
        expected_close_on: Some(day("2025-12-31")),
        ..terms()
    };
    let deal = Deal::open(new, "2026-03-02T23:59:59Z".parse().unwrap()).unwrap();
    assert_eq!(deal.opened_on, day("2026-03-02"));
    assert_eq!(deal.expected_close_on, Some(day("2025-12-31")));
}

#[test]
fn a_reopened_deal_shows_what_it_lost() {
    let facts = |deal: &Deal| serde_json::to_value(deal).unwrap();
    let before = facts(&deal_in(lost()));
    let after = facts(&deal_in(lost()).reopen(now()).unwrap());
    assert_eq!(
        (&before["status"], &before["lost_reason"]),
        (&"lost".into(), &"Price".into())
    );
    assert_eq!(after["status"], "open");
    assert!(after.as_object().unwrap().contains_key("lost_reason") && after["lost_reason"].is_null());
    assert_eq!(
        after["amount"],
        serde_json::json!({"amount": "1000.00", "currency": "USD"})
    );
}

#[test]
fn winning_warns_of_what_earns_nobody_anything() {
    use WinWarning::{NoConfirmedCredit, NoProgram, NotEnrolled, WithoutRule};
    let (program, partner) = (Some(ProgramId::new(now())), Some(PartnerId::new(now())));
    let cases: [(_, _, _, _, &[WinWarning]); 10] = [
        (None, None, (0, 0), false, &[]),
        (program, None, (0, 0), true, &[NoConfirmedCredit]),
        (program, None, (0, 0), false, &[NoConfirmedCredit, WithoutRule]),
        (program, partner, (1, 1), true, &[]),
        (program, partner, (2, 1), true, &[]),
        (program, partner, (2, 0), true, &[NotEnrolled]),
        (program, partner, (1, 1), false, &[WithoutRule]),
        (program, partner, (0, 0), true, &[NoConfirmedCredit]),
        (None, None, (1, 0), false, &[NoProgram]),
        (None, partner, (0, 0), false, &[NoConfirmedCredit, NoProgram]),
    ];
    for (program_id, partner_id, (credits, takes_part), has_rule, expected) in cases {
        let deal = Deal {
            program_id,
            partner_id,
            ..deal_in(DealState::Open)
        };
        assert_eq!(
            deal.win_warnings(credits, takes_part, has_rule),
            expected,
            "{program_id:?} {partner_id:?} {credits} {takes_part} {has_rule}"
        );
    }
}
