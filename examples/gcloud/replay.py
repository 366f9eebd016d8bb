#!/usr/bin/env python3
"""Replays the G-Cloud deals as registrations in a sandbox, once for each policy about whoever comes second.

Each deal is a claim of its supplier to (public body, lot) on the first day of the month in which it was first invoiced.
The vendor approves whatever it can at once; protection is 180 days. Before each month the sandbox's clock is advanced by as
many days as passed in 2012 to 2014, so that protections end as they would have. No partner program existed: the rules are
an illustration.

Needs Python 3.9 and nothing else. COPARTNER is the service (http://127.0.0.1:8080), COPARTNER_KEY an admin key of a sandbox
in which this was not run before, and the first argument the folder of the data (../shared/data/gcloud).
"""

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Optional

from service import Service, read

POLICIES = ["refuse", "queue", "co_sell_share"]
PROTECTION_DAYS = 180


@dataclass
class Policy:
    """A program with its own product families, so that the policies do not meet one another."""

    name: str
    program: str
    lots: "dict[str, str]"
    counts: Counter = field(default_factory=Counter)
    # Registrations that wait for a protection to end, by (account, lot), in the order in which they came.
    waiting: "dict[tuple[str, str], list[str]]" = field(default_factory=dict)


def set_up(service: Service, folder: str, lots: "list[str]") -> "tuple[list[Policy], dict[str, str], dict[str, str]]":
    """The policies, the partners and the accounts."""
    accounts = {}
    for row in read(folder, "accounts.csv"):
        body = {"external_id": row["account_ref"], "name": row["name"]}
        accounts[row["account_ref"]] = service.do("POST", "/v1/accounts", body)["id"]
    policies = []
    for name in POLICIES:
        program = service.do("POST", "/v1/programs", {"name": f"G-Cloud, {name}", "motion": "reseller"})["id"]
        rules = {"second_registrant": name, "protection_days": PROTECTION_DAYS}
        service.do("PATCH", f"/v1/programs/{program}/deal-rules", rules)
        families = {lot: service.do("POST", "/v1/product-families", {"name": f"Lot {lot}, {name}"})["id"] for lot in lots}
        policies.append(Policy(name, program, families))
    partners = {}
    for row in read(folder, "partners.csv"):
        body = {"external_id": row["partner_ref"], "name": row["name"]}
        partner = service.do("POST", "/v1/partners", body)["id"]
        service.do("POST", f"/v1/partners/{partner}/approve")
        partners[row["partner_ref"]] = partner
        for policy in policies:
            enrollment = service.do("POST", "/v1/enrollments", {"partner_id": partner, "program_id": policy.program})["id"]
            service.do("POST", f"/v1/enrollments/{enrollment}/activate")
    return policies, partners, accounts


def approve(service: Service, policy: Policy, registration: str, outcome: str) -> bool:
    """Approves a claim, unless another one is protected."""
    status, answer = service.ask("POST", f"/v1/deal-registrations/{registration}/approve")
    if status == 200:
        policy.counts[outcome] += 1
    elif answer.get("code") != "registration_conflict":
        sys.exit(f"approve {registration}: {status} {json.dumps(answer, indent=2)}")
    return status == 200


def share(service: Service, policy: Policy, registration: str) -> None:
    """Gives whoever came second a share of the credit: what the program promises."""
    for conflict in service.all(f"/v1/registration-conflicts?deal_registration_id={registration}&status=open"):
        body = {"decision": "co_sell_share", "reason": "The program shares the credit."}
        if conflict["kind"] == "registration":
            service.do("POST", f"/v1/registration-conflicts/{conflict['id']}/decide", body)
            policy.counts["shared"] += 1


def claim(service: Service, policy: Policy, deal: "dict[str, str]", partner: str, account: str) -> None:
    """One deal, registered by its supplier."""
    policy.counts["claims"] += 1
    body = {
        "external_id": deal["deal_ref"] + "-" + policy.name, "program_id": policy.program, "partner_id": partner,
        "account_id": account, "product_family_id": policy.lots[deal["lot"]],
        "amount": {"amount": deal["amount_gbp"].lstrip("-"), "currency": "GBP"},
    }
    status, answer = service.ask("POST", "/v1/deal-registrations", body)
    if status == 409 and answer["code"] == "registration_conflict":
        policy.counts["refused"] += 1
        return
    if status != 201:
        sys.exit(f"{deal['deal_ref']}: {status} {json.dumps(answer, indent=2)}")
    if approve(service, policy, answer["id"], "approved"):
        return
    if policy.name == "co_sell_share":
        share(service, policy, answer["id"])
    else:
        policy.waiting.setdefault((deal["account_ref"], deal["lot"]), []).append(answer["id"])


def let_in(service: Service, policy: Policy) -> None:
    """Approves the first in each queue that is free by now."""
    for key, queue in list(policy.waiting.items()):
        if approve(service, policy, queue[0], "approved_later"):
            del queue[0]
        if not queue:
            del policy.waiting[key]


def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else "../shared/data/gcloud"
    service = Service(os.environ.get("COPARTNER", "http://127.0.0.1:8080"), os.environ["COPARTNER_KEY"])
    clock = service.do("GET", "/v1/organization/clock")
    if clock["mode"] != "sandbox":
        sys.exit("This advances the clock by years: make a sandbox for it (copartner organization create --sandbox).")
    deals = sorted(read(folder, "deals.csv"), key=lambda deal: (deal["registered_on"], deal["deal_ref"]))
    policies, partners, accounts = set_up(service, folder, sorted({deal["lot"] for deal in deals}))
    # The replay begins tomorrow.
    first_day = date.fromisoformat(deals[0]["registered_on"])
    start = datetime.fromisoformat(clock["current_at"].replace("Z", "+00:00")).date() + timedelta(days=1)
    today: Optional[date] = None
    for deal in deals:
        day = start + (date.fromisoformat(deal["registered_on"]) - first_day)
        if day != today:
            today = day
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=timezone.utc)
            service.do("POST", "/v1/organization/clock/advance", {"until_at": noon.isoformat().replace("+00:00", "Z")})
            for policy in policies:
                let_in(service, policy)
        for policy in policies:
            claim(service, policy, deal, partners[deal["partner_ref"]], accounts[deal["account_ref"]])
    report(service, policies)


def report(service: Service, policies: "list[Policy]") -> None:
    """What came of it, as the service tells it now."""
    now = service.do("GET", "/v1/organization/clock")["current_at"]
    for policy in policies:
        held = service.all(f"/v1/deal-registrations?program_id={policy.program}")
        protections = [one["protected_until"] for one in held if one["status"] in ("approved", "expired")]
        # The worker may have yet to note the last ends.
        policy.counts["expired"] = sum(until <= now for until in protections)
        policy.counts["protected"] = len(protections) - policy.counts["expired"]
        policy.counts["waiting"] = sum(one["status"] == "submitted" for one in held)
    conflicts = Counter((conflict["policy"], conflict["kind"]) for conflict in service.all("/v1/registration-conflicts?"))
    rows = ["claims", "approved", "approved_later", "refused", "shared", "waiting", "expired", "protected"]
    print(f"{'':24}" + "".join(f"{policy.name:>15}" for policy in policies))
    for row in rows:
        print(f"{row.replace('_', ' '):24}" + "".join(f"{policy.counts[row]:15}" for policy in policies))
    for kind in sorted({kind for _, kind in conflicts}):
        print(f"{'conflicts, ' + kind:24}" + "".join(f"{conflicts[(policy.name, kind)]:15}" for policy in policies))


if __name__ == "__main__":
    main()
