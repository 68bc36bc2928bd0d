"""Exemptions of single ports: what is required there does not count, and everything else is judged."""

from __future__ import annotations

from typing import Any

import pytest

from alb_sg.findings.exemption_application import apply_exemption
from alb_sg.findings.exemption_review import ExemptionUse, ReviewScope, review
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.parameters import Parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.snapshot_batch.manifest import make_manifest, parse_manifest
from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    ICMP,
    INGRESS,
    UNUSED,
    Saved,
    build,
    estate,
    group,
    listener,
    node,
    target_group,
    tcp,
)
from tests.exemptions.entries import TODAY, entry, read


def judged(saved: Saved, rule: str = INGRESS, **changes: Any) -> Finding | EvaluationError:
    """What a rule says of `web` with one exemption of port 80, changed as given."""
    exemptions = read(entry(rule=rule, **{"ports": [80], **changes}))
    assert not exemptions.malformed
    found = build(saved)
    rules = {RECOMMENDATIONS_BY_NAME[rule]: Parameters()}
    findings, errors = judge_all(found, found.load_balancers.values(), rules, exemptions.of_ports(TODAY))
    results: list[Finding | EvaluationError] = [*findings, *errors]
    (result,) = results
    return apply_exemption(result, exemptions, TODAY)


def listening(*ingress: Any, ports: tuple[int, ...] = (80, 443)) -> Saved:
    return estate(*map(listener, ports), group(ingress=ingress))


REMARK = "port 80 exempt until 2027-01-31 by team-edge (SEC-12)"


def test_the_rest_is_compliant() -> None:
    result = judged(listening(tcp(443, ANYWHERE)))
    assert isinstance(result, Finding)
    assert result.compliance is Compliance.COMPLIANT
    assert result.annotation == f"1 requirement met in sg-1; {REMARK}"
    assert result.remarks == (REMARK,)


def test_the_rest_is_not_compliant() -> None:
    """An exemption of one port hides no other one."""
    result = judged(listening())
    assert isinstance(result, Finding)
    assert result.compliance is Compliance.NON_COMPLIANT
    assert [one.from_port for one in result.missing] == [443]
    assert result.annotation == f"HTTPS:443 not open to 0.0.0.0/0 in sg-1; {REMARK}"


def test_nothing_else_is_required() -> None:
    """No verdict is left: NOT_APPLICABLE, never COMPLIANT."""
    result = judged(listening(ports=(80,)))
    assert isinstance(result, Finding)
    assert result.compliance is Compliance.NOT_APPLICABLE
    assert result.annotation == f"{REMARK}; no other port is required"


def test_a_port_that_nothing_is_required_on() -> None:
    """The exemption changes nothing, and the finding does not name it."""
    result = judged(listening(tcp(443, ANYWHERE), ports=(443,)))
    assert isinstance(result, Finding)
    assert (result.compliance, result.annotation) == (Compliance.COMPLIANT, "1 requirement met in sg-1")


def test_ports_of_targets() -> None:
    """Of an egress rule, the ports are those of the targets."""
    saved = estate(
        listener(443),
        group(egress=[tcp(443, ANYWHERE)]),
        target_group("web", targets=["10.0.1.5"], port=80),
        target_group("api", targets=["10.0.1.6"], port=443),
    )
    result = judged(saved, EGRESS)
    assert isinstance(result, Finding)
    assert (result.compliance, result.remarks) == (Compliance.COMPLIANT, (REMARK,))


def test_icmp_has_no_ports() -> None:
    """An exemption of port 3 does not exempt ICMP type 3."""
    result = judged(estate(group()), ICMP, ports=[3, 4])
    assert isinstance(result, Finding)
    assert result.compliance is Compliance.NON_COMPLIANT


def test_expired() -> None:
    result = judged(listening(tcp(443, ANYWHERE)), expires="2026-06-14")
    assert isinstance(result, Finding)
    assert result.compliance is Compliance.NON_COMPLIANT
    assert result.annotation.endswith("; exemption of port 80 expired 2026-06-14 (SEC-12)")


