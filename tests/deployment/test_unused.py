"""ALB_SG_UNUSED_INGRESS in the templates: deployed where the settings say so, and remediated nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from alb_sg.deployment.template_files import render_templates
from tests.builders import UNUSED
from tests.deployment.deployments import ARTIFACT, SHIPPED, settings_of

CAMEL = "UnusedIngress"


def test_the_shipped_settings_do_not_deploy_it(tmp_path: Path) -> None:
    templates = render_templates(settings_of(SHIPPED, tmp_path), ARTIFACT)
    assert [name for name, text in templates.items() if UNUSED in text or CAMEL in text] == []


@pytest.mark.slow
def test_where_it_is_deployed_nothing_remediates_it(tmp_path: Path) -> None:
    content = {**SHIPPED, "rules": {UNUSED: {"deployed": True}}}
    templates = render_templates(settings_of(content, tmp_path), ARTIFACT)
    pack = yaml.safe_load(templates["conformance-pack.yaml"])
    assert f"{CAMEL}Rule" in pack["Resources"]
    assert f"{CAMEL}RemediationConfiguration" not in pack["Resources"]
    assert f"{CAMEL}Remediation" not in pack["Parameters"]
    assert f"{CAMEL}Document" not in yaml.safe_load(templates["documents.yaml"])["Resources"]
    stack = yaml.safe_load(templates["stack.yaml"])["Resources"]
    assert {f"{CAMEL}Function", f"{CAMEL}Rule"} <= stack.keys()
    [actions] = [
        statement["Action"]
        for policy in stack[f"{CAMEL}Role"]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Sid"] == "Evaluate"
    ]
    # It reads who carries a group, and needs no IDs of rules.
    assert "ec2:DescribeNetworkInterfaces" in actions
    assert "ec2:DescribeSecurityGroupRules" not in actions
