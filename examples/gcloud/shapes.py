#!/usr/bin/env python3
"""Pays for the G-Cloud sales in three shapes, each a program of its own with all deals and all invoices:

quarterly   each supplier alone, by marginal tiers over what it sold in a quarter;
split       ten per cent, shared 60/30/10 by the supplier and two others: the two that follow it in the list of suppliers, by
            their references, after the last one the first;
threshold   ten per cent to the supplier, paid by a run at each month's end, but nothing below 100.00: it waits for a later run.

The terms are in shapes.json. The data know months; each line is booked at 23:30 UTC on the last day of its month. In summer
that is the next day in London, where the programs are, so that what is reported for June belongs to the third quarter.
Invoices come first and then the credit notes, in the order of the data. No such commissions exist.

Needs Python 3.9 and nothing else. COPARTNER is the service (http://127.0.0.1:8080), COPARTNER_KEY an admin key of an
organization in which this was not run before, and the first argument the folder of the data (../shared/data/gcloud).
"""

import csv
import io
import json
import os
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from service import Service, read

HERE = os.path.dirname(os.path.abspath(__file__))
SECOND_PERSON = ["payout_runs:read", "payout_runs:approve", "payout_runs:process", "payouts:confirm"]


def last_day(month: str) -> date:
    """The last day of the month that begins on this day."""
    first = date.fromisoformat(month)
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def table(columns: "list[str]", rows: "list[list[str]]") -> str:
    """A CSV file."""
    file = io.StringIO()
    csv.writer(file).writerows([columns] + rows)
    return file.getvalue()


def as_they_are(columns: "list[str]") -> Any:
    """The mapping of columns that are called what the service calls them."""
    return {"fields": {column: {"column": column} for column in columns}}


