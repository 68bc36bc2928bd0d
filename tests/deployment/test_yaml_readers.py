"""Every template read by a YAML 1.2 reader: texts stay texts, account ids above all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from alb_sg.deployment.documents import shipped_documents
from alb_sg.deployment.template_files import render_templates
from alb_sg.ssm_documents.yaml_text import to_yaml
from tests.deploy.templates import DEPLOY
from tests.deployment.deployments import ARTIFACT, ROOT, WHOLE, settings_of

# To a YAML 1.2 reader a number without its first digit; PyYAML sees an octal number in the last one alone.
LEADING_ZERO = ("089012345678", "012345678901")
ACCOUNTS: dict[str, Any] = {
    **WHOLE,
    "organization": {
        "delegatedAdministrator": LEADING_ZERO[0],
        "memberAccounts": ["099999999999", LEADING_ZERO[1]],
        "excludedAccounts": ["088888888888"],
    },
}
ONE_MEMBER = {**ACCOUNTS, "organization": {**ACCOUNTS["organization"], "memberAccounts": ["099999999999"]}}


def read(text: str) -> Any:
    """As YAML 1.2 has it, where `yes` and dates are texts too."""
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    return reader.load(io.StringIO(text))


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member)
    else:
        yield value


@pytest.mark.slow
@pytest.mark.parametrize("content", [ACCOUNTS, ONE_MEMBER], ids=["several members", "one member"])
def test_every_rendered_account_is_the_text_that_it_was(content: dict[str, Any], tmp_path: Path) -> None:
    organization = content["organization"]
    central, members = organization["delegatedAdministrator"], organization["memberAccounts"]
    files = render_templates(settings_of(content, tmp_path), ARTIFACT)
    found = {name: list(leaves(read(text))) for name, text in files.items()}
    for name, values in found.items():
        assert values == list(leaves(yaml.safe_load(files[name]))), name
        # The only numbers are those that are numbers: none is as long as an account id.
        assert [value for value in values if isinstance(value, int) and value > 10_000_000] == [], name
    for name in ("member.yaml", "documents.yaml", "conformance-pack.yaml"):
        assert central in found[name], name
    assert set(members) <= set(found["central.yaml"])
    assert ",".join(members) in found["central.yaml"]
    assert "088888888888" in found["organization-conformance-pack.yaml"]
    # The pack within its stack is read a second time.
    body = read(files["organization-conformance-pack.yaml"])["Resources"]["Pack"]["Properties"]["TemplateBody"]
    assert read(body)["Parameters"]["CentralAccountId"]["Default"] == central


@pytest.mark.parametrize(
    "path", [*DEPLOY.glob("*.yaml"), *(ROOT / "remediation").glob("*.yaml")], ids=lambda path: str(path.name)
)
def test_hand_written_and_generated_files_read_the_same_in_both_versions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    def scalars(events: Any) -> list[tuple[str, str | None]]:
        return [(event.value, event.style) for event in events if hasattr(event, "style") and hasattr(event, "value")]

    plain = {value for value, style in scalars(yaml.parse(text, yaml.SafeLoader)) if style is None and value.isdigit()}
    # An all-digit text that is not quoted is a number: none of them is an account or starts with a zero.
    assert {value for value in plain if len(value) >= 12 or value != str(int(value))} == set()


def test_shipped_documents_read_the_same_in_both_versions() -> None:
    for text in shipped_documents(ARTIFACT).values():
        assert read(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text", [*LEADING_ZERO, "111122223333", "0", "-1", "+1", "1.", ".5", "1e3", "12e04", "0o17", "0x1F", "1.5", "007"]
)
def test_a_text_that_looks_like_a_number_stays_a_text(text: str) -> None:
    content = {"value": text, "list": [text]}
    for reader in (read, yaml.safe_load):
        assert reader(to_yaml(content)) == content
    assert json.dumps(content) == json.dumps(read(to_yaml(content)))
