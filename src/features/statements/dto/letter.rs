//! A statement as a letter: A4 pages for a person, with what it takes to check it.

use crate::features::ledger::EntryKind;
use crate::features::statements::domain::{StatementLine, StatementMonth, WrittenStatement};
use crate::kernel::id::OrganizationId;
use crate::kernel::money::Money;
use crate::kernel::problem::Problem;
use crate::kernel::time::{YearMonth, local_date};
use crate::platform::paper::{About, HEIGHT, Ink, Paper, Shade, WIDTH, Weight};
use chrono::{DateTime, Days, SecondsFormat, Utc};

const LEFT: i32 = 1_134;
const RIGHT: i32 = WIDTH - 1_134;
/// Where the text of a page ends; the foot is below.
const BOTTOM: i32 = HEIGHT - 1_500;
const FOOT: i32 = HEIGHT - 900;
/// The columns of the table: the day, what it is, and what it is about.
const WHAT: i32 = LEFT + 1_250;
const ABOUT: i32 = LEFT + 3_800;
/// How much of a line the column of amounts takes.
const AMOUNT: i32 = 1_900;
const ROW: i32 = 440;

const NAME: Ink = ink(Weight::Bold, 320, Shade::Black);
const HEADING: Ink = ink(Weight::Bold, 220, Shade::Black);
const STRONG: Ink = ink(Weight::Bold, 180, Shade::Black);
const TEXT: Ink = ink(Weight::Regular, 180, Shade::Black);
const QUIET: Ink = ink(Weight::Regular, 170, Shade::Gray);
const SMALL: Ink = ink(Weight::Regular, 130, Shade::Gray);

const fn ink(weight: Weight, size: i32, shade: Shade) -> Ink {
    Ink { weight, size, shade }
}

/// The letter as PDF, of an organization.
pub fn letter(written: &WrittenStatement, of: OrganizationId) -> Result<Vec<u8>, Problem> {
    let mut letter = Letter::begin(written)?;
    letter.head();
    letter.summary();
    letter.table()?;
    letter.proof(of);
    letter.feet();
    let (title, author) = (letter.title(), letter.organization.clone());
    letter.paper.finish(&About {
        title: &title,
        author: &author,
        fingerprint: &written.statement.hash,
    })
}

/// A letter that is being written.
struct Letter<'a> {
    written: &'a WrittenStatement,
    month: StatementMonth,
    /// As they are printed.
    organization: String,
    partner: String,
    paper: Paper,
    /// Where the next thing goes.
    y: i32,
    /// Whether something is spelled otherwise than it is.
    is_spelled: bool,
}

impl<'a> Letter<'a> {
    fn begin(written: &'a WrittenStatement) -> Result<Self, Problem> {
        let statement = &written.statement;
        let month: YearMonth = statement.month.parse().map_err(Problem::damaged)?;
        let zone = statement.time_zone.parse().map_err(Problem::damaged)?;
        let mut letter = Self {
            written,
            month: StatementMonth { month, zone },
            organization: String::new(),
            partner: String::new(),
            paper: Paper::new()?,
            y: 0,
            is_spelled: false,
        };
        if let Some(head) = &written.letterhead {
            letter.organization = letter.spelled(&head.organization_name);
            letter.partner = letter.spelled(&head.partner_name);
        }
        Ok(letter)
    }

    /// A text of others as it is printed: with an asterisk where that is not how it is spelled.
    fn spelled(&mut self, text: &str) -> String {
        let (spelled, otherwise) = self.paper.spelled(text);
        self.is_spelled |= otherwise;
        if otherwise { format!("{spelled}*") } else { spelled }
    }

    fn title(&self) -> String {
        let statement = &self.written.statement;
        format!(
            "Commission statement {} {} no. {}",
            statement.month,
            statement.closing.currency(),
            statement.number
        )
    }

    /// From whom to whom, about what.
    fn head(&mut self) {
        let statement = &self.written.statement;
        let paper = &mut self.paper;
        let name = paper.clipped(NAME, &self.organization, 6_000);
        paper.write(NAME, LEFT, 1_300, &name);
        paper.write_before(HEADING, RIGHT, 1_300, "Commission statement");
        paper.fill(Shade::Black, LEFT, 1_480, RIGHT - LEFT, 20);
        paper.write(SMALL, LEFT, 1_850, "PARTNER");
        let mut y = 2_150;
        for line in paper.wrapped(HEADING, &self.partner, 4_700).iter().take(3) {
            paper.write(HEADING, LEFT, y, line);
            y += 300;
        }
        paper.write(QUIET, LEFT, y, &statement.partner_id.to_string());
        let month = self.month.month;
        let last = month.next().first_day() - Days::new(1);
        let facts = [
            ("Statement no.", statement.number.to_string()),
            ("Period", format!("{} to {last}", month.first_day())),
            ("Time zone", statement.time_zone.clone()),
            ("Currency", statement.closing.currency().code().to_owned()),
            ("Issued", instant(statement.issued_at)),
            ("Id", statement.id.to_string()),
        ];
        for (row, (name, value)) in (0_i32..).zip(facts) {
            let y = 1_850 + row * 270;
            paper.write(QUIET, 6_100, y, name);
            paper.write(TEXT, 7_500, y, &value);
        }
        self.y = 3_700;
    }

