"""Checked-in files that are generated from the catalogue of rules.

`python -m alb_sg.deployment.generated_files CHECKOUT` writes them, and a test fails on stale ones. The schema is
hand-written except for its rules.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from alb_sg.config_rule.rdk_files import rdk_files
from alb_sg.deployment.config_errors import SCHEMA_FILE, schema
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.document_names import DOCUMENTS
from alb_sg.ssm_documents.documents import build_document, document_text

# Templates with an EventBridge pattern for compliance changes of the rules.
EVENT_PATTERN_TEMPLATES = ("dashboard.yaml", "member-events.yaml")
_RULE_NAMES = re.compile(r"(?:( *- wildcard: ')\*ALB_SG_\w+\*'\n)+")


def generated_files(checkout: Path) -> dict[str, str]:
    """The files' texts by their paths in the checkout."""
    files = {
        f"rules/{recommendation.name}/{name}": text
        for recommendation in RECOMMENDATIONS
        for name, text in rdk_files(recommendation).items()
    }
    files |= {f"remediation/{name}.yaml": document_text(build_document(name)) for name in DOCUMENTS}
    for name in EVENT_PATTERN_TEMPLATES:
        path = f"deploy/{name}"
        files[path] = _with_rule_names((checkout / path).read_text(encoding="utf-8"))
    files[f"alb_sg/deployment/{SCHEMA_FILE.name}"] = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    return files


def _with_rule_names(template: str) -> str:
    return _RULE_NAMES.sub(
        lambda match: "".join(f"{match[1]}*{name}*'\n" for name in RECOMMENDATIONS_BY_NAME), template
    )


def main(checkout: Path) -> None:
    for path, text in generated_files(checkout).items():
        (checkout / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