class Shape:
    """One way to pay for the sales."""

    def __init__(self, service: Service, name: str, terms: Any, folder: str) -> None:
        self.service, self.name, self.shares = service, name, terms["shares"]
        self.key = terms["program"]["external_id"]
        self.program = service.do("POST", "/v1/programs", terms["program"])["id"]
        rule = {"formula": terms["formula"], "hold_days": 0, "effective_from": "2012-01-01T00:00:00Z"}
        body = {"program_id": self.program, "name": terms["program"]["name"], "terms": rule}
        rule = service.do("POST", "/v1/commission-rules", body)["id"]
        version = service.all(f"/v1/commission-rule-versions?commission_rule_id={rule}")[0]["id"]
        path = f"/v1/commission-rule-versions/{version}"
        service.do("POST", f"{path}/activate", seen=service.version(path))
        self.deals, self.sales = read(folder, "deals.csv"), read(folder, "invoices.csv")
        self.suppliers = [row["partner_ref"] for row in read(folder, "partners.csv")]

    def load(self, folder: str, partners: Any) -> None:
        """Partners, deals with their credits, and all the money."""
        partners["fields"]["program"] = {"constant": self.key}
        with open(os.path.join(folder, "partners.csv"), encoding="utf-8") as file:
            self.service.load("partners", partners, file.read())
        if len(self.shares) > 1:
            self.load_deals(is_won=False)
            self.share()
        self.load_deals(is_won=True)
        self.load_sales("invoice")
        self.load_sales("credit_note")

    def load_deals(self, is_won: bool) -> None:
        columns = ["external_id", "account", "program", "amount", "currency", "opened_on", "status", "won_at", "sourced_by"]
        rows = []
        for deal in self.deals:
            opened = deal["registered_on"]
            alone = deal["partner_ref"] if len(self.shares) == 1 else ""
            closed = ["won", opened] if is_won else ["open", ""]
            rows.append([f"{self.name}-{deal['deal_ref']}", deal["account_ref"], self.key, deal["amount_gbp"], "GBP", opened,
                         *closed, alone])
        self.service.load("deals", as_they_are(columns), table(columns, rows))

    def share(self) -> None:
        """Credits for the supplier and for those who follow it; confirmed before the deals are won, as they must be."""
        ids = {partner["external_id"]: partner["id"] for partner in self.service.all("/v1/partners?status=approved")}
        suppliers = sorted(self.suppliers)
        deals = {deal["external_id"]: deal["id"] for deal in self.service.all(f"/v1/deals?program_id={self.program}")}
        for deal in self.deals:
            first = suppliers.index(deal["partner_ref"])
            for step, share in enumerate(self.shares):
                partner = suppliers[(first + step) % len(suppliers)]
                self.service.do("POST", "/v1/attributions", {
                    "deal_id": deals[f"{self.name}-{deal['deal_ref']}"], "partner_id": ids[partner], "role": "sourced",
                    "share_basis_points": share, "confirm": True,
                })

    def load_sales(self, kind: str) -> None:
        columns = ["external_id", "kind", "deal", "amount", "currency", "issued_on", "paid_at"]
        rows = []
        for sale in self.sales:
            if (sale["kind"] == "credit_note") == (kind == "credit_note"):
                booked = last_day(sale["month"]).isoformat()
                rows.append([f"{self.name}-{sale['line_id']}", kind, f"{self.name}-{sale['deal_ref']}",
                             sale["amount_gbp"].lstrip("-"), "GBP", booked, f"{booked}T23:30:00Z"])
        self.service.load("invoices", as_they_are(columns), table(columns, rows))

    def pay(self) -> int:
        """A run at the end of each month, approved by a second key; how many payouts there were."""
        operations = self.another(["payout_runs:read", "payout_runs:write"])
        finance = self.another(SECOND_PERSON)
        payouts = 0
        for month in sorted({sale["month"] for sale in self.sales}):
            at = f"{last_day(month)}T23:59:59Z"
            key = f"{self.name}-{month}"
            proposal = {"program_id": self.program, "cut_off_at": at, "rail": "manual"}
            run = "/v1/payout-runs/" + operations.do("POST", "/v1/payout-runs", proposal, key=key)["id"]
            finance.do("POST", f"{run}/approve", key=f"{key}-approve", seen=finance.version(run))
            finance.do("POST", f"{run}/process", key=f"{key}-process")
            payouts += finance.do("POST", f"{run}/confirm", {"paid_at": at}, key=f"{key}-confirm")["payout_count"]
        return payouts

    def another(self, permissions: "list[str]") -> Service:
        """A connection with another key."""
        body = {"name": f"G-Cloud, {self.name}", "permissions": permissions}
        secret = self.service.do("POST", "/v1/api-keys", body)["secret"]
        return Service(os.environ.get("COPARTNER", "http://127.0.0.1:8080"), secret)

    def figures(self, payouts: int) -> "dict[str, str]":
        """What the service reports of it."""
        total = self.service.do("GET", f"/v1/reports/program-summary?program_id={self.program}")["totals"][0]
        rows = self.service.do("GET", f"/v1/reports/partner-performance?program_id={self.program}")["rows"]
        open_balances = [Decimal(row["open_balance"]["amount"]) for row in rows]
        waiting = [balance for balance in open_balances if balance > 0]
        owed = [balance for balance in open_balances if balance < 0]
        figures = {"net revenue": "net_revenue", "earned": "commission_earned", "taken back": "commission_clawed_back",
                   "net": "commission_net", "paid": "commission_paid"}
        return {
            **{name: total[figure]["amount"] for name, figure in figures.items()},
            "payouts": str(payouts),
            "partners with something open": str(len(waiting)),
            "still open": str(sum(waiting, Decimal("0.00"))),
            "partners who owe something": str(len(owed)),
            "owed": str(sum(owed, Decimal("0.00"))),
        }


def main() -> None:
    folder = sys.argv[1] if len(sys.argv) > 1 else "../shared/data/gcloud"
    service = Service(os.environ.get("COPARTNER", "http://127.0.0.1:8080"), os.environ["COPARTNER_KEY"])
    terms = json.load(open(os.path.join(HERE, "shapes.json"), encoding="utf-8"))
    partners = json.load(open(os.path.join(HERE, "partners.json"), encoding="utf-8"))
    accounts = json.load(open(os.path.join(HERE, "accounts.json"), encoding="utf-8"))
    with open(os.path.join(folder, "accounts.csv"), encoding="utf-8") as file:
        service.load("accounts", accounts, file.read())
    columns = {}
    for name in terms:
        shape = Shape(service, name, terms[name], folder)
        shape.load(folder, partners)
        columns[name] = shape.figures(shape.pay() if name == "threshold" else 0)
    print(f"{'':30}" + "".join(f"{name:>16}" for name in columns))
    for row in columns["quarterly"]:
        print(f"{row:30}" + "".join(f"{figures[row]:>16}" for figures in columns.values()))


if __name__ == "__main__":
    main()