    /// What the month came to.
    fn summary(&mut self) {
        let statement = &self.written.statement;
        let none = Money::zero(statement.closing.currency());
        let taken = |money: Money| money.checked_neg().unwrap_or(none);
        let parts = [
            ("Earned", statement.earned, true),
            (
                "Taken back after refunds and credits",
                taken(statement.reversed),
                true,
            ),
            ("Adjustments", statement.adjusted, true),
            ("Exchange", statement.exchanged, !statement.exchanged.is_zero()),
            ("Paid", taken(statement.paid), true),
        ];
        self.balance("Opening balance", statement.opening);
        for (name, amount, _) in parts.into_iter().filter(|(_, _, is_told)| *is_told) {
            self.paper.write(TEXT, LEFT, self.y, name);
            self.paper.write_before(TEXT, RIGHT, self.y, &figures(amount));
            self.y += 300;
        }
        self.y += 30;
        self.balance("Closing balance", statement.closing);
        self.y += 350;
    }

    /// A balance, on a ground that is seen.
    fn balance(&mut self, name: &str, amount: Money) {
        let margin = 60;
        self.paper.fill(
            Shade::Pale,
            LEFT - margin,
            self.y - 230,
            RIGHT - LEFT + 2 * margin,
            340,
        );
        self.paper.write(STRONG, LEFT, self.y, name);
        self.paper.write_before(STRONG, RIGHT, self.y, &figures(amount));
        self.y += 400;
    }

    /// Each line, with the balance carried from page to page.
    fn table(&mut self) -> Result<(), Problem> {
        let written = self.written;
        let mut carried = written.statement.opening;
        self.columns();
        for line in &written.lines {
            if self.y + 2 * ROW > BOTTOM {
                self.carry("Carried forward", carried);
                self.next_page();
                self.columns();
                self.carry("Brought forward", carried);
            }
            self.row(line);
            carried = carried.checked_add(line.amount).map_err(Problem::damaged)?;
        }
        self.y += 60;
        self.balance("Closing balance", carried);
        Ok(())
    }

    fn columns(&mut self) {
        for (x, name) in [(LEFT, "Date"), (WHAT, "Entry"), (ABOUT, "About")] {
            self.paper.write(STRONG, x, self.y, name);
        }
        self.paper.write_before(STRONG, RIGHT, self.y, "Amount");
        self.paper
            .fill(Shade::Black, LEFT, self.y + 110, RIGHT - LEFT, 15);
        self.y += 400;
    }

    fn carry(&mut self, name: &str, amount: Money) {
        self.paper.write(QUIET, WHAT, self.y, name);
        self.paper.write_before(QUIET, RIGHT, self.y, &figures(amount));
        self.y += ROW;
    }

    fn row(&mut self, line: &StatementLine) {
        let about = self.about(line);
        let paper = &mut self.paper;
        let day = local_date(line.occurred_at, self.month.zone);
        paper.write(TEXT, LEFT, self.y, &day.to_string());
        paper.write(TEXT, WHAT, self.y, entry(line.kind));
        let about = paper.clipped(TEXT, &about, RIGHT - AMOUNT - ABOUT);
        paper.write(TEXT, ABOUT, self.y, &about);
        paper.write_before(TEXT, RIGHT, self.y, &figures(line.amount));
        let below = self.y + 170;
        if line.is_late {
            paper.write(SMALL, LEFT, below, "told late");
        }
        let source = line.kind.source(line.source_id);
        let ids = [
            Some(super::source_text(source)),
            line.invoice_id.map(|id| id.to_string()),
        ];
        let ids: Vec<String> = ids.into_iter().flatten().collect();
        paper.write(SMALL, WHAT, below, &ids.join("   "));
        self.y += ROW;
    }

