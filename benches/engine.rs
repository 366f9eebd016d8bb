//! The pure engine: `cargo bench --bench engine`.

use chrono::{DateTime, Utc};
use copartner::kernel::commission::{
    Clauses, Component, Conditions, Facts, Formula, Goods, LineInput, Party, Refunded, Rule, RuleTerms,
    Standing, accrue_line, clawback, select,
};
use copartner::kernel::id::{AttributionId, CommissionRuleId, CommissionRuleVersionId, PartnerId, ProgramId};
use copartner::kernel::money::{Currency, Money, Part, Rounding};
use copartner::kernel::motion::{DealType, Motion, Role};
use criterion::{Criterion, criterion_group, criterion_main};
use std::error::Error;
use std::hint::black_box;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn instant() -> Outcome<DateTime<Utc>> {
    Ok("2026-03-02T09:00:00Z".parse()?)
}

fn dollars(text: &str) -> Outcome<Money> {
    Ok(Money::parse(text, Currency::USD)?)
}

fn number(index: usize) -> Outcome<Uuid> {
    Ok(Uuid::from_u128(u128::try_from(index)? + 1))
}

fn rule(index: usize) -> Outcome<Rule> {
    let terms = RuleTerms {
        rule_id: CommissionRuleId::from_uuid(number(index)?),
        version_id: CommissionRuleVersionId::from_uuid(number(index)?),
        version: 1,
        component: Component::Base,
        formula: Formula::Percentage {
            rate: "0.125".parse()?,
        },
        conditions: Conditions {
            program_id: ProgramId::from_uuid(number(0)?),
            motions: Vec::new(),
            roles: Vec::new(),
            partners: Vec::new(),
            product_families: Vec::new(),
            currencies: Vec::new(),
        },
        clauses: Clauses::default(),
        priority: i32::try_from(index)?,
        hold_days: 30,
        effective_from: "2026-01-01T00:00:00Z".parse()?,
        effective_to: None,
    };
    Ok(Rule::new(terms)?)
}

/// From facts to lines with explanations as JSON, for a pool of this many parties.
fn accrue(rules: &[Rule], parties: usize) -> Outcome<usize> {
    let (net, lock_at) = (dollars("1250.00")?, instant()?);
    let party = |index: usize| -> Outcome<Party<'_>> {
        let partner_id = PartnerId::from_uuid(number(index)?);
        let facts = Facts {
            program_id: ProgramId::from_uuid(number(0)?),
            motion: Motion::Referral,
            role: Role::Sourced,
            partner_id,
            product_family_id: None,
            currency: Currency::USD,
            tier: None,
            deal_type: DealType::New,
            country: None,
            net,
        };
        let selection = select(rules, &facts, lock_at);
        Ok(Party {
            attribution_id: AttributionId::from_uuid(number(index)?),
            partner_id,
            basis_points: 10_000 / u32::try_from(parties)?,
            rank: i32::try_from(index)?,
            rule: selection.chosen(Component::Base),
            considered: selection.considered(),
            eligible: Ok(()),
            closed_gates: &[],
            at_most: None,
            already_posted: Money::zero(Currency::USD),
            earlier: Money::zero(Currency::USD),
            standing: Standing::default(),
        })
    };
    let input = LineInput {
        component: Component::Base,
        net,
        goods: Goods::default(),
        service: None,
        invoice_total: dollars("1500.00")?,
        paid_before: dollars("0")?,
        paid_after: dollars("750.00")?,
        rounding: Rounding::HalfUp,
        parties: (0..parties).map(party).collect::<Result<_, _>>()?,
    };
    let mut written = 0;
    for line in accrue_line(&input)? {
        written += serde_json::to_vec(&line.explanation)?.len();
    }
    Ok(written)
}

fn measure(criterion: &mut Criterion) -> Outcome<()> {
    let rules: Vec<Rule> = (0..3).map(rule).collect::<Result<_, _>>()?;
    for parties in [1, 3] {
        criterion.bench_function(
            &format!("select, accrue and explain, {parties} parties"),
            |bencher| {
                bencher.iter(|| accrue(black_box(&rules), parties));
            },
        );
    }
    let (earned, base, refunded, nothing) = (
        dollars("156.25")?,
        dollars("1500")?,
        dollars("400")?,
        dollars("0")?,
    );
    criterion.bench_function("clawback", |bencher| {
        bencher.iter(|| {
            clawback(
                Refunded::More,
                black_box(earned),
                base,
                refunded,
                nothing,
                Rounding::HalfUp,
            )
        });
    });
    let parts = [(3_333, 1), (3_333, 2), (3_334, 3)].map(|(basis_points, rank)| Part { basis_points, rank });
    criterion.bench_function("allocate to three", |bencher| {
        bencher.iter(|| black_box(earned).allocate(&parts, 10_000));
    });
    criterion.bench_function("portion", |bencher| {
        bencher.iter(|| black_box(earned).portion(refunded, base, Rounding::HalfUp));
    });
    Ok(())
}

fn engine(criterion: &mut Criterion) {
    if let Err(error) = measure(criterion) {
        criterion.bench_function(&format!("broken: {error}"), |_| {});
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
