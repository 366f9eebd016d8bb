"""What a RevOps script does: partners, a deal, an import, a report. Type-checked, never run."""

import datetime
import io

from copartner_client.api.deals import create_deal
from copartner_client.api.imports import create_import
from copartner_client.api.partners import create_partner, get_partner, list_partners, update_partner
from copartner_client.api.reports import get_program_summary
from copartner_client.client import AuthenticatedClient
from copartner_client.models.deal import Deal
from copartner_client.models.deal_create import DealCreate
from copartner_client.models.get_program_summary_group_by import GetProgramSummaryGroupBy
from copartner_client.models.import_ import Import
from copartner_client.models.import_create import ImportCreate
from copartner_client.models.import_create_resource import ImportCreateResource
from copartner_client.models.import_field import ImportField
from copartner_client.models.import_mapping import ImportMapping
from copartner_client.models.import_mapping_fields import ImportMappingFields
from copartner_client.models.money import Money
from copartner_client.models.partner import Partner
from copartner_client.models.partner_create import PartnerCreate
from copartner_client.models.partner_page import PartnerPage
from copartner_client.models.partner_update import PartnerUpdate
from copartner_client.models.problem import Problem
from copartner_client.models.report import Report
from copartner_client.types import UNSET, File, Unset

client = AuthenticatedClient(base_url="http://127.0.0.1:8080", token="a key")


def names() -> list[str]:
    found: list[str] = []
    cursor: str | Unset = UNSET
    while True:
        page = list_partners.sync(client=client, limit=100, cursor=cursor)
        if not isinstance(page, PartnerPage):
            raise RuntimeError(page.detail if isinstance(page, Problem) else "no answer")
        found.extend(partner.name for partner in page.data)
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor


def rename(partner_id: str, name: str) -> Partner:
    answer = get_partner.sync_detailed(partner_id=partner_id, client=client)
    changed = update_partner.sync(
        partner_id=partner_id,
        client=client,
        body=PartnerUpdate(name=name),
        if_match=answer.headers["ETag"],
    )
    if not isinstance(changed, Partner):
        raise RuntimeError(changed.code if isinstance(changed, Problem) else "no answer")
    return changed


def register(account_id: str) -> Deal:
    partner = create_partner.sync(client=client, body=PartnerCreate(name="Nordlicht Consulting"))
    if not isinstance(partner, Partner):
        raise RuntimeError("no partner")
    amount = Money(amount="48000.00", currency="EUR")
    body = DealCreate(name="Fleet", account_id=account_id, partner_id=partner.id, amount=amount)
    deal = create_deal.sync(client=client, body=body, idempotency_key="fleet-1")
    if not isinstance(deal, Deal):
        raise RuntimeError("no deal")
    return deal


def load(csv: bytes) -> Import:
    fields = ImportMappingFields()
    fields["external_id"] = ImportField(column="id")
    fields["name"] = ImportField(column="name")
    file = File(payload=io.BytesIO(csv), file_name="accounts.csv", mime_type="text/csv")
    body = ImportCreate(ImportCreateResource.ACCOUNTS, ImportMapping(fields), file, dry_run=True)
    taken = create_import.sync(client=client, body=body)
    if not isinstance(taken, Import):
        raise RuntimeError("no import")
    return taken


def owed() -> dict[str, str]:
    since, by = datetime.date(2026, 1, 1), GetProgramSummaryGroupBy.PROGRAM
    report = get_program_summary.sync(client=client, from_on=since, group_by=by)
    if not isinstance(report, Report):
        raise RuntimeError("no report")
    return {row.group_label: row.open_balance.amount for row in report.rows}