    /// What a line is about: in words where there are any, else the deal.
    fn about(&mut self, line: &StatementLine) -> String {
        match (&line.reference, line.deal_id) {
            (Some(reference), _) => self.spelled(reference),
            (None, Some(deal_id)) => deal_id.to_string(),
            (None, None) => String::new(),
        }
    }

    /// What it takes to check the statement.
    fn proof(&mut self, of: OrganizationId) {
        let statement = &self.written.statement;
        let path = format!("/v1/statements/{}/file?format=text", statement.id);
        let none = "none: this is the first statement in this currency";
        let previous = statement.previous_hash.as_deref().unwrap_or(none);
        let signature = statement.signature.as_deref();
        let mut said = vec![
            format!("Hash (SHA-256): {}", statement.hash),
            format!("Hash of the statement before: {previous}"),
            format!(
                "Signature (detached JWS, RFC 7515): {}",
                signature.unwrap_or("none")
            ),
            format!(
                "To check this letter, get the text of the statement from {path}, byte for byte. SHA-256 over the hash of \
                 the statement before, if there is one, followed by the text gives the hash. The text in base64url between \
                 the two dots of the signature makes a JSON Web Signature by one of the keys of \
                 /v1/issuers/{of}/jwks.json. What is signed is the text, of which this letter is a rendering."
            ),
        ];
        if self.written.lines.iter().any(|line| line.is_late) {
            said.push(
                "Told late: it happened before this month and was recorded in it, or while the month before was being \
                 issued."
                    .to_owned(),
            );
        }
        if self.is_spelled {
            said.push(
                "* Spelled in Latin letters here; the text has the letters that it is written in.".to_owned(),
            );
        }
        let width = RIGHT - LEFT;
        let lines: Vec<String> = said
            .iter()
            .flat_map(|one| self.paper.wrapped(SMALL, one, width))
            .collect();
        let height = i32::try_from(lines.len()).unwrap_or_default() * 180 + 400;
        self.y += 150;
        if self.y + height > BOTTOM {
            self.next_page();
        }
        self.paper.fill(Shade::Gray, LEFT, self.y - 100, width, 10);
        self.y += 200;
        for line in lines {
            self.paper.write(SMALL, LEFT, self.y, &line);
            self.y += 180;
        }
    }

    /// A further page, which says of what it is one.
    fn next_page(&mut self) {
        self.paper.add_page();
        let of = format!("{}  {}", self.organization, self.partner);
        let title = self.title();
        let of = self.paper.clipped(QUIET, of.trim(), 5_500);
        self.paper.write(QUIET, LEFT, 1_100, &of);
        self.paper.write_before(QUIET, RIGHT, 1_100, &title);
        self.paper.fill(Shade::Black, LEFT, 1_230, RIGHT - LEFT, 15);
        self.y = 1_650;
    }

    /// The foot of every page, once it is known how many there are.
    fn feet(&mut self) {
        let pages = self.paper.len();
        let id = self.written.statement.id.to_string();
        for page in 0..pages {
            self.paper.go_to(page);
            self.paper.fill(Shade::Gray, LEFT, FOOT - 220, RIGHT - LEFT, 10);
            self.paper.write(SMALL, LEFT, FOOT, &id);
            let number = format!("Page {} of {pages}", page + 1);
            self.paper.write_before(SMALL, RIGHT, FOOT, &number);
        }
    }
}

/// What a line stands for, for a person.
const fn entry(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Accrual => "Commission earned",
        EntryKind::Clawback => "Taken back (refund)",
        EntryKind::Reinstatement => "Given back (money came in again)",
        EntryKind::CreditNote => "Taken back (credit)",
        EntryKind::AdjustmentUp | EntryKind::AdjustmentDown => "Adjustment",
        EntryKind::WriteOff => "Debt written off",
        EntryKind::PayoutPaid => "Payout",
        EntryKind::PayoutReturned => "Payout returned",
        EntryKind::ExchangeOut | EntryKind::ClawbackExchangeOut => "Exchanged away",
        EntryKind::ExchangeIn | EntryKind::ClawbackExchangeIn => "Exchanged into this",
        EntryKind::HoldRelease
        | EntryKind::Approval
        | EntryKind::Reserve
        | EntryKind::ReserveCancelled
        | EntryKind::PayoutFailed
        | EntryKind::Freeze
        | EntryKind::Thaw => "Moved",
    }
}

