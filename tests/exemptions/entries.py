"""Documents of exemptions in a line."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from alb_sg.exemptions.document import parse_exemptions
from alb_sg.exemptions.exemption import Exemption, Exemptions
from tests.builders import ICMP, load_balancer_arn
from tests.rules import RULE_NAMES

TODAY = date(2026, 6, 15)
# On both sides of every day on which these tests may run.
LONG_AGO, FAR_AHEAD = "2020-01-31", "2999-12-31"

Entry = dict[str, Any]


def entry(**changes: Any) -> Entry:
    """One exemption, of `web` from the ICMP rule until the end of January 2027; None leaves a key out."""
    whole: Entry = {
        "loadBalancer": load_balancer_arn(),
        "rule": ICMP,
        "reason": "moves to another VPC",
        "owner": "team-edge",
        "ticket": "SEC-12",
        "expires": "2027-01-31",
    } | changes
    return {key: value for key, value in whole.items() if value is not None}


def document(*entries: Any) -> dict[str, Any]:
    return {"version": 1, "exemptions": list(entries)}


def read(*entries: Any) -> Exemptions:
    return parse_exemptions(json.dumps(document(*entries)), "exemptions.json", RULE_NAMES)


def exemption(**changes: Any) -> Exemption:
    (found,) = read(entry(**changes)).entries
    return found
