//! The life cycles, move by move.

use super::*;
use crate::kernel::ctx::ActorId;
use crate::kernel::id::{ApiKeyId, PartnerId, PayoutId, PayoutRunId, ProgramId};
use crate::kernel::money::{Currency, Money, Total};
use crate::kernel::problem::{Code, Problem};
use chrono::{DateTime, TimeDelta, Utc};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn run(status: PayoutRunStatus, created_by: Option<ActorId>) -> PayoutRun {
    let new = NewPayoutRun {
        external_id: None,
        program_id: None,
        partner_ids: Vec::new(),
        excluded_partner_ids: Vec::new(),
        rail: PayoutRail::Manual,
        cut_off_at: now(),
    };
    let draft = PayoutRun::draft(new, None, signed(created_by), now()).unwrap();
    PayoutRun { status, ..draft }
}

fn signed(by: Option<ActorId>) -> Signature {
    Signature {
        by,
        secret_makers: Vec::new(),
    }
}

fn payout(status: PayoutStatus) -> Payout {
    Payout {
        id: PayoutId::new(now()),
        payout_run_id: PayoutRunId::new(now()),
        partner_id: PartnerId::new(now()),
        program_id: ProgramId::new(now()),
        status,
        status_reason: None,
        amount: usd("10.00"),
        payout_method_id: None,
        reference: None,
        paid_at: (status == PayoutStatus::Paid).then(now),
        row_version: 1,
        created_at: now(),
        updated_at: now(),
    }
}

fn confirmation() -> Confirmation {
    Confirmation::new(Some("SEPA-1".to_owned()), None, now()).unwrap()
}

#[test]
fn a_run_moves_only_as_its_states_list() {
    let second = Some(ActorId::ApiKey(ApiKeyId::new(now())));
    type Move = (&'static str, Box<dyn Fn(PayoutRun) -> Result<PayoutRun, Problem>>);
    let moves: Vec<Move> = vec![
        (
            "approve",
            Box::new(move |run| run.approve(&signed(second), now())),
        ),
        ("process", Box::new(|run| run.process(now()))),
        ("cancel", Box::new(|run| run.cancel(now()))),
        (
            "confirm",
            Box::new(|run| run.may_confirm().map(|()| run.settled(0, now()))),
        ),
    ];
    for status in PayoutRunStatus::ALL {
        for (verb, turn) in &moves {
            let outcome = turn(run(*status, Some(ActorId::ApiKey(ApiKeyId::new(now())))));
            assert_eq!(
                outcome.is_ok(),
                status.moves().contains(verb),
                "{verb} from {status}"
            );
            if let Err(problem) = outcome {
                assert_eq!(problem.code, Code::WrongState);
            }
        }
    }
}

#[test]
fn a_payout_moves_only_as_its_states_list() {
    type Move = (&'static str, Box<dyn Fn(Payout) -> Result<Payout, Problem>>);
    let moves: Vec<Move> = vec![
        (
            "confirm",
            Box::new(|payout| payout.confirm(&confirmation(), now())),
        ),
        ("fail", Box::new(|payout| payout.fail("Closed account.", now()))),
        (
            "return",
            Box::new(|payout| payout.bounce("Closed account.", now())),
        ),
    ];
    for status in PayoutStatus::ALL {
        for (verb, turn) in &moves {
            let outcome = turn(payout(*status));
            assert_eq!(
                outcome.is_ok(),
                status.moves().contains(verb),
                "{verb} from {status}"
            );
        }
        let pending = *status == PayoutStatus::Pending;
        assert_eq!(payout(*status).process(now()).is_ok(), pending);
        assert_eq!(payout(*status).cancel("Wrong month.", now()).is_ok(), pending);
    }
}

#[test]
fn whoever_drafted_a_run_cannot_approve_it() {
    let by = || ActorId::ApiKey(ApiKeyId::new(now()));
    let (first, second) = (by(), by());
    let refused = run(PayoutRunStatus::Draft, Some(first)).approve(&signed(Some(first)), now());
    assert_eq!(refused.unwrap_err().code, Code::SecondPersonRequired);
    let refused = run(PayoutRunStatus::Draft, None).approve(&signed(None), now());
    assert_eq!(refused.unwrap_err().code, Code::SecondPersonRequired);
    let approved = run(PayoutRunStatus::Draft, Some(first))
        .approve(&signed(Some(second)), now())
        .unwrap();
    assert_eq!(
        (approved.approved_by, approved.approved_at),
        (Some(second), Some(now()))
    );
}

#[test]
fn a_run_is_completed_with_its_last_open_payout_and_stays_so() {
    let half = run(PayoutRunStatus::Processing, None).settled(1, now());
    assert_eq!(
        (half.status, half.completed_at),
        (PayoutRunStatus::Processing, None)
    );
    let done = half.settled(0, now());
    assert_eq!(
        (done.status, done.completed_at),
        (PayoutRunStatus::Completed, Some(now()))
    );
    let later = now() + TimeDelta::days(3);
    let after_a_return = done.settled(0, later);
    assert_eq!(after_a_return.completed_at, Some(now()));
    assert_eq!(
        (after_a_return.row_version, after_a_return.updated_at),
        (4, later)
    );
}

#[test]
fn nothing_happens_in_the_future() {
    let tomorrow = now() + TimeDelta::days(1);
    let new = NewPayoutRun {
        external_id: None,
        program_id: None,
        partner_ids: Vec::new(),
        excluded_partner_ids: Vec::new(),
        rail: PayoutRail::Manual,
        cut_off_at: tomorrow,
    };
    let refused = PayoutRun::draft(new, None, signed(None), now()).unwrap_err();
    assert_eq!(refused.errors[0].pointer, "/cut_off_at");
    let refused = Confirmation::new(None, Some(tomorrow), now()).unwrap_err();
    assert_eq!(refused.errors[0].pointer, "/paid_at");
    let paid = payout(PayoutStatus::Paid);
    assert!(paid.returned_at(Some(tomorrow), now()).is_err());
    assert!(paid.returned_at(Some(now() - TimeDelta::days(1)), now()).is_err());
    assert_eq!(paid.returned_at(None, now()).unwrap(), now());
}

#[test]
fn a_partner_never_sees_what_is_only_planned() {
    let hidden: Vec<_> = PayoutStatus::ALL
        .iter()
        .filter(|status| !status.is_open_to_partners())
        .collect();
    assert_eq!(hidden, [&PayoutStatus::Pending, &PayoutStatus::Cancelled]);
}

#[test]
fn figures_add_up_per_currency() {
    let yen = Currency::from_code("JPY").unwrap();
    let mut figures = PayoutRunFigures::default();
    figures
        .add(PayoutStatus::Paid, 2, Money::parse("700", yen).unwrap().into())
        .unwrap();
    figures.add(PayoutStatus::Failed, 1, usd("10.00").into()).unwrap();
    figures.add(PayoutStatus::Paid, 3, usd("0.05").into()).unwrap();
    assert_eq!(figures.payout_count, 6);
    let totals = [Money::parse("700", yen).unwrap(), usd("10.05")];
    assert_eq!(figures.totals, totals.map(Total::from));
    assert_eq!((figures.by_status.paid, figures.by_status.failed), (5, 1));
}
