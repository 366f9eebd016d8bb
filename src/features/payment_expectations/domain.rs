//! What is in the way of a payment, and when it is out of the way.

use crate::features::commissions::CommissionStatus;
use crate::features::exchange_rates::{Asked, MAX_AGE_DAYS};
use crate::features::partners::PartnerStatus;
use crate::features::payouts::{PayoutRunStatus, PayoutStatus};
use crate::kernel::exchange::Exchange;
use crate::kernel::gate::{GatedStep, closed_sentence};
use crate::kernel::id::{DisputeId, InvoiceId, PartnerId, PayoutId, ProgramId};
use crate::kernel::money::{Currency, Money, MoneyError, Rounding, Total};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::NaiveDate;

word_enum! {
    /// What is in the way of a payment, or worth to know about it.
    BlockerKind, "payment blocker" {
        /// The hold runs.
        Hold = "hold",
        /// Somebody has to approve it.
        ApprovalOutstanding = "approval_outstanding",
        /// A dispute holds it up.
        Dispute = "dispute",
        /// What is payable is less than the program pays out.
        BelowMinimum = "below_minimum",
        /// More was taken back than is payable.
        NegativeBalance = "negative_balance",
        /// The partner is not paid for now.
        PartnerNotPayable = "partner_not_payable",
        /// The program asks for something before it pays that is not on file.
        GateClosed = "gate_closed",
        /// It is set aside for a payout that is not paid yet.
        InPayout = "in_payout",
        /// A drafted payout run has it and waits for approval.
        PayoutRunDrafted = "payout_run_drafted",
        /// The last payout with it failed or came back; it goes into the next one.
        PayoutFailed = "payout_failed",
        /// There is no way of payment that could be used; payouts by hand need none.
        NoPayoutMethod = "no_payout_method",
        /// It is to be exchanged into the currency that the partner is paid in, and no rate is known.
        MissingRate = "missing_rate",
        /// It is more than an amount can be.
        AmountNotSupported = "amount_not_supported",
        /// The customer has not paid the whole invoice: more is earned when it does.
        InvoiceUnpaid = "invoice_unpaid",
    }
}

/// Something in the way of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// What it is.
    pub kind: BlockerKind,
    /// What it is, in a sentence.
    pub message: String,
    /// Whether nothing is paid before it is out of the way.
    pub is_blocking: bool,
    /// When it is expected to be out of the way.
    pub expected_on: Option<NaiveDate>,
    /// How much it is about.
    pub amount: Option<Total>,
    /// The record that it is about.
    pub subject_id: Option<String>,
}

/// When something is paid, and what is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The earliest day.
    pub expected_on: Option<NaiveDate>,
    /// Everything in the way.
    pub blockers: Vec<Blocker>,
}

/// The last payout with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPayout {
    /// The payout.
    pub id: PayoutId,
    /// Where it stands.
    pub status: PayoutStatus,
    /// Where its run stands, for those who see runs.
    pub run_status: Option<PayoutRunStatus>,
    /// Why it failed or came back.
    pub reason: Option<String>,
}

/// What is known of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whose it is.
    pub partner_id: PartnerId,
    /// Under which program.
    pub program_id: ProgramId,
    /// Where it stands.
    pub status: CommissionStatus,
    /// What is left of it.
    pub amount: Money,
    /// The exchange that it waits for, if it is to be exchanged and is not yet.
    pub exchange: Option<Asked>,
    /// The day on which the hold is over.
    pub release_on: NaiveDate,
    /// The dispute that holds it up, and by when an answer is promised.
    pub dispute: Option<(DisputeId, NaiveDate)>,
    /// Its invoice, and what is not paid of it.
    pub invoice: Option<(InvoiceId, Money)>,
    /// The last payout with it.
    pub payout: Option<LastPayout>,
    /// The present day of the program.
    pub today: NaiveDate,
    /// Whether people approve its program's lines.
    pub is_approved_by_hand: bool,
}

