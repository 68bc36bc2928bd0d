"""Exemptions in a plan: they are read once, so that every call of a sweep applies the same.

    {"source", "date": "YYYY-MM-DD", "document": {"version": 1, "exemptions": […]}, "errors": [[what, cause], …]}

`document` has the entries that can be used, as documents of exemptions have them; `errors` what could not be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from alb_sg.exemptions.document import VERSION, read_text
from alb_sg.exemptions.given import Given
from alb_sg.findings.finding import JudgementError


def given_object(given: Given) -> dict[str, Any]:
    entries = [
        {
            "loadBalancer": entry.load_balancer_arn,
            "rule": entry.rule,
            "reason": entry.reason,
            "owner": entry.owner,
            "ticket": entry.ticket,
            "expires": entry.expires.isoformat(),
        }
        for entry in given.exemptions.entries
    ]
    return {
        "source": given.exemptions.source,
        "date": given.today.isoformat(),
        "document": {"version": VERSION, "exemptions": entries},
        "errors": [[error.what, error.cause] for error in given.errors],
    }


def given_of(source: Mapping[str, Any]) -> Given:
    return Given(
        read_text(json.dumps(source["document"]), source["source"]),
        date.fromisoformat(source["date"]),
        [JudgementError("", "", None, None, what, cause) for what, cause in source["errors"]],
    )
