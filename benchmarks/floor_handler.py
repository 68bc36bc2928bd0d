"""What a rule's handler is measured against: plain rdklib and boto3's own clients, which make the same calls and judge
nothing.

The calls, `[service, method, parameters]` in the order in which the rule made them, stand in the file that
`FLOOR_CALLS` names. rdklib itself adds the one that gives the verdicts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rdklib import ComplianceType, ConfigRule, Evaluation, Evaluator

RESOURCE_TYPES = ["AWS::EC2::SecurityGroup"]


class FloorRule(ConfigRule):  # type: ignore[misc]  # rdklib is untyped
    def evaluate_change(self, *given: Any) -> list[Evaluation]:
        """As rdklib calls it: event, client factory, configuration item, rule parameters."""
        _, client_factory, *_ = given
        clients: dict[str, Any] = {}
        for service, method, parameters in json.loads(Path(os.environ["FLOOR_CALLS"]).read_text(encoding="utf-8")):
            if service not in clients:
                clients[service] = client_factory.build_client(service)
            getattr(clients[service], method)(**parameters)
        return [Evaluation(ComplianceType.NOT_APPLICABLE)]


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    return Evaluator(FloorRule(), expected_resource_types=RESOURCE_TYPES).handle(event, context)
