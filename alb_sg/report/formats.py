"""The names of the formats that results can have."""

from __future__ import annotations

TEXT = "text"
JSON_LINES = "jsonl"
CSV, ASFF, SARIF = "csv", "asff", "sarif"
FORMATS = (TEXT, "json", JSON_LINES, CSV, "markdown", SARIF, "junit", ASFF, "ocsf")
