"""Prints what every surface shows of the rules, as JSON by surface: `python surfaces.py CHECKOUT ESTATE RULE`.

`test_new_rule.py` runs it on a checkout that has one rule more than this one.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from alb_sg.aggregator.responses import find_rule
from alb_sg.command_line.main import main
from alb_sg.config_rule.iam_actions import evaluation_actions
from alb_sg.deployment.artifact import Artifact
from alb_sg.deployment.rule_definition import read_rule_definitions
from alb_sg.deployment.settings import read_settings
from alb_sg.deployment.settings_schema import schema
from alb_sg.deployment.template_files import render_templates
from alb_sg.exemptions.document import parse_exemptions
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.document_names import document_name
from alb_sg.report.formats import FORMATS
from alb_sg.snapshot_batch.manifest import parse_rules
from alb_sg.ssm_documents.actions import document_actions
from alb_sg.ssm_documents.documents import build_document

# A rule that is not deployed by default is judged where it is named.
ALL_RULES = tuple(f"--rule={name}" for name in RECOMMENDATIONS_BY_NAME)


def run_command(*arguments: str) -> str:
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        main(arguments)
    return output.getvalue()


def command_surfaces(estate: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        run_command("dashboard", "--estate", estate, "--output", str(page), *ALL_RULES)
        page_data = page.with_suffix(".json").read_text(encoding="utf-8")
    what_if = ("what-if", "web", "--add-listener", "8443", "--estate", estate, *ALL_RULES)
    return {
        **{f"check {name}": run_command("check", "--estate", estate, "--format", name, *ALL_RULES) for name in FORMATS},
        "explain": run_command("explain", "web", "--estate", estate, *ALL_RULES),
        "explain json": run_command("explain", "web", "--estate", estate, "--format", "json", *ALL_RULES),
        "rules": run_command("rules"),
        "what-if": run_command(*what_if),
        "what-if json": run_command(*what_if, "--format", "json"),
        "fix": run_command("fix", "web", "--plan", "--estate", estate, *ALL_RULES),
        "check without a name": run_command("check", "--estate", estate),
        "dashboard data": page_data,
    }


def other_surfaces(checkout: Path, rule: str) -> dict[str, Any]:
    recommendation = RECOMMENDATIONS_BY_NAME[rule]
    return {
        "aggregator": find_rule(f"OrgConfigRule-{rule}-dbgzf8ba"),
        "snapshot batch": [recommendation.name for recommendation in parse_rules({rule: {}})],
        "snapshot batch without a name": [recommendation.name for recommendation in parse_rules({})],
        "exemptions": exempted_rules(rule),
        "document": build_document(document_name(rule)),
        "document actions": document_actions(document_name(rule)),
        "evaluation actions": evaluation_actions(recommendation),
        "schema": schema(),
        "default deployment": deployment(checkout, {}),
        "deployment": deployment(
            checkout,
            {rule: {"deployed": True, "remediation": {"mode": "manual"}, "parameters": {"AcceptedSources": "pl-1"}}},
        ),
    }


def exempted_rules(rule: str) -> list[str]:
    entry = {
        "loadBalancer": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188",
        "rule": rule,
        "reason": "a reason",
        "owner": "an owner",
        "ticket": "a ticket",
        "expires": "2027-01-31",
    }
    document = json.dumps({"version": 1, "exemptions": [entry]})
    return [found.rule for found in parse_exemptions(document, "exemptions.json", RECOMMENDATIONS_BY_NAME).entries]


def deployment(checkout: Path, rules: dict[str, Any]) -> dict[str, str]:
    """The templates for the shipped settings with these rules."""
    content = json.loads((checkout / "rdk-config.json").read_text(encoding="utf-8")) | {"rules": rules}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rdk-config.json")
        path.write_text(json.dumps(content), encoding="utf-8")
        settings = read_settings(path, read_rule_definitions(checkout / "rules"))
    return render_templates(settings, Artifact("alb-sg-0.zip", b""))


if __name__ == "__main__":
    _, checkout_path, estate_path, rule_name = sys.argv
    json.dump({**command_surfaces(estate_path), **other_surfaces(Path(checkout_path), rule_name)}, sys.stdout)