/// What a partner has coming in a program and a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purse {
    /// The program.
    pub program_id: ProgramId,
    /// The currency of all of it.
    pub currency: Currency,
    /// Within the hold.
    pub pending: Total,
    /// Waiting for approval.
    pub due: Total,
    /// Payable now, net of what was taken back; nothing disputed.
    pub approved: Total,
    /// Set aside for payouts, with all that these net.
    pub in_payout: Total,
    /// What comes to be payable besides when holds end, somebody approves and disputes are over.
    pub waiting: Total,
    /// Of all of it, what disputes hold up.
    pub disputed: Total,
    /// Of all of it, what waits for a rate to be exchanged at.
    pub unexchanged: Total,
    /// The currency in which it is paid.
    pub paid_in: Currency,
    /// Whether it is exchanged into that when it is paid.
    pub is_exchanged_when_paid: bool,
    /// The exchange of today, where that is so and its rate is known.
    pub exchange: Option<Exchange>,
    /// The least that is paid out, in the currency that is counted then.
    pub minimum: Option<Total>,
    /// The day on which the next hold is over.
    pub release_on: Option<NaiveDate>,
    /// The first day on which enough is payable by what is known, if only holds are in the way.
    pub reached_on: Option<NaiveDate>,
    /// By when the last of its disputes is answered.
    pub answer_on: Option<NaiveDate>,
    /// Where the partner stands.
    pub partner_status: PartnerStatus,
    /// What the program asks for before it pays, and is not on file.
    pub closed_gates: Vec<String>,
    /// The day on which what is on file, and valid only later, opens all of them.
    pub gates_open_on: Option<NaiveDate>,
    /// Whether its way of payment can be used, and from which day on; none if there is none.
    pub method: Option<(bool, NaiveDate)>,
    /// The present day of the program.
    pub today: NaiveDate,
    /// Whether people approve the program's lines.
    pub is_approved_by_hand: bool,
}

impl Purse {
    /// The rate that a payment today asks for.
    pub fn asked(&self) -> Option<Asked> {
        self.is_exchanged_when_paid.then_some(Asked {
            from: self.currency,
            to: self.paid_in,
            on: self.today,
        })
    }

    /// What a payment of this much comes to today.
    fn paid(&self, net: Total) -> Option<Total> {
        let Some(exchange) = &self.exchange else {
            return Some(net).filter(|_| !self.is_exchanged_when_paid);
        };
        let net = Money::try_from(net).ok()?;
        exchange.convert(net, Rounding::HalfUp).ok().map(Total::from)
    }

    /// With the exchange of today. What all that comes by itself does not come to is reached on no day.
    pub fn exchanged_by(mut self, exchange: Option<Exchange>) -> Result<Self, MoneyError> {
        self.exchange = exchange;
        let paid = self.paid(self.approved.checked_add(self.pending)?);
        if let Some((minimum, paid)) = self.minimum.zip(paid).filter(|_| self.is_exchanged_when_paid) {
            self.reached_on = self.reached_on.filter(|_| paid.amount() >= minimum.amount());
        }
        Ok(self)
    }

    /// What somebody has to approve, now or when its hold ends.
    fn unapproved(&self) -> Result<Total, MoneyError> {
        if self.is_approved_by_hand {
            self.due.checked_add(self.pending)
        } else {
            Ok(self.due)
        }
    }
}

impl Blocker {
    fn blocking(kind: BlockerKind, expected_on: Option<NaiveDate>, message: String) -> Self {
        Self {
            kind,
            message,
            is_blocking: true,
            expected_on,
            amount: None,
            subject_id: None,
        }
    }

    fn only_if(self, is_blocking: bool) -> Self {
        Self { is_blocking, ..self }
    }

    fn of(self, amount: impl Into<Total>) -> Self {
        let amount = Some(amount.into());
        Self { amount, ..self }
    }

    fn about(self, subject: impl ToString) -> Self {
        let subject_id = Some(subject.to_string());
        Self { subject_id, ..self }
    }
}

/// The latest day of what is in the way, not before today; none while something has none.
fn expected(today: NaiveDate, blockers: &[Blocker]) -> Option<NaiveDate> {
    let mut in_the_way = blockers.iter().filter(|one| one.is_blocking);
    in_the_way.try_fold(today, |latest, one| Some(latest.max(one.expected_on?)))
}

fn hold(release_on: NaiveDate) -> Blocker {
    let message = format!("The hold ends on {release_on}.");
    Blocker::blocking(BlockerKind::Hold, Some(release_on), message)
}

/// An answer that is late has no date.
fn dispute(today: NaiveDate, answer_on: NaiveDate) -> Blocker {
    let message = if answer_on < today {
        format!("A dispute holds it up; an answer was promised by {answer_on}.")
    } else {
        format!("A dispute holds it up; an answer is promised by {answer_on}.")
    };
    let day = Some(answer_on).filter(|day| *day >= today);
    Blocker::blocking(BlockerKind::Dispute, day, message)
}

/// What keeps all that waits from being paid: the minimum is told where it is not reached by all of it, and not where
/// nothing waits for it.
fn shortfall(purse: &Purse) -> Result<Option<Blocker>, MoneyError> {
    let in_all = purse.approved.checked_add(purse.waiting)?;
    if purse.approved.is_negative() {
        threshold(purse, purse.approved)
    } else if in_all.is_positive() {
        threshold(purse, in_all)
    } else {
        Ok(None)
    }
}

