"""Fills the service with one story, and puts its ids where the document has example ids.

What the fuzzer sends starts from the examples. With ids that exist, and with records in the state that a move starts
from, its requests reach the rules behind the lookups instead of ending at 404.

    seed.py <address> <document> <seeded document>      the key is in COPARTNER_KEY, a second person's in COPARTNER_SECOND_KEY
"""

import json
import os
import pathlib
import re
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

PLACEHOLDER = re.compile(r"\b([a-z]{2,8})_01j9zq4y8k7m5n3p2r1s0t6v4w\b")
RATE = {"type": "percentage", "rate": "0.1000"}
REASON = {"reason": "Seeded."}


class Service:
    """Calls, with one key or another."""

    def __init__(self, address: str, key: str) -> None:
        self.address, self.key = address, key

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        sent = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": str(uuid.uuid4()), **(headers or {})}
        data = None
        if isinstance(body, bytes):
            data = body
        elif body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.address + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        return self.call("POST", path, body, {"If-Match": "*"})


class Story:
    """Makes records in any state, each with all that it needs."""

    def __init__(self, service: Service, second: Service) -> None:
        self.service, self.count = service, 0
        everything = service.get("/v1/api-keys?limit=1")["data"][0]["permissions"]
        self.permissions: list[str] = everything
        self.second = second
        self.partner = self.approved_partner()
        self.account = self.make("accounts", name="Account")
        self.family = self.make("product-families", name="Family")
        self.stage = self.make("pipeline-stages", name="Stage", position=900)
        self.program, self.rule, self.version = self.priced_program("automatic")
        self.manual_program, _, _ = self.priced_program("manual")
        self.enrollment = self.enrolled(self.partner, self.program)
        self.enrolled(self.partner, self.manual_program)

    def make(self, collection: str, **fields: object) -> Any:
        return self.service.post(f"/v1/{collection}", fields)

    def move(self, collection: str, record: Any, verb: str, body: object = None) -> Any:
        return self.service.post(f"/v1/{collection}/{record['id']}/{verb}", body)

    def key(self) -> Any:
        return self.service.post("/v1/api-keys", {"name": "Second", "permissions": self.permissions})

    def approved_partner(self) -> Any:
        return self.move("partners", self.make("partners", name="Partner"), "approve")

    def suspended_partner(self) -> Any:
        return self.move("partners", self.approved_partner(), "suspend", REASON)

    def version_of(self, rule: Any) -> Any:
        return self.service.get(f"/v1/commission-rule-versions?commission_rule_id={rule['id']}")["data"][0]

    def drafted_version(self, program: Any) -> Any:
        terms = {"formula": RATE, "hold_days": 0, "effective_from": "2026-01-01T00:00:00Z"}
        return self.version_of(self.make("commission-rules", program_id=program["id"], name="Rule", terms=terms))

    def priced_program(self, approval: str) -> tuple[Any, Any, Any]:
        program = self.make("programs", name="Program", motion="referral", commission_approval=approval)
        version = self.move("commission-rule-versions", self.drafted_version(program), "activate")
        rule = self.service.get(f"/v1/commission-rules/{version['commission_rule_id']}")
        return program, rule, version

    def unpriced_version(self) -> Any:
        return self.drafted_version(self.make("programs", name="Program", motion="referral"))

    def enrollment_of(self, partner: Any, program: Any) -> Any:
        return self.make("enrollments", partner_id=partner["id"], program_id=program["id"])

    def enrolled(self, partner: Any, program: Any) -> Any:
        return self.move("enrollments", self.enrollment_of(partner, program), "activate")

    def new_enrollment(self) -> Any:
        return self.enrollment_of(self.approved_partner(), self.program)

    def active_enrollment(self) -> Any:
        return self.enrolled(self.approved_partner(), self.program)

    def paused_enrollment(self) -> Any:
        return self.move("enrollments", self.active_enrollment(), "pause", REASON)

    def deal(self, program: Any = None) -> Any:
        amount = {"amount": "900000.00", "currency": "USD"}
        program = program or self.program
        fields = {"account_id": self.account["id"], "program_id": program["id"], "amount": amount}
        return self.make("deals", name="Deal", opened_on="2026-01-02", **fields)

    def lost_deal(self) -> Any:
        return self.move("deals", self.deal(), "lose", REASON)

    def claim(self, deal: Any = None, confirm: bool = False) -> Any:
        fields = {"deal_id": (deal or self.deal())["id"], "partner_id": self.partner["id"], "confirm": confirm}
        return self.make("attributions", role="sourced", share_basis_points=10000, **fields)

    def won_deal(self, program: Any = None) -> Any:
        deal = self.deal(program)
        self.claim(deal, confirm=True)
        return self.move("deals", deal, "win", {"won_at": "2026-01-05T10:00:00Z"})

    def invoice(self, deal: Any = None) -> Any:
        deal = deal or self.won_deal()
        lines = [{"net": "100000.00"}]
        return self.make("invoices", deal_id=deal["id"], currency="USD", issued_on="2026-01-06", lines=lines)

    def payment(self, program: Any = None) -> Any:
        amount = {"amount": "5000.00", "currency": "USD"}
        invoice = self.invoice(self.won_deal(program))
        return self.move("invoices", invoice, "payments", {"amount": amount, "paid_at": "2026-01-07T10:00:00Z"})

    def refund(self) -> Any:
        amount = {"amount": "100.00", "currency": "USD"}
        body = {"kind": "refund", "amount": amount, "refunded_at": "2026-01-08T10:00:00Z"}
        return self.move("payments", self.payment(), "refunds", body)

    def credit_note(self) -> Any:
        amount = {"amount": "100.00", "currency": "USD"}
        deal = self.won_deal()
        return self.make("credit-notes", deal_id=deal["id"], amount=amount, issued_at="2026-01-08T10:00:00Z")

    def commission(self, program: Any = None) -> Any:
        payment = self.payment(program)
        deal = self.service.get(f"/v1/invoices/{payment['invoice_id']}")["deal_id"]
        return self.service.get(f"/v1/commissions?deal_id={deal}")["data"][0]

    def released_commission(self) -> Any:
        return self.commission(self.manual_program)

    def drafted_run(self) -> Any:
        # A program of its own keeps one run from taking what another proposes.
        program, _, _ = self.priced_program("automatic")
        self.enrolled(self.partner, program)
        self.commission(program)
        body = {"program_id": program["id"], "cut_off_at": "2026-02-01T00:00:00Z", "rail": "manual"}
        return self.second.post("/v1/payout-runs", body)

    def approved_run(self) -> Any:
        return self.move("payout-runs", self.drafted_run(), "approve")

    def processed_run(self) -> Any:
        return self.move("payout-runs", self.approved_run(), "process")

    def payout(self) -> Any:
        run = self.processed_run()
        return self.service.get(f"/v1/payouts?payout_run_id={run['id']}")["data"][0]

    def paid_payout(self) -> Any:
        return self.move("payouts", self.payout(), "confirm", {"paid_at": "2026-02-02T10:00:00Z"})

    def imported(self) -> Any:
        boundary = uuid.uuid4().hex
        mapping = json.dumps({"fields": {"external_id": {"column": "id"}, "name": {"column": "name"}}})
        parts = {'name="resource"': "accounts", 'name="mapping"': mapping}
        parts['name="file"; filename="accounts.csv"\r\nContent-Type: text/csv'] = "id,name\nA-1,One\nA-2,\n"
        lines = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}" for head, text in parts.items()]
        body = "\r\n".join([*lines, f"--{boundary}--", ""]).encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.service.call("POST", "/v1/imports", body, kind)

    def user(self) -> Any:
        return self.make("users", name="Ada", email=f"{uuid.uuid4().hex}@foil.example")

    def suspended_user(self) -> Any:
        return self.move("users", self.user(), "suspend", REASON)

    def provider(self) -> Any:
        key = {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        issuer = f"https://{uuid.uuid4().hex}.example"
        return self.make("identity-providers", name="Staff", issuer=issuer, audiences=["copartner"], jwks={"keys": [key]})

    def suspended_provider(self) -> Any:
        return self.move("identity-providers", self.provider(), "suspend", REASON)

    def session(self) -> Any:
        return self.make("sessions", expires_in_seconds=3600)["session"]

    def method(self) -> Any:
        fields = {"partner_id": self.approved_partner()["id"], "currency": "EUR"}
        return self.second.post("/v1/payout-methods", {**fields, "kind": "manual", "instruction": "By cheque."})

    def adjustment(self) -> Any:
        amount = {"amount": "10.00", "currency": "USD"}
        fields = {"partner_id": self.partner["id"], "program_id": self.program["id"], "amount": amount}
        return self.second.post("/v1/adjustments", {**fields, "reason_code": "other", "reason": "Seeded."})

    def first(self, collection: str) -> Any:
        return self.service.get(f"/v1/{collection}?limit=1")["data"][0]


def examples(story: Story) -> dict[str, str]:
    """Which record stands for the example id of each kind."""
    story.refund()
    payment = story.payment()
    made = [
        story.partner, story.account, story.family, story.stage, story.program, story.rule, story.version,
        story.enrollment, payment, story.refund(), story.credit_note(), story.commission(), story.claim(),
        story.service.get(f"/v1/invoices/{payment['invoice_id']}"), story.deal(), story.imported(), story.key(),
        story.first("ledger-entries"), story.first("clawbacks"), story.paid_payout(), story.drafted_run(),
        story.user(), story.provider(), story.session(), story.method(), story.adjustment(),
    ]  # fmt: skip
    return {record["id"].rsplit("_", 1)[0]: record["id"] for record in made}


def starts(story: Story) -> dict[str, Callable[[], Any]]:
    """Records in the state that a move starts from, by the move's `operationId`."""
    return {
        "revokeApiKey": story.key,
        "suspendUser": story.user,
        "reinstateUser": story.suspended_user,
        "terminateUser": story.user,
        "suspendIdentityProvider": story.provider,
        "reinstateIdentityProvider": story.suspended_provider,
        "revokeSession": story.session,
        "confirmPayoutMethod": story.method,
        "refusePayoutMethod": story.method,
        "withdrawPayoutMethod": story.method,
        "approveAdjustment": story.adjustment,
        "refuseAdjustment": story.adjustment,
        "withdrawAdjustment": story.adjustment,
        "approvePartner": lambda: story.make("partners", name="Applicant"),
        "declinePartner": lambda: story.make("partners", name="Applicant"),
        "suspendPartner": story.approved_partner,
        "reinstatePartner": story.suspended_partner,
        "terminatePartner": story.approved_partner,
        "activateEnrollment": story.new_enrollment,
        "pauseEnrollment": story.active_enrollment,
        "resumeEnrollment": story.paused_enrollment,
        "endEnrollment": story.active_enrollment,
        "winDeal": story.deal,
        "loseDeal": story.deal,
        "reopenDeal": story.lost_deal,
        "confirmAttribution": story.claim,
        "rejectAttribution": story.claim,
        "updateAttribution": story.claim,
        "updateInvoice": story.invoice,
        "voidInvoice": story.invoice,
        "createPayment": story.invoice,
        "createRefund": story.payment,
        "updateCommissionRuleVersion": story.unpriced_version,
        "activateCommissionRuleVersion": story.unpriced_version,
        "retireCommissionRuleVersion": lambda: story.priced_program("automatic")[2],
        "approveCommission": story.released_commission,
        "cancelPayoutRun": story.drafted_run,
        "approvePayoutRun": story.drafted_run,
        "processPayoutRun": story.approved_run,
        "confirmPayoutRun": story.processed_run,
        "confirmPayout": story.payout,
        "failPayout": story.payout,
        "returnPayout": story.paid_payout,
    }


def seeded(document: Any, ids: dict[str, str], makers: dict[str, Callable[[], Any]]) -> Any:
    text = PLACEHOLDER.sub(lambda found: ids.get(found[1], found[0]), json.dumps(document))
    document = json.loads(text)
    shared = document["components"]["parameters"]
    for name in ("IfMatch", "RequiredIfMatch"):
        shared[name]["example"] = "*"
    for item in document["paths"].values():
        for operation in item.values():
            if operation.get("operationId") in makers:
                start_from(shared, operation, makers[operation["operationId"]]()["id"])
    return document


def start_from(shared: Any, operation: Any, identifier: str) -> None:
    for place, parameter in enumerate(operation["parameters"]):
        own = shared[parameter["$ref"].rsplit("/", 1)[1]] if "$ref" in parameter else parameter
        if own["in"] == "path":
            schema = {**own["schema"], "examples": [identifier]}
            operation["parameters"][place] = {**own, "schema": schema, "example": identifier}


def main() -> None:
    address, source, target = sys.argv[1:]
    started = time.monotonic()
    document = json.loads(pathlib.Path(source).read_text())
    keys = [os.environ[name].strip() for name in ("COPARTNER_KEY", "COPARTNER_SECOND_KEY")]
    story = Story(*(Service(address, key) for key in keys))
    ids = examples(story)
    pathlib.Path(target).write_text(json.dumps(seeded(document, ids, starts(story))))
    print(f"Seeded {len(ids)} kinds of records in {time.monotonic() - started:.1f} s.")


if __name__ == "__main__":
    main()
