"""Checked-in files that are generated from the catalogue of rules.

`python -m alb_sg.deployment.generated_files CHECKOUT` writes them, and a test fails on stale ones. The schema is
hand-written except for its rules.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from alb_sg.config_rule.rdk_files import rdk_files
from alb_sg.deployment.settings_schema import SCHEMA_FILE, schema
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.remediation.document_names import DOCUMENTS
from alb_sg.ssm_documents.documents import build_document, document_text


def generated_files() -> dict[str, str]:
    """The files' texts by their paths in the checkout."""
    files = {
        f"rules/{recommendation.name}/{name}": text
        for recommendation in RECOMMENDATIONS
        for name, text in rdk_files(recommendation).items()
    }
    files |= {f"remediation/{name}.yaml": document_text(build_document(name)) for name in DOCUMENTS}
    files[f"alb_sg/deployment/{SCHEMA_FILE.name}"] = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    return files


def main(checkout: Path) -> None:
    for path, text in generated_files().items():
        (checkout / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
