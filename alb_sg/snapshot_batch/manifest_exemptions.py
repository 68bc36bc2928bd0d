"""Exemptions in a plan: they are read once, so that every call of a sweep applies the same.

    {"source", "date": "YYYY-MM-DD", "document": {"version": 1, "exemptions": […]}, "errors": [[what, cause], …]}

`document` has the entries that can be used, as documents of exemptions have them; `errors` what could not be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from alb_sg.exemptions.document import VERSION, parse_exemptions
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME


def loaded_exemptions_object(given: LoadedExemptions) -> dict[str, Any]:
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
        "source": given.exemptions.document_name,
        "date": given.today.isoformat(),
        "document": {"version": VERSION, "exemptions": entries},
        "errors": [[error.what, error.cause] for error in given.errors],
    }


def parse_loaded_exemptions(source: Mapping[str, Any]) -> LoadedExemptions:
    return LoadedExemptions(
        parse_exemptions(json.dumps(source["document"]), source["source"], RECOMMENDATIONS_BY_NAME),
        date.fromisoformat(source["date"]),
        [EvaluationError("", "", None, None, what, cause) for what, cause in source["errors"]],
    )
