"""rdk itself on the rules folder: its local tests, its templates, its rule sets.

`make test` names the command in ALB_SG_RDK (rdk 1.0.0 in an environment of its own, under Python 3.12 or newer).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from tests import tools
from tests.rules import RULE_NAMES, RULES_FOLDER

pytestmark = pytest.mark.slow

# A fake environment: nothing of the caller's account, and no credentials, which rdk would try.
ENVIRONMENT = {
    "PATH": os.environ.get("PATH", ""),
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module")
def rdk() -> str:
    return tools.rdk()


def run(rdk: str, *arguments: str, folder: Path = RULES_FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [rdk, *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=tools.HANGING,
    )


def test_local_tests_pass_and_there_are_some_for_every_rule(rdk: str) -> None:
    done = run(rdk, "test-local", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.findall(r"^Testing (\S+)$", done.stdout, re.MULTILINE)
    assert sorted(tested) == list(RULE_NAMES)
    # rdk is content with zero tests, with a file that it cannot import among others, and with a runtime it skips.
    results = re.findall(r"TextTestResult run=(\d+) errors=(\d+) failures=(\d+)", done.stdout)
    assert len(results) == len(RULE_NAMES), done.stdout
    for count, errors, failures in results:
        assert int(count) >= 3
        assert (errors, failures) == ("0", "0")


def test_rule_template_has_every_rule_with_both_triggers(rdk: str, tmp_path: Path) -> None:
    output = tmp_path / "template.json"
    done = run(rdk, "create-rule-template", "--all", "--rules-only", "-o", str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    rules = {
        resource["Properties"]["ConfigRuleName"]: resource["Properties"]
        for resource in json.loads(output.read_text(encoding="utf-8"))["Resources"].values()
        if resource["Type"] == "AWS::Config::ConfigRule"
    }
    assert sorted(rules) == list(RULE_NAMES)
    for name, properties in rules.items():
        messages = {detail["MessageType"] for detail in properties["Source"]["SourceDetails"]}
        assert messages >= {"ConfigurationItemChangeNotification", "ScheduledNotification"}
        types = RECOMMENDATIONS_BY_NAME[name].trigger_types
        assert sorted(properties["Scope"]["ComplianceResourceTypes"]) == sorted(types)


def test_rule_set(rdk: str) -> None:
    done = run(rdk, "rulesets", "list", "alb-sg")
    assert done.returncode == 0
    assert all(name in done.stdout for name in RULE_NAMES)


def test_export(rdk: str, tmp_path: Path) -> None:
    rules = shutil.copytree(RULES_FOLDER, tmp_path / "rules", ignore=shutil.ignore_patterns("__pycache__"))
    done = run(rdk, "export", "--all", "--custom-code-bucket", "some-bucket", folder=rules)
    assert done.returncode == 0, done.stdout + done.stderr
    exported = [path for path in (rules / "terraform_rdk_rules").rglob("*") if path.is_file()]
    for name in RULE_NAMES:
        assert any(name in path.read_text(encoding="utf-8", errors="replace") for path in exported), name
