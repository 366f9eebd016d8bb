"""What a RevOps script does: page through partners and rename one. Type-checked, never run."""

from copartner_client.api.partners import get_partner, list_partners, update_partner
from copartner_client.client import AuthenticatedClient
from copartner_client.models.partner import Partner
from copartner_client.models.partner_page import PartnerPage
from copartner_client.models.partner_update import PartnerUpdate
from copartner_client.models.problem import Problem
from copartner_client.types import UNSET, Unset

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