/// An amount with a comma at every thousand.
fn figures(amount: Money) -> String {
    let text = amount.amount_text();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, decimals) = digits
        .split_once('.')
        .map_or((digits, None), |(w, d)| (w, Some(d)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match decimals {
        Some(decimals) => format!("{sign}{grouped}.{decimals}"),
        None => format!("{sign}{grouped}"),
    }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::statements::domain::{Letterhead, Statement};
    use crate::kernel::id::{DealId, InvoiceId, PartnerId, StatementId};
    use crate::kernel::money::Currency;
    use uuid::Uuid;

    fn money(text: &str) -> Money {
        Money::parse(text, Currency::USD).unwrap()
    }

    fn line(cents: i128, reference: Option<&str>) -> StatementLine {
        let at = DateTime::from_timestamp(1_772_000_000, 0).unwrap();
        StatementLine {
            ledger_entry_id: Uuid::from_u128(1),
            kind: EntryKind::Accrual,
            source_id: Uuid::from_u128(2),
            program_id: Uuid::from_u128(3),
            amount: Money::from_minor_units(cents, Currency::USD).unwrap(),
            occurred_at: at,
            recorded_at: at,
            is_late: false,
            deal_id: Some(DealId::from_uuid(Uuid::from_u128(4))),
            invoice_id: Some(InvoiceId::from_uuid(Uuid::from_u128(5))),
            reference: reference.map(str::to_owned),
        }
    }

    fn written(lines: Vec<StatementLine>, names: Option<(&str, &str)>) -> WrittenStatement {
        let earned: i128 = lines.iter().map(|line| line.amount.minor_units()).sum();
        let earned = Money::from_minor_units(earned, Currency::USD).unwrap();
        let opening = money("1234.50");
        WrittenStatement {
            statement: Statement {
                id: StatementId::from_uuid(Uuid::from_u128(6)),
                partner_id: PartnerId::from_uuid(Uuid::from_u128(7)),
                number: 3,
                month: "2026-02".to_owned(),
                time_zone: "Europe/Warsaw".to_owned(),
                opening,
                earned,
                reversed: money("0.00"),
                adjusted: money("0.00"),
                exchanged: money("0.00"),
                paid: money("0.00"),
                closing: opening.checked_add(earned).unwrap(),
                previous_hash: Some("9f".repeat(32)),
                hash: "60".repeat(32),
                signature: Some("eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0..c2lnbmF0dXJl".to_owned()),
                issued_at: DateTime::from_timestamp(1_772_600_000, 0).unwrap(),
            },
            letterhead: names.map(|(organization_name, partner_name)| Letterhead {
                organization_name: organization_name.to_owned(),
                partner_name: partner_name.to_owned(),
            }),
            lines,
        }
    }

    fn house() -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(8))
    }

    fn pages(written: &WrittenStatement) -> usize {
        let mut letter = Letter::begin(written).unwrap();
        letter.head();
        letter.summary();
        letter.table().unwrap();
        letter.proof(house());
        letter.paper.len()
    }

    #[test]
    fn figures_have_commas_at_thousands() {
        for (text, told) in [
            ("0.00", "0.00"),
            ("-5.00", "-5.00"),
            ("999.99", "999.99"),
            ("1000.00", "1,000.00"),
            ("-1234567.89", "-1,234,567.89"),
        ] {
            assert_eq!(figures(money(text)), told);
        }
        let yen = Money::parse("1234567", Currency::from_code("JPY").unwrap()).unwrap();
        assert_eq!(figures(yen), "1,234,567");
    }

    #[test]
    fn a_long_statement_takes_several_pages_and_a_short_one_takes_one() {
        let of = |count: usize| written(vec![line(10_00, Some("Harbor")); count], Some(("A", "B")));
        assert_eq!(pages(&of(1)), 1);
        assert_eq!(pages(&of(10)), 1);
        let many = pages(&of(300));
        assert!((9..=14).contains(&many), "{many}");
    }

    #[test]
    fn the_same_statement_is_the_same_letter() {
        let of = || written(vec![line(10_00, Some("北京")); 40], Some(("Łódź", "Ακρόπολη")));
        let pdf = |written: &WrittenStatement| letter(written, house()).unwrap();
        assert_eq!(pdf(&of()), pdf(&of()));
        let mut other = of();
        other.lines[39].amount = money("10.01");
        assert_ne!(pdf(&of()), pdf(&other));
        let nameless = written(vec![line(1, None)], None);
        assert!(pdf(&nameless).starts_with(b"%PDF"));
    }

    #[test]
    fn what_is_spelled_otherwise_is_marked() {
        let arabic = written(Vec::new(), Some(("شركة النور", "B")));
        let letter = Letter::begin(&arabic).unwrap();
        assert!(
            letter.is_spelled && letter.organization.ends_with('*'),
            "{}",
            letter.organization
        );
        assert_eq!(letter.partner, "B");
    }
}
