"""What rdk keeps of a rule in its `parameters.json`, made from the recommendation's own facts.

`python -m alb_sg.config_rule.rdk_parameters RULES-FOLDER` writes the files; the tests refuse stale ones.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from alb_sg.config_rule.affected import TRIGGER_TYPES
from alb_sg.parameters import PARAMETERS
from alb_sg.recommendations.catalogue import RECOMMENDATIONS, Recommendation

RUNTIME = "python3.13"
MAXIMUM_FREQUENCY = "TwentyFour_Hours"


def parameters_json(recommendation: Recommendation) -> str:
    """The text of a rule's `parameters.json`.

    Every optional parameter is empty there, which is its default: rdk 1.0.0 cannot export others.
    """
    optional = {fact.name: "" for fact in PARAMETERS if recommendation.name in fact.rules}
    content = {
        "Version": "1.0",
        "Parameters": {
            "RuleName": recommendation.name,
            "Description": recommendation.requirement_text,
            "SourceRuntime": RUNTIME,
            "EvaluationMode": "DETECTIVE",
            "CodeKey": f"{recommendation.name}.zip",
            "InputParameters": "{}",
            "OptionalParameters": json.dumps(optional),
            "SourceEvents": ",".join(TRIGGER_TYPES),
            "SourcePeriodic": MAXIMUM_FREQUENCY,
            "RuleSets": ["alb-sg"],
        },
        "Tags": "[]",
    }
    return json.dumps(content, indent=2) + "\n"


def main(folder: str) -> None:
    for recommendation in RECOMMENDATIONS:
        path = Path(folder) / recommendation.name / "parameters.json"
        path.write_text(parameters_json(recommendation), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