/// What keeps the net from being paid, were it this much.
fn threshold(purse: &Purse, net: Total) -> Result<Option<Blocker>, MoneyError> {
    let short =
        |kind, missing: Total, message| Some(Blocker::blocking(kind, purse.reached_on, message).of(missing));
    if net.is_negative() {
        let missing = net.abs();
        let message = format!("{missing} more was taken back than is payable; it is set off first.");
        return Ok(short(BlockerKind::NegativeBalance, missing, message));
    }
    if !net.is_an_amount() {
        let message = format!("{net} is more than can be paid at once.");
        let blocker = Blocker::blocking(BlockerKind::AmountNotSupported, None, message);
        return Ok(Some(blocker.of(net)));
    }
    let is_approved = net == purse.approved;
    let Some((minimum, net)) = purse.minimum.zip(purse.paid(net)) else {
        return Ok(None);
    };
    let missing = minimum.checked_sub(net)?;
    let stands = if is_approved { "is" } else { "comes to be" };
    let message =
        format!("{net} {stands} payable and the program pays from {minimum} on: {missing} is missing.");
    Ok(missing
        .is_positive()
        .then(|| short(BlockerKind::BelowMinimum, missing, message))
        .flatten())
}

/// What is in the way of everything that the partner is paid in this currency.
fn of_the_partner(purse: &Purse) -> Vec<Blocker> {
    let mut found = Vec::new();
    if purse.partner_status != PartnerStatus::Approved {
        let message = format!("The partner is {} and is not paid.", purse.partner_status);
        found.push(Blocker::blocking(BlockerKind::PartnerNotPayable, None, message));
    }
    if !purse.closed_gates.is_empty() {
        let mut message = closed_sentence(GatedStep::Paying, &purse.closed_gates);
        if let Some(day) = purse.gates_open_on {
            message.push_str(&format!(" What is on file is valid from {day} on."));
        }
        found.push(Blocker::blocking(
            BlockerKind::GateClosed,
            purse.gates_open_on,
            message,
        ));
    }
    let missing =
        |day, message: String| Blocker::blocking(BlockerKind::NoPayoutMethod, day, message).only_if(false);
    match purse.method {
        Some((true, _)) => {}
        Some((false, usable_on)) => found.push(missing(
            Some(usable_on),
            format!(
                "The way of payment can be used from {usable_on} on; payouts by hand do not wait for it."
            ),
        )),
        None => found.push(missing(
            None,
            format!(
                "No way of payment in {} is confirmed; payouts by hand need none.",
                purse.paid_in
            ),
        )),
    }
    found
}

/// No rate is known for an exchange.
fn missing_rate(asked: Asked) -> Blocker {
    let Asked { from, to, on } = asked;
    let message = format!(
        "No exchange rate from {from} to {to} is known for {on} or the {MAX_AGE_DAYS} days before it."
    );
    Blocker::blocking(BlockerKind::MissingRate, None, message)
}

/// When a line is paid. `purse` is what its partner has coming in its program and currency.
/// `has_rate` says whether the rate is known for the exchange that it waits for.
pub fn of_line(line: &Line, purse: Option<&Purse>, has_rate: bool) -> Result<Expectation, Problem> {
    let status = line.status;
    let is_open = match status {
        CommissionStatus::Pending
        | CommissionStatus::Due
        | CommissionStatus::Approved
        | CommissionStatus::InPayout => line.amount.is_positive(),
        CommissionStatus::Paid | CommissionStatus::Reversed | CommissionStatus::Ineligible => false,
    };
    if !is_open {
        return Ok(Expectation {
            expected_on: None,
            blockers: Vec::new(),
        });
    }
    let mut blockers = on_its_way(line);
    if let Some(asked) = line.exchange.filter(|_| !has_rate) {
        blockers.push(missing_rate(asked).of(line.amount));
    }
    if let Some(purse) = purse {
        if status != CommissionStatus::InPayout {
            let is_counted = status == CommissionStatus::Approved && line.dispute.is_none();
            let net = if is_counted {
                purse.approved
            } else {
                purse
                    .approved
                    .checked_add(line.amount.into())
                    .map_err(Problem::damaged)?
            };
            blockers.extend(threshold(purse, net).map_err(Problem::damaged)?);
        }
        blockers.extend(of_the_partner(purse));
    }
    blockers.extend(invoice(line));
    Ok(Expectation {
        expected_on: expected(line.today, &blockers),
        blockers,
    })
}

