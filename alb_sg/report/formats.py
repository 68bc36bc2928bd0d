"""The names of the formats that results can have."""

from __future__ import annotations

TEXT = "text"
JSON = "json"
JSON_LINES = "jsonl"
CSV, ASFF, MARKDOWN, SARIF = "csv", "asff", "markdown", "sarif"
FORMATS = (TEXT, JSON, JSON_LINES, CSV, MARKDOWN, SARIF, "junit", ASFF, "ocsf")
