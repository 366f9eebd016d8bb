use chrono::{DateTime, Utc};
use proptest::prelude::*;
use utoipa::PartialSchema;
use uuid::Uuid;

use super::generate::uuid_from_parts;
use super::*;

fn instant(milliseconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(milliseconds).unwrap()
}

#[test]
fn the_text_is_the_one_of_the_type_id_specification() {
    let cases = [
        (
            "00000000-0000-0000-0000-000000000000",
            "00000000000000000000000000",
        ),
        (
            "00000000-0000-0000-0000-000000000001",
            "00000000000000000000000001",
        ),
        (
            "00000000-0000-0000-0000-00000000000a",
            "0000000000000000000000000a",
        ),
        (
            "00000000-0000-0000-0000-000000000010",
            "0000000000000000000000000g",
        ),
        (
            "00000000-0000-0000-0000-000000000020",
            "00000000000000000000000010",
        ),
        (
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "7zzzzzzzzzzzzzzzzzzzzzzzzz",
        ),
        (
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "01h455vb4pex5vsknk084sn02q",
        ),
    ];
    for (uuid, suffix) in cases {
        let id = PartnerId::from_uuid(uuid.parse().unwrap());
        assert_eq!(id.to_string(), format!("ptn_{suffix}"));
        assert_eq!(format!("ptn_{suffix}").parse(), Ok(id));
    }
}

#[test]
fn anything_but_the_exact_form_is_refused() {
    let wrong_prefix = Err(IdError::WrongPrefix { expected: "ptn" });
    assert_eq!(
        "deal_01h455vb4pex5vsknk084sn02q".parse::<PartnerId>(),
        wrong_prefix
    );
    assert_eq!("ptn01h455vb4pex5vsknk084sn02q".parse::<PartnerId>(), wrong_prefix);
    assert_eq!(
        "PTN_01h455vb4pex5vsknk084sn02q".parse::<PartnerId>(),
        wrong_prefix
    );
    assert_eq!("".parse::<PartnerId>(), wrong_prefix);
    assert_eq!("ptn_".parse::<PartnerId>(), Err(IdError::WrongLength));
    assert_eq!(
        "ptn_01h455vb4pex5vsknk084sn02".parse::<PartnerId>(),
        Err(IdError::WrongLength)
    );
    assert_eq!(
        "ptn_01h455vb4pex5vsknk084sn02qq".parse::<PartnerId>(),
        Err(IdError::WrongLength)
    );
    for suffix in [
        "81h455vb4pex5vsknk084sn02q",
        "01H455VB4PEX5VSKNK084SN02Q",
        "01h455vb4pex5vsknk084sn02u",
        "01h455vb4pex5vsknk084sn02i",
        "01h455vb4pex5vsknk084sn0 q",
    ] {
        assert_eq!(
            format!("ptn_{suffix}").parse::<PartnerId>(),
            Err(IdError::NotBase32),
            "{suffix}"
        );
    }
}

#[test]
fn an_id_travels_as_a_json_string() {
    let id = DealId::from_uuid(Uuid::from_u128(1));
    let wire = serde_json::to_string(&id).unwrap();
    assert_eq!(wire, "\"deal_00000000000000000000000001\"");
    assert_eq!(serde_json::from_str::<DealId>(&wire).unwrap(), id);
    assert!(serde_json::from_str::<PartnerId>(&wire).is_err());
    assert!(serde_json::from_str::<DealId>("1").is_err());
}

#[test]
fn an_id_is_a_uuid_of_version_seven_at_its_instant() {
    let now = instant(1_767_225_600_123);
    let uuid = EventId::new(now).uuid();
    assert_eq!(uuid.get_version_num(), 7);
    assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    let (seconds, nanoseconds) = uuid.get_timestamp().unwrap().to_unix();
    assert_eq!((seconds, nanoseconds), (1_767_225_600, 123_000_000));
}

#[test]
fn ids_made_in_a_row_sort_in_order_even_when_clocks_interleave() {
    let (wall, sandbox) = (instant(1_767_225_600_000), instant(1_798_761_600_000));
    let made: Vec<_> = (0..10_000)
        .map(|_| (EventId::new(wall), EventId::new(sandbox)))
        .collect();
    assert!(
        made.windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1)
    );
}

#[test]
fn instants_before_1970_do_not_wrap() {
    let uuid = uuid_from_parts(instant(-1), 0, 0);
    assert_eq!(uuid.get_timestamp().unwrap().to_unix(), (0, 0));
}

#[test]
fn prefixes_are_distinct() {
    let mut prefixes = vec![
        OrganizationId::PREFIX,
        ApiKeyId::PREFIX,
        ProgramId::PREFIX,
        ProductFamilyId::PREFIX,
        PipelineStageId::PREFIX,
        PartnerId::PREFIX,
        EnrollmentId::PREFIX,
        AccountId::PREFIX,
        DealId::PREFIX,
        AttributionId::PREFIX,
        InvoiceId::PREFIX,
        InvoiceLineId::PREFIX,
        PaymentId::PREFIX,
        RefundId::PREFIX,
        CreditNoteId::PREFIX,
        CommissionRuleId::PREFIX,
        CommissionRuleVersionId::PREFIX,
        CommissionId::PREFIX,
        ClawbackId::PREFIX,
        LedgerEntryId::PREFIX,
        PayoutRunId::PREFIX,
        PayoutId::PREFIX,
        PayoutItemId::PREFIX,
        PayoutCarryForwardId::PREFIX,
        EventId::PREFIX,
        AuditEventId::PREFIX,
        ImportId::PREFIX,
        RequestId::PREFIX,
    ];
    assert_eq!(prefixes.len(), 28);
    prefixes.sort_unstable();
    prefixes.dedup();
    assert_eq!(prefixes.len(), 28);
}

#[test]
fn the_schema_says_the_pattern_and_the_bound() {
    let schema = serde_json::to_value(PartnerId::schema()).unwrap();
    assert_eq!(schema["type"], "string");
    assert_eq!(schema["pattern"], "^ptn_[0-9a-z]{10,60}$");
    assert_eq!(schema["maxLength"], 64);
    let example = schema["examples"][0].as_str().unwrap();
    assert!(example.parse::<PartnerId>().is_ok(), "{example}");
}

proptest! {
    #[test]
    fn every_uuid_survives_the_round_trip(bits: u128) {
        let id = PartnerId::from_uuid(Uuid::from_u128(bits));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn the_text_sorts_like_the_bits(left: u128, right: u128) {
        let (left, right) = (Uuid::from_u128(left), Uuid::from_u128(right));
        let texts = (PartnerId::from_uuid(left).to_string(), PartnerId::from_uuid(right).to_string());
        prop_assert_eq!(left.cmp(&right), texts.0.cmp(&texts.1));
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,40}") {
        if let Ok(id) = text.parse::<PartnerId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn a_later_counter_sorts_later(counter in 0u64..(1 << 41), first: u64, second: u64) {
        let now = instant(1_767_225_600_000);
        prop_assert!(uuid_from_parts(now, counter, first) < uuid_from_parts(now, counter + 1, second));
    }
}
