"""The files of a rule that rdk reads, generated from the recommendation: the handler and `parameters.json`."""

from __future__ import annotations

import json

from alb_sg.recommendations.recommendation import Recommendation

RUNTIME = "python3.13"
MAXIMUM_FREQUENCY = "TwentyFour_Hours"
RULE_SET = "alb-sg"


def rdk_files(recommendation: Recommendation) -> dict[str, str]:
    """The files' texts by their names in the rule's folder."""
    return {
        f"{recommendation.name}.py": _handler(recommendation),
        "parameters.json": _parameters_json(recommendation),
    }


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