/// What is in the way of the line itself.
fn on_its_way(line: &Line) -> Vec<Blocker> {
    let mut found = Vec::new();
    if line.status == CommissionStatus::Pending {
        found.push(hold(line.release_on));
    }
    let is_unapproved = line.status == CommissionStatus::Due
        || line.status == CommissionStatus::Pending && line.is_approved_by_hand;
    if is_unapproved {
        let message = "Somebody has to approve it.".to_owned();
        found.push(Blocker::blocking(BlockerKind::ApprovalOutstanding, None, message));
    }
    if let Some((id, answer_on)) = line.dispute {
        found.push(dispute(line.today, answer_on).about(id));
    }
    found.extend(payout(line));
    found
}

fn payout(line: &Line) -> Option<Blocker> {
    let Some(last) = &line.payout else {
        let message = "It is set aside for a payout.".to_owned();
        return (line.status == CommissionStatus::InPayout)
            .then(|| Blocker::blocking(BlockerKind::InPayout, None, message));
    };
    let blocker = |kind, message| Blocker::blocking(kind, None, message).about(last.id);
    match (line.status, last.status) {
        (CommissionStatus::InPayout, PayoutStatus::Processing) => {
            let message = "It is in a payout that is on its way; nobody has confirmed it yet.".to_owned();
            Some(blocker(BlockerKind::InPayout, message))
        }
        (CommissionStatus::InPayout, _) => {
            let message = "It is in a payout whose run is approved and waits to be processed.".to_owned();
            Some(blocker(BlockerKind::InPayout, message))
        }
        (CommissionStatus::Approved, PayoutStatus::Pending)
            if last.run_status == Some(PayoutRunStatus::Draft) =>
        {
            let message = "A drafted payout run has it and waits for approval.".to_owned();
            Some(blocker(BlockerKind::PayoutRunDrafted, message).only_if(false))
        }
        (CommissionStatus::Approved, PayoutStatus::Failed | PayoutStatus::Returned) => {
            let reason = last.reason.as_deref().unwrap_or("no reason is known");
            let message = format!(
                "The last payout {}: {reason} It goes into the next one.",
                last.status
            );
            Some(blocker(BlockerKind::PayoutFailed, message).only_if(false))
        }
        _ => None,
    }
}

fn invoice(line: &Line) -> Option<Blocker> {
    let (id, unpaid) = line.invoice.filter(|(_, unpaid)| unpaid.is_positive())?;
    let message = format!("{unpaid} of the invoice is not paid yet; what it earns comes with the payment.");
    let found = Blocker::blocking(BlockerKind::InvoiceUnpaid, None, message);
    Some(found.only_if(false).of(unpaid).about(id))
}

/// When a partner is paid next in a program and a currency.
pub fn of_purse(purse: &Purse) -> Result<Expectation, Problem> {
    let short = shortfall(purse).map_err(Problem::damaged)?;
    let unpayable = threshold(purse, purse.approved).map_err(Problem::damaged)?;
    let is_payable = purse.approved.is_positive() && unpayable.is_none();
    let mut blockers = Vec::new();
    if let Some(day) = purse.release_on {
        // The day on which enough is there, where that is later than the next hold's end.
        let counts = purse.reached_on.is_some() || short.is_none();
        blockers.push(hold(day).of(purse.pending).only_if(!is_payable && counts));
    }
    let unapproved = purse.unapproved().map_err(Problem::damaged)?;
    if !unapproved.is_zero() {
        let message = format!("Somebody has to approve {unapproved}.");
        let found = Blocker::blocking(BlockerKind::ApprovalOutstanding, None, message);
        blockers.push(
            found
                .of(unapproved)
                .only_if(!is_payable && purse.reached_on.is_none()),
        );
    }
    if let Some(answer_on) = purse.answer_on {
        let found = dispute(purse.today, answer_on).of(purse.disputed);
        blockers.push(found.only_if(!is_payable && purse.reached_on.is_none()));
    }
    if let Some(asked) = purse.asked().filter(|_| purse.exchange.is_none()) {
        let in_all = purse
            .approved
            .checked_add(purse.waiting)
            .map_err(Problem::damaged)?;
        blockers.push(missing_rate(asked).of(in_all));
    }
    if purse.unexchanged.is_positive() {
        let message = format!("{} waits for an exchange rate.", purse.unexchanged);
        let found = Blocker::blocking(BlockerKind::MissingRate, None, message);
        let is_all = !is_payable && purse.reached_on.is_none();
        blockers.push(found.of(purse.unexchanged).only_if(is_all));
    }
    blockers.extend(short);
    blockers.extend(of_the_partner(purse));
    let is_anything_coming = is_payable || purse.reached_on.is_some();
    Ok(Expectation {
        expected_on: expected(purse.today, &blockers)
            .filter(|_| is_anything_coming)
            .map(|day| {
                purse
                    .reached_on
                    .filter(|_| !is_payable)
                    .map_or(day, |reached| reached.max(day))
            }),
        blockers,
    })
}