def test_a_result_judged_without_it_is_not_exempt() -> None:
    """Where results come from AWS Config, an exemption of one port hides none of them: the others may be closed."""
    saved = listening(tcp(443, ANYWHERE))
    found = build(saved)
    findings, _ = judge_all(found, found.load_balancers.values(), {RECOMMENDATIONS_BY_NAME[INGRESS]: Parameters()})
    exemptions = read(entry(rule=INGRESS, ports=[80]))
    assert apply_exemption(findings[0], exemptions, TODAY) is findings[0]


@pytest.mark.parametrize(
    "ports", [[], 80, "80", [0], [65536], [True], ["80"], [80.0], [None], None, {"80": 1}], ids=repr
)
def test_ports_that_are_none(ports: Any) -> None:
    """A mistake in `ports` exempts nothing: neither all ports nor some."""
    text = entry(rule=INGRESS) | {"ports": ports}
    exemptions = read(text)
    assert not exemptions.entries
    assert exemptions.malformed[0].place == "exemptions[0].ports"


def test_each_port_once_and_in_order() -> None:
    (found,) = read(entry(ports=[443, 80, 443])).entries
    assert found.ports == (80, 443)


@pytest.mark.parametrize(("port", "use"), [(80, ExemptionUse.USED), (443, ExemptionUse.UNUSED)])
def test_the_use_of_an_exempt_port(port: int, use: ExemptionUse) -> None:
    """It is unused where nothing is missing on its ports, whatever is missing on others."""
    found = build(listening(tcp(443, ANYWHERE)))
    findings, _ = judge_all(found, found.load_balancers.values(), {RECOMMENDATIONS_BY_NAME[INGRESS]: Parameters()})
    (exemption,) = read(entry(rule=INGRESS, ports=[port])).entries
    scope = ReviewScope([found.account_region], {exemption.key: findings[0]}, ())
    assert review([exemption], scope, TODAY, 30)[0].use is use


@pytest.mark.parametrize(("port", "use"), [(80, ExemptionUse.USED), (443, ExemptionUse.UNUSED)])
def test_the_use_of_a_port_that_is_exempt_from_being_unused(port: int, use: ExemptionUse) -> None:
    """A range is exempt where one of its ports is, as the port of a test listener may be."""
    found = build(estate(listener(443), group("sg-1", ingress=[tcp((22, 443), ANYWHERE)]), node()))
    findings, _ = judge_all(found, found.load_balancers.values(), {RECOMMENDATIONS_BY_NAME[UNUSED]: Parameters()})
    (exemption,) = read(entry(rule=UNUSED, ports=[port])).entries
    scope = ReviewScope([found.account_region], {exemption.key: findings[0]}, ())
    assert review([exemption], scope, TODAY, 30)[0].use is use


def test_two_entries_for_different_ports() -> None:
    """Two entries of one load balancer and rule are malformed, with ports too: write one with both ports."""
    exemptions = read(entry(ports=[80]), entry(ports=[443]))
    assert (len(exemptions.entries), len(exemptions.malformed)) == (0, 2)


def test_a_manifest_keeps_the_ports() -> None:
    """Without them, a call of the sweep would exempt the whole load balancer."""
    exemptions = read(entry(rule=INGRESS, ports=[80]))
    name = f"{ACCOUNT}_Config_us-east-1_ConfigSnapshot_20260615T000000Z.json.gz"
    listed = [{"Key": f"AWSLogs/{ACCOUNT}/Config/us-east-1/2026/6/15/ConfigSnapshot/{name}", "ETag": "1"}]
    manifest = make_manifest(listed, "bucket", "ConfigSnapshot", {}, LoadedExemptions(exemptions, TODAY, ()))
    loaded = parse_manifest(manifest.to_json()).loaded_exemptions
    assert loaded is not None
    assert loaded.exemptions.entries == exemptions.entries
