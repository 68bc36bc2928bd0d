"""Checked-in files that are generated from the catalogue of rules: rdk's files, documents, and the settings' schema.

`python -m alb_sg.deployment.generated_files CHECKOUT` writes them, and a test fails on stale ones. The schema is
hand-written except for its rules.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from alb_sg.deployment.settings_schema import SCHEMA_FILE, schema
from alb_sg.recommendations.catalogue import RECOMMENDATIONS
from alb_sg.recommendations.recommendation import Recommendation
from alb_sg.remediation.document_names import DOCUMENTS
from alb_sg.ssm_documents.documents import build_document, document_text

RUNTIME = "python3.13"
MAXIMUM_FREQUENCY = "TwentyFour_Hours"
RULE_SET = "alb-sg"


def generated_files() -> dict[str, str]:
    """The files' texts by their paths in the checkout."""
    files = {}
    for recommendation in RECOMMENDATIONS:
        folder = f"rules/{recommendation.name}"
        files[f"{folder}/{recommendation.name}.py"] = _handler(recommendation)
        files[f"{folder}/parameters.json"] = _parameters_json(recommendation)
    files |= {f"remediation/{name}.yaml": document_text(build_document(name)) for name in DOCUMENTS}
    files[f"alb_sg/deployment/{SCHEMA_FILE.name}"] = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    return files


def _handler(recommendation: Recommendation) -> str:
    name = recommendation.name
    return f'''"""AWS Config rule {name}; README.md beside this file describes it."""

from alb_sg.config_rule import AlbSgRule, evaluate
from alb_sg.recommendations.{recommendation.module_name} import RECOMMENDATION


class {name}(AlbSgRule):
    recommendation = RECOMMENDATION


def lambda_handler(event, context):
    return evaluate({name}(), event, context)
'''


def _parameters_json(recommendation: Recommendation) -> str:
    """Every optional parameter is empty, and so has its default: rdk 1.0.0 cannot export others."""
    content = {
        "Version": "1.0",
        "Parameters": {
            "RuleName": recommendation.name,
            "Description": recommendation.requirement_text,
            "SourceRuntime": RUNTIME,
            "EvaluationMode": "DETECTIVE",
            "CodeKey": f"{recommendation.name}.zip",
            "InputParameters": "{}",
            "OptionalParameters": json.dumps(dict.fromkeys(recommendation.parameter_names, "")),
            "SourceEvents": ",".join(recommendation.trigger_types),
            "SourcePeriodic": MAXIMUM_FREQUENCY,
            "RuleSets": [RULE_SET],
        },
        "Tags": "[]",
    }
    return json.dumps(content, indent=2) + "\n"


def main(checkout: Path) -> None:
    for path, text in generated_files().items():
        (checkout / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
