"""The names of the formats that results can have."""

from __future__ import annotations

TEXT = "text"
JSON = "json"
JSON_LINES = "jsonl"
CSV, ASFF = "csv", "asff"
FORMATS = (TEXT, JSON, JSON_LINES, CSV, "markdown", "sarif", "junit", ASFF, "ocsf")
