//! One story told in many orders ends with the same balances.

use super::{Story, credit_note, invoice, payment, refund, reinstatement, tell};
use crate::world::{World, money};
use serde_json::{Value, json};

/// How many orders are drawn by chance.
const DRAWN: usize = 40;
const SEED: u64 = 0x0b11_1a17;

/// What happens in a story, besides facts of billing.
const DEAL: usize = 0;
const WIN: usize = 1;

/// The facts in the right order, behind the deal and that it is won.
fn facts(mark: &str) -> Vec<Value> {
    vec![
        Value::Null,
        Value::Null,
        invoice(mark),
        payment(mark, "one", "600.00", "2026-02-01"),
        payment(mark, "two", "300.00", "2026-02-10"),
        refund(mark, ("refund", "back", "one"), "60.00", "2026-02-15"),
        refund(mark, ("chargeback", "bank", "two"), "300.00", "2026-02-20"),
        credit_note(mark, "note", true, "100.00", "2026-02-25"),
        credit_note(mark, "alone", false, "50.00", "2026-02-26"),
        reinstatement(mark, ("won", "bank"), "120.00", "2026-02-27"),
    ]
}

/// The story in the right order by the ordinary operations.
fn ordinary(story: &Story<'_>) {
    let (world, mark) = (story.world, &story.mark);
    story.deal();
    story.win();
    let post = |path: String, mut body: Value, ids: Value| {
        let fields = body.as_object_mut().unwrap();
        for name in ["kind", "deal", "invoice", "payment", "refund"] {
            fields.remove(name);
        }
        if let Some(kind) = fields.remove("refund_kind") {
            fields.insert("kind".to_owned(), kind);
        }
        fields.extend(ids.as_object().unwrap().clone());
        world.admin().post_once(&path, body).expect(201).id()
    };
    let facts = facts(mark);
    let deal = story.record("deals", "deal");
    let invoice = post(
        "/v1/invoices".to_owned(),
        facts[2].clone(),
        json!({ "deal_id": deal }),
    );
    let payments = [3, 4].map(|fact| {
        let path = format!("/v1/invoices/{invoice}/payments");
        post(path, facts[fact].clone(), json!({}))
    });
    let refunds: Vec<String> = payments
        .iter()
        .zip([5, 6])
        .map(|(payment, fact)| {
            let path = format!("/v1/payments/{payment}/refunds");
            post(path, facts[fact].clone(), json!({}))
        })
        .collect();
    let path = format!("/v1/refunds/{}/reinstatements", refunds[1]);
    post(path, facts[9].clone(), json!({}));
    for (fact, ids) in [
        (7, json!({ "deal_id": deal, "invoice_id": invoice })),
        (8, json!({ "deal_id": deal })),
    ] {
        post("/v1/credit-notes".to_owned(), facts[fact].clone(), ids);
    }
}

/// Numbers by chance, the same ones for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

/// Tells the story in this order; the worker is at it now and then.
fn told(story: &Story<'_>, order: &[usize], chance: &mut Chance) {
    let facts = facts(&story.mark);
    let (mut is_there, mut is_won) = (false, false);
    for step in order {
        // Who wins a deal that nobody knows makes it first.
        if !is_there && matches!(*step, DEAL | WIN) {
            story.deal();
            is_there = true;
        }
        match *step {
            DEAL => {}
            WIN => {
                story.win();
                is_won = true;
            }
            fact => drop(story.tell(&facts[fact]).expect(201)),
        }
        if chance.below(3) == 0 {
            story.world.work();
        }
    }
    assert!(is_won);
    story.world.work();
    story.all_applied(facts.len() - 2);
}

#[test]
fn every_order_settles_to_the_balances_of_the_right_one() {
    let mut chance = Chance(SEED);
    let count = facts("").len();
    let right: Vec<usize> = (0..count).collect();
    let mut orders = vec![right.clone(), right.into_iter().rev().collect()];
    orders.extend((0..DRAWN).map(|_| chance.order(count)));
    // As many as a page of arrivals holds.
    for (part, orders) in orders.chunks(12).enumerate() {
        let world = World::new();
        let program = world.ten_percent(json!({}));
        let plain = Story::new(&world, &program, "plain");
        ordinary(&plain);
        let expected = plain.figures();
        // Ten percent of 900.00 that came in, less those of 240.00 that stay refunded and of 50.00 that were credited.
        assert_eq!(expected["balances"][0]["payable"], money("61.00 USD"));
        for (number, order) in orders.iter().enumerate() {
            let story = Story::new(&world, &program, &format!("{part}.{number}"));
            told(&story, order, &mut chance);
            assert_eq!(story.figures(), expected, "{order:?}");
        }
        world.books_balance();
    }
}

/// The credit takes back from what was paid, and the chargeback before it left of that what it found: told in any other
/// order, one of them would find too little.
#[test]
fn what_waits_is_settled_as_it_happened() {
    let world = World::new();
    let program = world.ten_percent(json!({}));
    let mut figures = Vec::new();
    for (number, order) in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [3, 0, 2, 1]]
        .iter()
        .enumerate()
    {
        let mark = number.to_string();
        let story = Story::of_a_won_deal(&world, &program, &mark);
        let facts = [
            payment(&mark, "one", "600.00", "2026-02-01"),
            payment(&mark, "two", "400.00", "2026-02-10"),
            refund(&mark, ("chargeback", "bank", "two"), "400.00", "2026-02-20"),
            credit_note(&mark, "note", true, "100.00", "2026-02-25"),
        ];
        for fact in order {
            let parked = tell(world.admin(), &facts[*fact]).expect(201);
            assert_eq!(parked["status"], "parked");
        }
        assert_eq!(story.tell(&invoice(&mark)).expect(201)["status"], "applied");
        world.work();
        story.all_applied(5);
        figures.push(story.figures());
    }
    assert_eq!(figures[0]["balances"][0]["payable"], money("50.00 USD"));
    assert!(figures.iter().all(|one| *one == figures[0]), "{figures:?}");
    world.books_balance();
}
