//! What a referral link is, which clicks count, and which one is credited.

use crate::kernel::id::{ClickId, PartnerId, ProgramId, ReferralId, ReferralLinkId};
use crate::kernel::problem::Problem;
use crate::kernel::word::word_enum;
use chrono::{DateTime, Utc};
use serde::Serialize;

word_enum! {
    /// Where a referral link stands.
    ReferralLinkStatus, "referral link status" {
        /// Its clicks count.
        Active = "active",
        /// Its clicks do not count any more.
        Retired = "retired",
    }
}

/// The moves of a referral link: from where, by which verb, to where.
pub const MOVES: &[(ReferralLinkStatus, &str, ReferralLinkStatus)] =
    &[(ReferralLinkStatus::Active, "retire", ReferralLinkStatus::Retired)];

impl ReferralLinkStatus {
    /// The verbs that this state allows.
    pub fn moves(self) -> Vec<&'static str> {
        let own = MOVES.iter().filter(|(from, _, _)| *from == self);
        let mut verbs: Vec<_> = own.map(|(_, verb, _)| *verb).collect();
        verbs.dedup();
        verbs
    }
}

/// An address that a partner passes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferralLink {
    /// Its id.
    pub id: ReferralLinkId,
    /// Whose it is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// What tells it from all others.
    pub code: String,
    /// Where it leads.
    pub target_url: String,
    /// Where it stands.
    pub status: ReferralLinkStatus,
    /// Counts its changes.
    pub row_version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new link is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReferralLink {
    /// Whose it is; a partner's caller need not say.
    pub partner_id: Option<PartnerId>,
    /// In which program.
    pub program_id: ProgramId,
    /// What tells it from all others; none has one made.
    pub code: Option<String>,
    /// Where it leads.
    pub target_url: String,
}

impl ReferralLink {
    /// A new link.
    pub fn create(new: NewReferralLink, partner_id: PartnerId, now: DateTime<Utc>) -> Self {
        let id = ReferralLinkId::new(now);
        Self {
            id,
            partner_id,
            program_id: new.program_id,
            code: new.code.unwrap_or_else(|| drawn_code(id)),
            target_url: new.target_url,
            status: ReferralLinkStatus::Active,
            row_version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Its clicks do not count any more.
    pub fn retire(self, now: DateTime<Utc>) -> Result<Self, Problem> {
        match self.status {
            ReferralLinkStatus::Active => Ok(Self {
                status: ReferralLinkStatus::Retired,
                row_version: self.row_version + 1,
                updated_at: now,
                ..self
            }),
            status @ ReferralLinkStatus::Retired => {
                Err(Problem::wrong_state("retire", status.as_str(), &status.moves()))
            }
        }
    }
}

/// The random part of the id: sixty bits, so that no two links meet.
fn drawn_code(id: ReferralLinkId) -> String {
    let text = id.to_string();
    text.chars()
        .skip(text.chars().count().saturating_sub(12))
        .collect()
}

/// What the organization's site reports of somebody who came by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedClick {
    /// The link's code.
    pub code: String,
    /// The site's key for the visitor.
    pub visitor: String,
    /// When.
    pub clicked_at: DateTime<Utc>,
}

/// What became of the clicks that were reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Those that count.
    pub recorded: i64,
    /// Those of a visitor whose click counts already.
    pub repeated: i64,
    /// Those of machines.
    pub bots: i64,
    /// Those by a code that no active link has.
    pub unknown: i64,
}

/// One click that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// Its id.
    pub id: ClickId,
    /// By which link.
    pub referral_link_id: ReferralLinkId,
    /// Whose link that is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// The site's key for the visitor.
    pub visitor: String,
    /// When the visitor first came in this half hour.
    pub clicked_at: DateTime<Utc>,
    /// When the visitor last came in this half hour.
    pub last_clicked_at: DateTime<Utc>,
    /// The referral that it became.
    pub referral_id: Option<ReferralId>,
}

/// A visitor became a referral.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conversion {
    /// The referral.
    pub referral_id: ReferralId,
    /// The link by which the visitor came.
    pub referral_link_id: ReferralLinkId,
    /// The click that is credited.
    pub click_id: ClickId,
    /// Whose link that is.
    pub partner_id: PartnerId,
    /// In which program.
    pub program_id: ProgramId,
    /// When the visitor came.
    pub clicked_at: DateTime<Utc>,
    /// When it became a referral.
    pub converted_at: DateTime<Utc>,
}

/// What machines call themselves by, in lower case.
const MACHINES: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "preview",
    "headless",
    "lighthouse",
    "monitor",
    "externalhit",
    "curl/",
    "wget/",
    "python",
    "java/",
    "libwww",
    "http-client",
    "httpclient",
    "node-fetch",
    "axios/",
];
/// A maker of telephones whose name ends like that of a machine.
const NO_MACHINE: &str = "cubot";

/// Whether whatever calls itself so is a machine: it says so, or says nothing.
pub fn is_bot(user_agent: &str) -> bool {
    let name = user_agent.to_ascii_lowercase().replace(NO_MACHINE, "");
    name.trim().is_empty() || MACHINES.iter().any(|mark| name.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::problem::Code;

    fn now() -> DateTime<Utc> {
        "2026-03-02T09:30:00Z".parse().unwrap()
    }

    fn link(code: Option<&str>) -> ReferralLink {
        let new = NewReferralLink {
            partner_id: None,
            program_id: ProgramId::new(now()),
            code: code.map(str::to_owned),
            target_url: "https://example.com".to_owned(),
        };
        ReferralLink::create(new, PartnerId::new(now()), now())
    }

    #[test]
    fn machines_say_what_they_are() {
        for machine in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36",
            "facebookexternalhit/1.1",
            "curl/8.5.0",
            "Python-urllib/3.12",
            "  ",
            "",
        ] {
            assert!(is_bot(machine), "{machine}");
        }
        for person in [
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
        ] {
            assert!(!is_bot(person), "{person}");
        }
    }

    #[test]
    fn a_code_is_the_callers_or_drawn() {
        assert_eq!(link(Some("nordlicht")).code, "nordlicht");
        let (one, other) = (link(None).code, link(None).code);
        assert_eq!((one.len(), one == other), (12, false));
    }

    #[test]
    fn a_link_is_retired_once() {
        let retired = link(None).retire(now()).unwrap();
        assert_eq!(
            (retired.status, retired.row_version),
            (ReferralLinkStatus::Retired, 2)
        );
        assert_eq!(retired.retire(now()).unwrap_err().code, Code::WrongState);
    }
}
