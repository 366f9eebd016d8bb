use super::*;
use crate::kernel::problem::Code;
use crate::kernel::time::ProgramZone;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn submitted() -> Referral {
    let now = at("2026-03-02T09:00:00Z");
    let program_id = ProgramId::new(now);
    let rules = DealRules::defaults(program_id, ProgramZone::UTC, now);
    let lead = Lead {
        company_name: "Südstern Logistik".to_owned(),
        company_domain: None,
        country: None,
        contact_name: None,
        contact_email: None,
        product_family_id: None,
        amount: None,
        is_public_tender: false,
        qualification: Qualification::new(),
        note: None,
    };
    let new = NewReferral {
        external_id: None,
        partner_id: None,
        program_id,
        lead,
        hidden_from_parent: false,
    };
    Referral::submit(new, (PartnerId::new(now), &BTreeSet::new()), &rules, None, now).unwrap()
}

fn tried(referral: &Referral, verb: &str) -> Result<Referral, Problem> {
    let (one, now) = (referral.clone(), at("2026-03-02T10:00:00Z"));
    match verb {
        "accept" => one.accept(now),
        "reject" => one.reject(RejectionCode::Other, None, now),
        "mark-duplicate" => one.mark_duplicate(ReferralId::new(now), now),
        "withdraw" => one.withdraw(None, now),
        "convert" => one.convert(DealId::new(now), now),
        other => panic!("{other}"),
    }
}

#[test]
fn every_state_allows_what_the_table_says_and_nothing_else() {
    for &status in ReferralStatus::ALL {
        let referral = Referral {
            status,
            ..submitted()
        };
        for (_, verb, _) in MOVES {
            let expected = MOVES.iter().find(|(from, one, _)| *from == status && one == verb);
            match (tried(&referral, verb), expected) {
                (Ok(moved), Some((_, _, to))) => assert_eq!((moved.status, moved.row_version), (*to, 2)),
                (Err(problem), None) => {
                    assert_eq!(problem.code, Code::WrongState);
                    assert_eq!(problem.current_state.as_deref(), Some(status.as_str()));
                    assert_eq!(problem.allowed_moves.unwrap(), status.moves());
                }
                (outcome, _) => panic!("{verb} from {status}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn the_charter_shows_the_table() {
    let charter = include_str!("../mod.rs");
    let from = |status: ReferralStatus| {
        let mut ends: Vec<&str> = MOVES
            .iter()
            .filter(|one| one.0 == status)
            .map(|one| one.2.as_str())
            .collect();
        if status == Submitted {
            ends.push(Expired.as_str());
        }
        format!("{status} → {}", ends.join(" | "))
    };
    let diagram = format!("//! {}; {}\n", from(Submitted), from(Accepted));
    assert!(charter.contains(&diagram), "{diagram}");
}

#[test]
fn time_breaks_a_promise_once_and_ends_a_referral() {
    let referral = submitted();
    let by = referral.respond_by.unwrap();
    assert_eq!(by, at("2026-03-03T17:00:00Z"));
    assert_eq!(referral.clone().aged(by - chrono::TimeDelta::seconds(1)), None);
    let late = referral.clone().aged(by).unwrap();
    assert_eq!((late.status, late.response_breached_at), (Submitted, Some(by)));
    assert_eq!(late.clone().aged(by), None);
    let over = late.aged(referral.expires_at).unwrap();
    assert_eq!(over.status, Expired);
    assert_eq!(over.clone().aged(referral.expires_at), None);
    // Both at once, where the worker was away.
    let both = referral.clone().aged(referral.expires_at).unwrap();
    assert_eq!((both.status, both.response_breached_at), (Expired, Some(by)));
    // Whoever answers late, before the worker saw it, leaves the breach behind too.
    let answered = referral.clone().accept(by).unwrap();
    assert_eq!(
        (answered.first_response_at, answered.response_breached_at),
        (Some(by), Some(by))
    );
    let in_time = referral.accept(by - chrono::TimeDelta::seconds(1)).unwrap();
    assert_eq!(in_time.response_breached_at, None);
}
