"""The names of the formats that results can have, and what a run may ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alb_sg.observations.applied_options import AppliedOption
from alb_sg.observations.earlier_results import NOTHING_EARLIER, EarlierResults

TEXT = "text"
JSON = "json"
JSON_LINES = "jsonl"
CSV, ASFF, OCSF, MARKDOWN, SARIF, JUNIT = "csv", "asff", "ocsf", "markdown", "sarif", "junit"
FORMATS = (TEXT, JSON, JSON_LINES, CSV, MARKDOWN, SARIF, JUNIT, ASFF, OCSF)
# These list failures alone by default. The others always have all.
FAILURE_FORMATS = (TEXT, SARIF, ASFF)
# These say what has changed since earlier runs.
COMPARING_FORMATS = (ASFF, OCSF)


@dataclass(frozen=True)
class FormatOptions:
    """What a format may need beside results. Each format takes what it uses.

    `as_of`: the time that the results describe. `every_verdict`: list COMPLIANT, NOT_APPLICABLE and exempt results in
    the formats that list failures alone. `for_spreadsheets`: write CSV as spreadsheets read it. `earlier`: what earlier
    runs reported. `summary`: the text has counts alone. `applied_options`: what the run went by.
    """

    as_of: datetime
    every_verdict: bool = False
    for_spreadsheets: bool = False
    summary: bool = False
    earlier: EarlierResults = NOTHING_EARLIER
    applied_options: Sequence[AppliedOption] = ()
