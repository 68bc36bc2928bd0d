"""An organization's aggregator, from recorded shapes to what the dashboard is told."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.recorded_verdicts import NO_ANNOTATION
from alb_sg.aggregator.requests import IAM_ACTIONS, AggregatorClients
from alb_sg.aggregator.responses import find_rule
from alb_sg.aws.clients import make_client
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import Compliance
from alb_sg.observations.accounts import AccountName
from alb_sg.report.json_report import finding_object
from tests.aggregator.recordings import (
    ACCOUNT_REGION,
    AGGREGATOR,
    AS_OF,
    EVALUATED,
    ORGANIZATION,
    OTHER,
    Failure,
    Recording,
    arn,
    config_rule,
    counted,
    evaluation,
    load_balancer,
    source,
    verdicts,
)
from tests.builders import ACCOUNT, EGRESS, HEALTH, ICMP, INGRESS, REGION, RULES, UNUSED

EMPTY_ANSWER = (
    b'{"Results": [], "AggregatedSourceStatusList": [], "AggregateEvaluationResults": [], '
    b'"AggregateComplianceByConfigRules": []}'
)
THROTTLED = Failure("ThrottlingException", "Rate exceeded")
DENIED = Failure("AccessDeniedException", "not allowed")


def test_verdicts_are_findings_with_their_annotations(recording: Recording) -> None:
    recording.first_step(
        [verdicts("web", {INGRESS: "NON_COMPLIANT"}), verdicts("api", {INGRESS: "COMPLIANT"})],
        [load_balancer("web"), load_balancer("api", scheme="internal", tags=[{"key": "team", "value": "edge"}])],
        [counted(ACCOUNT_REGION)],
    )
    recording.evaluations(
        INGRESS, [evaluation("web", annotation="HTTPS:443 not open"), evaluation("api", "COMPLIANT", "1 met")]
    )
    observation = recording.observed([INGRESS])
    assert [finding_object(one) for one in observation.results.findings] == [
        {
            "accountId": ACCOUNT,
            "region": REGION,
            "loadBalancerArn": arn(name),
            "loadBalancerName": name,
            "rule": INGRESS,
            "compliance": compliance,
            "annotation": annotation,
            "unresolved": False,
            "missing": [],
        }
        for name, compliance, annotation in [
            ("api", "COMPLIANT", "1 met"),
            ("web", "NON_COMPLIANT", "HTTPS:443 not open"),
        ]
    ]
    assert observation.results.errors == []
    assert observation.results.load_balancer_count == 2
    assert observation.results.rule_names == [INGRESS]
    assert observation.as_of == AS_OF
    assert observation.details[arn("api")].load_balancer.scheme == "internal"
    assert observation.details[arn("api")].tags == {"team": "edge"}
    assert observation.completeness.gaps == ()


def test_each_rule_of_a_list_has_its_own_verdict(recording: Recording) -> None:
    """A condition on the list matches across its elements; nobody's rule's failure is another's."""
    said = {INGRESS: "COMPLIANT", "restricted-ssh": "NON_COMPLIANT", ICMP: "NON_COMPLIANT", "my-own": "COMPLIANT"}
    recording.first_step([verdicts("web", said)], [load_balancer("web")])
    recording.evaluations(ICMP, [evaluation("web", annotation="ICMP 3/4 not open")])
    recording.evaluations(INGRESS, [evaluation("web", "COMPLIANT", "1 met")])
    found = recording.observed().results.findings
    assert {one.rule: (one.compliance.value, one.annotation) for one in found} == {
        INGRESS: ("COMPLIANT", "1 met"),
        ICMP: ("NON_COMPLIANT", "ICMP 3/4 not open"),
    }


@pytest.mark.parametrize("deployed", [False, True])
def test_without_names_a_rule_that_is_not_deployed_by_default_counts_where_it_has_a_verdict(
    recording: Recording, deployed: bool
) -> None:
    rules = sorted([*RULES, UNUSED] if deployed else RULES)
    recording.first_step([verdicts("web", dict.fromkeys(rules, "COMPLIANT"))], [load_balancer("web")])
    for rule in rules:
        recording.evaluations(rule, [evaluation("web", "COMPLIANT")])
    observation = recording.observed(None)
    assert [one.rule for one in observation.results.findings] == rules
    # Where it is not deployed, its absence is no gap.
    assert observation.completeness.rules_expected == tuple(rules)
    assert not any(UNUSED in gap for gap in observation.completeness.gaps)


def test_rules_that_are_not_asked_for_are_left_out(recording: Recording) -> None:
    recording.first_step([verdicts("web", dict.fromkeys(RULES, "NON_COMPLIANT"))], [load_balancer("web")])
    recording.evaluations(EGRESS, [evaluation("web")])
    observation = recording.observed([EGRESS])
    assert [one.rule for one in observation.results.findings] == [EGRESS]
    assert observation.completeness.rules_expected == (EGRESS,)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (INGRESS, INGRESS),
        (f"{ICMP}-conformance-pack-szsm1uv0w", ICMP),
        (f"OrgConfigRule-{EGRESS}-dbgzf8ba", EGRESS),
        (f"team.{HEALTH}", HEALTH),
        (f"{ICMP}_OLD", None),
        (f"X{ICMP}", None),
        (f"MY_{ICMP}", None),
        (INGRESS.lower(), None),
        ("alb-http-to-https-redirection-check", None),
        ("", None),
    ],
)
def test_names_of_deployed_rules(name: str, rule: str | None) -> None:
    assert find_rule(name) == rule


def test_reasons_are_asked_for_by_the_deployed_name(recording: Recording) -> None:
    name = f"{ICMP}-conformance-pack-szsm1uv0w"
    recording.first_step([verdicts("web", {name: "NON_COMPLIANT"}, OTHER)], [load_balancer("web", OTHER)])
    recording.evaluations(name, [evaluation("web", annotation="ICMP 3/4 not open", account_region=OTHER)], OTHER)
    (finding,) = recording.observed([ICMP]).results.findings
    assert (finding.rule, finding.annotation, finding.account_id) == (ICMP, "ICMP 3/4 not open", OTHER.account_id)


def test_a_rule_that_is_deployed_twice_has_its_worse_verdict(recording: Recording) -> None:
    pack = f"{ICMP}-conformance-pack-szsm1uv0w"
    recording.first_step([verdicts("web", {ICMP: "COMPLIANT", pack: "NON_COMPLIANT"})], [load_balancer("web")])
    recording.evaluations(ICMP, [evaluation("web", "COMPLIANT", "1 met")])
    recording.evaluations(pack, [evaluation("web", annotation="ICMP 3/4 not open")])
    observation = recording.observed([ICMP])
    (finding,) = observation.results.findings
    assert (finding.compliance, finding.annotation) == (Compliance.NON_COMPLIANT, "ICMP 3/4 not open")
    assert observation.completeness.gaps == (
        f"{ICMP} is deployed more than once in {ACCOUNT_REGION}: the worse verdict counts.",
    )


@pytest.mark.parametrize(
    ("annotation", "unresolved"),
    [
        ("web tcp:80 not open to 10.0.1.5; unresolved: the groups of 10.0.1.5", True),
        ("web tcp:80 not open to unresolved: targets", False),
        ("web tcp:80 not open to 10.0.1.5", False),
    ],
)
def test_an_annotation_tells_unresolved_from_missing(recording: Recording, annotation: str, unresolved: bool) -> None:
    recording.first_step([verdicts("web", {EGRESS: "NON_COMPLIANT"})], [load_balancer("web")])
    recording.evaluations(EGRESS, [evaluation("web", annotation=annotation)])
    (finding,) = recording.observed([EGRESS]).results.findings
    assert finding.unresolved is unresolved


LATER = EVALUATED + timedelta(hours=1)
EARLIER = EVALUATED - timedelta(days=90)


@pytest.mark.parametrize(
    ("row", "captured", "said", "verdict"),
    [
        # The recorder excludes AWS::Config::ResourceCompliance since then: the row is what the rule said before.
        ("COMPLIANT", EARLIER, [evaluation("web", annotation="80 not open")], ("NON_COMPLIANT", "80 not open")),
        ("NON_COMPLIANT", EARLIER, [evaluation("web", "COMPLIANT", "1 met")], ("COMPLIANT", "1 met")),
        # The aggregator has the row already, and not yet the result. An annotation of another verdict is no reason.
        ("NON_COMPLIANT", LATER, [evaluation("web", "COMPLIANT", "1 met")], ("NON_COMPLIANT", NO_ANNOTATION)),
        ("COMPLIANT", LATER, [evaluation("web", annotation="80 not open")], ("COMPLIANT", NO_ANNOTATION)),
        # Both say the same: only the result has the reason.
        ("NON_COMPLIANT", LATER, [evaluation("web", annotation="80 not open")], ("NON_COMPLIANT", "80 not open")),
        # A row without a time cannot be the later one.
        ("COMPLIANT", None, [evaluation("web", annotation="80 not open")], ("NON_COMPLIANT", "80 not open")),
        # What the API lacks: results of the kinds that it does not return, and those that are under way.
        ("NOT_APPLICABLE", EARLIER, [evaluation("api")], ("NOT_APPLICABLE", NO_ANNOTATION)),
        ("NON_COMPLIANT", EARLIER, [evaluation("api")], ("NON_COMPLIANT", NO_ANNOTATION)),
        ("COMPLIANT", LATER, [evaluation("api")], ("COMPLIANT", NO_ANNOTATION)),
        # The rule ran since, and has no result on this load balancer: it is not applicable now, or exempt.
        ("COMPLIANT", EARLIER, [evaluation("api")], None),
        # All load balancers are exempt, or the rule was made again: the API would return a COMPLIANT result.
        ("COMPLIANT", EARLIER, [], None),
        # Without a time, it may be from before that.
        ("COMPLIANT", None, [evaluation("api")], None),
    ],
)
def test_of_two_verdicts_the_later_one_counts(
    recording: Recording, row: str, captured: Any, said: list[Any], verdict: tuple[str, str] | None
) -> None:
    recording.first_step([verdicts("web", {EGRESS: row}, captured=captured)], [load_balancer("web")])
    recording.evaluations(EGRESS, said)
    found = recording.observed([EGRESS]).results.findings
    assert {one.load_balancer_name: (one.compliance.value, one.annotation) for one in found}.get("web") == verdict


def test_verdicts_without_any_row(recording: Recording) -> None:
    """The recorder excludes AWS::Config::ResourceCompliance, as many do to save cost."""
    pack = f"{ICMP}-conformance-pack-szsm1uv0w"
    recording.first_step(
        load_balancers=[load_balancer("web"), load_balancer("far", OTHER)],
        config_rules=[
            [config_rule(EGRESS, "NON_COMPLIANT"), config_rule("restricted-ssh", "NON_COMPLIANT")],
            [config_rule(pack, "COMPLIANT", OTHER)],
        ],
    )
    recording.evaluations(EGRESS, [evaluation("web", annotation="80 not open")])
    recording.evaluations(pack, [evaluation("far", "COMPLIANT", "1 met", account_region=OTHER)], OTHER)
    observation = recording.observed([EGRESS, ICMP])
    assert [(one.load_balancer_name, one.rule, one.annotation) for one in observation.results.findings] == [
        ("web", EGRESS, "80 not open"),
        ("far", ICMP, "1 met"),
    ]
    assert observation.results.errors == []
    assert observation.completeness.rules_deployed == {ACCOUNT_REGION: frozenset({EGRESS}), OTHER: frozenset({ICMP})}


def test_a_known_rule_without_a_verdict_is_an_error_for_each_load_balancer(recording: Recording) -> None:
    recording.first_step(
        load_balancers=[load_balancer("web"), load_balancer("api"), load_balancer("nlb", kind="net")],
        config_rules=[config_rule(EGRESS, "INSUFFICIENT_DATA"), config_rule(EGRESS, "INSUFFICIENT_DATA", OTHER)],
    )
    recording.evaluations(EGRESS, [])
    # An account and region without load balancers has nothing to judge.
    recording.evaluations(EGRESS, [], OTHER)
    observation = recording.observed([EGRESS])
    assert [(one.load_balancer_arn, one.rule) for one in observation.results.errors] == [
        (arn("api"), EGRESS),
        (arn("web"), EGRESS),
    ]
    assert f"{EGRESS} has no verdict on any load balancer of {ACCOUNT_REGION}" in observation.results.errors[0].cause
    assert observation.completeness.rules_deployed == {ACCOUNT_REGION: frozenset()}


def test_a_rule_with_results_that_are_not_there_is_an_error_without_load_balancers(recording: Recording) -> None:
    recording.first_step(config_rules=[config_rule(EGRESS)])
    recording.evaluations(EGRESS, [])
    (error,) = recording.observed([EGRESS]).results.errors
    assert (error.account_id, error.load_balancer_arn, error.rule) == (ACCOUNT, None, EGRESS)


def test_a_rule_that_is_deployed_twice_is_heard_if_one_of_the_two_is(recording: Recording) -> None:
    pack = f"{ICMP}-conformance-pack-szsm1uv0w"
    recording.first_step(
        load_balancers=[load_balancer("web")], config_rules=[config_rule(ICMP), config_rule(pack, "INSUFFICIENT_DATA")]
    )
    recording.evaluations(ICMP, [evaluation("web", "COMPLIANT")])
    recording.evaluations(pack, [])
    assert recording.observed([ICMP]).results.errors == []


def test_results_on_other_resources_are_no_verdicts(recording: Recording) -> None:
    """A rule clears its results on what is no load balancer any more; until then they are there."""
    other = evaluation("web", "COMPLIANT")
    other["EvaluationResultIdentifier"]["EvaluationResultQualifier"] |= {
        "ResourceType": "AWS::EC2::SecurityGroup",
        "ResourceId": "sg-1",
    }
    recording.first_step(load_balancers=[load_balancer("web")], config_rules=[config_rule(EGRESS)])
    recording.evaluations(EGRESS, [other])
    results = recording.observed([EGRESS]).results
    assert results.findings == []
    assert [error.load_balancer_arn for error in results.errors] == [arn("web")]


def test_a_result_that_cannot_be_read_is_an_error_beside_the_others(recording: Recording) -> None:
    recording.first_step(load_balancers=[load_balancer("web")], config_rules=[config_rule(EGRESS)])
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT"), evaluation("api", account_region=OTHER)])
    results = recording.observed([EGRESS]).results
    assert [one.load_balancer_name for one in results.findings] == ["web"]
    (error,) = results.errors
    assert (error.account_id, error.rule) == (ACCOUNT, EGRESS)
    assert f"is of {OTHER}, not of {ACCOUNT_REGION}" in error.cause


def test_insufficient_data_is_an_error_and_no_verdict(recording: Recording) -> None:
    recording.first_step([verdicts("web", {EGRESS: "INSUFFICIENT_DATA"})], [load_balancer("web")])
    recording.evaluations(EGRESS, [])
    results = recording.observed([EGRESS]).results
    assert results.findings == []
    (error,) = results.errors
    assert (error.load_balancer_arn, error.rule) == (arn("web"), EGRESS)
    assert "INSUFFICIENT_DATA" in error.cause


def test_not_applicable_stays_so_where_it_is_recorded(recording: Recording) -> None:
    recording.first_step([verdicts("web", {EGRESS: "NOT_APPLICABLE"})], [load_balancer("web")])
    recording.evaluations(EGRESS, [])
    (finding,) = recording.observed([EGRESS]).results.findings
    assert finding.compliance is Compliance.NOT_APPLICABLE


def test_a_load_balancer_without_a_verdict_is_a_gap_and_not_fine(recording: Recording) -> None:
    recording.first_step(
        [verdicts("web", {EGRESS: "COMPLIANT"})],
        [load_balancer("web"), load_balancer("api"), load_balancer("far", OTHER), load_balancer("nlb", kind="net")],
        [counted(ACCOUNT_REGION), counted(OTHER), counted(ACCOUNT_REGION, "global")],
        [source(ACCOUNT_REGION), source(OTHER)],
    )
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT")])
    observation = recording.observed([EGRESS])
    assert [one.load_balancer_name for one in observation.results.findings] == ["web"]
    assert observation.results.load_balancer_count == 3
    (gap,) = observation.completeness.gaps
    assert gap.startswith(
        f"{EGRESS} has no verdict on 2 of 3 load balancers ({ACCOUNT_REGION}, {OTHER}): not applicable, exempt"
    )
    assert observation.completeness.rules_deployed == {ACCOUNT_REGION: frozenset({EGRESS}), OTHER: frozenset()}


def test_coverage_compares_expected_with_reported(recording: Recording) -> None:
    silent = type(ACCOUNT_REGION)("777788889999", "us-west-2")
    recording.first_step(
        [verdicts("web", {EGRESS: "COMPLIANT"}), verdicts("api", {EGRESS: "COMPLIANT"})],
        [load_balancer("web"), load_balancer("api")],
        [counted(ACCOUNT_REGION), counted(OTHER)],
        [ORGANIZATION, source(ACCOUNT_REGION), source(OTHER), source(silent)],
    )
    older = EVALUATED - timedelta(days=3)
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT"), evaluation("api", "COMPLIANT", time=older)])
    coverage = recording.observed([EGRESS]).completeness
    assert coverage.expected == (ACCOUNT_REGION, OTHER, silent)
    assert coverage.observed == {ACCOUNT_REGION: older.replace(microsecond=0), OTHER: None}
    assert coverage.rules_deployed == {ACCOUNT_REGION: frozenset({EGRESS})}


def test_a_verdict_on_a_load_balancer_without_an_item_stays(recording: Recording) -> None:
    recording.first_step([verdicts("web", {EGRESS: "COMPLIANT"})])
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT")])
    observation = recording.observed([EGRESS])
    assert observation.results.load_balancer_count == len(observation.results.findings) == 1
    assert observation.details == {}
    assert "of which the aggregator has no item" in observation.completeness.gaps[0]


def test_an_empty_organization(recording: Recording) -> None:
    recording.first_step(sources=[ORGANIZATION])
    observation = recording.observed()
    assert observation.results.load_balancer_count == 0
    assert (observation.results.findings, observation.results.errors) == ([], [])
    assert observation.completeness.expected is None
    assert observation.completeness.observed == {}
    assert observation.completeness.gaps == (
        f"Which accounts and regions are expected is not known: aggregator {AGGREGATOR} names no account and region.",
    )


def test_an_account_that_refuses_is_an_error(recording: Recording) -> None:
    recording.first_step(
        sources=[source(ACCOUNT_REGION), source(OTHER, "FAILED", "AccessDenied", "authorization is missing")],
        recorded=[counted(ACCOUNT_REGION)],
    )
    observation = recording.observed()
    (error,) = observation.results.errors
    assert (error.account_id, error.region, error.load_balancer_arn) == (OTHER.account_id, OTHER.region, None)
    assert "AccessDenied: authorization is missing" in error.cause
    assert observation.completeness.expected == (ACCOUNT_REGION, OTHER)
    assert OTHER not in observation.completeness.observed


def test_an_organization_that_refuses_is_an_error(recording: Recording) -> None:
    recording.first_step(sources=[{**ORGANIZATION, "LastUpdateStatus": "FAILED"}])
    (error,) = recording.observed().results.errors
    assert error.what == "load balancers of o-a1b2c3d4e5"


def test_outdated_data_is_reported(recording: Recording) -> None:
    recording.first_step(sources=[source(ACCOUNT_REGION), source(OTHER, "OUTDATED")])
    assert recording.observed().completeness.gaps == (f"The aggregator does not have the latest of {OTHER}.",)


def test_all_pages_are_read(recording: Recording) -> None:
    pages = [[verdicts(f"web-{number}", {EGRESS: "NON_COMPLIANT"})] for number in range(3)]
    recording.first_step(
        [pages[0], [], pages[1], pages[2]],
        [[load_balancer("web-0"), load_balancer("web-1")], [load_balancer("web-2")]],
        sources=[[source(ACCOUNT_REGION)], [source(OTHER)]],
    )
    recording.evaluations(
        EGRESS, [[evaluation("web-0", annotation="0")], [evaluation(f"web-{n}", annotation=str(n)) for n in (1, 2)]]
    )
    observation = recording.observed([EGRESS])
    assert [one.annotation for one in observation.results.findings] == ["0", "1", "2"]
    assert observation.completeness.expected == (ACCOUNT_REGION, OTHER)


def test_permanently_throttled_pages_are_an_error_beside_the_read_ones(recording: Recording) -> None:
    recording.first_step([[verdicts("web", {EGRESS: "COMPLIANT"})], THROTTLED], [load_balancer("web")])
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT")])
    results = recording.observed([EGRESS]).results
    assert len(results.findings) == 1
    (error,) = results.errors
    assert error.what == f"verdicts in aggregator {AGGREGATOR}"
    assert error.cause == "SelectAggregateResourceConfig: ThrottlingException: Rate exceeded"


def test_results_that_are_refused_confirm_no_compliant_row(recording: Recording) -> None:
    """An old COMPLIANT may hide that the rule says NON_COMPLIANT today; an old NON_COMPLIANT hides nothing."""
    rows = [verdicts("web", {EGRESS: "NON_COMPLIANT"}), verdicts("api", {EGRESS: "COMPLIANT"})]
    recording.first_step(rows, [load_balancer("web"), load_balancer("api")])
    recording.evaluations(EGRESS, THROTTLED)
    results = recording.observed([EGRESS]).results
    (finding,) = results.findings
    assert (finding.load_balancer_name, finding.compliance, finding.annotation) == (
        "web",
        Compliance.NON_COMPLIANT,
        NO_ANNOTATION,
    )
    assert [(error.load_balancer_arn, error.rule) for error in results.errors] == [
        (None, EGRESS),
        (arn("api"), EGRESS),
    ]
    assert all(
        "GetAggregateComplianceDetailsByConfigRule: ThrottlingException" in error.cause for error in results.errors
    )


def test_rules_that_cannot_be_listed_are_an_error(recording: Recording) -> None:
    recording.first_step([verdicts("web", {EGRESS: "COMPLIANT"})], [load_balancer("web")], config_rules=DENIED)
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT")])
    results = recording.observed([EGRESS]).results
    assert len(results.findings) == 1
    (error,) = results.errors
    assert error.what == f"Config rules in aggregator {AGGREGATOR}"
    assert "DescribeAggregateComplianceByConfigRules: AccessDeniedException" in error.cause


def test_a_call_that_is_throttled_at_first_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket.acquire", lambda *_, **__: True)
    client: Any = make_client("config", REGION)
    refused: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        if refused.count(operation) < 2:
            refused.append(operation)
            return _answer(request.url, 400, b'{"__type": "ThrottlingException", "message": "Rate exceeded"}')
        return _answer(request.url, 200, EMPTY_ANSWER)

    client.meta.events.register("before-send.config-service", answer)
    results = observe(AggregatorClients(client), AGGREGATOR, RULES, AS_OF).results
    assert len(refused) >= 4
    assert results.errors == []


def _answer(url: str, status: int, body: bytes) -> AWSResponse:
    headers = HTTPHeaders.from_dict({"Content-Type": "application/x-amz-json-1.1"})
    response = AWSResponse(url, status, headers, None)
    response._content = body  # type: ignore[attr-defined]  # noqa: SLF001 (as botocore's own tests do)
    return response


def test_every_other_refused_call_is_a_gap(recording: Recording) -> None:
    recording.first_step(recorded=DENIED, sources=DENIED)
    observation = recording.observed()
    assert observation.results.errors == []
    assert observation.completeness.expected is None
    assert [gap.split(":")[0] for gap in observation.completeness.gaps] == [
        "Which accounts and regions are expected is not known",
        "Accounts and regions without load balancers are not known",
    ]


def test_there_is_no_such_aggregator(recording: Recording) -> None:
    missing = Failure("NoSuchConfigurationAggregatorException", "not there")
    recording.first_step([missing], [missing], missing, missing)
    with pytest.raises(InvalidInputError, match=f"no aggregator '{AGGREGATOR}'"):
        recording.observed()


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("{", "Results[1]: "),
        ('{"accountId": "1", "awsRegion": "r"}', "Results[1].accountId: "),
        (
            verdicts("web", {EGRESS: "COMPLIANT"}).replace("configRuleList", "configRules"),
            "Results[1].configRuleList: it is missing",
        ),
        (verdicts("web", {EGRESS: "FINE"}), "Results[1].complianceType: 'FINE' is not a compliance type"),
        (verdicts("web", {EGRESS: "COMPLIANT"}).replace(f":{ACCOUNT}:", ":999999999999:"), "is of 999999999999"),
        (
            verdicts("web", {EGRESS: "COMPLIANT"}).replace("loadbalancer/app", "app"),
            "is not the ARN of a load balancer",
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_an_error_beside_the_others(recording: Recording, row: str, cause: str) -> None:
    recording.first_step([verdicts("api", {EGRESS: "COMPLIANT"}), row], [load_balancer("api")])
    recording.evaluations(EGRESS, [evaluation("api", "COMPLIANT")])
    results = recording.observed([EGRESS]).results
    assert [one.load_balancer_name for one in results.findings] == ["api"]
    (error,) = results.errors
    assert cause in error.cause


def test_a_load_balancer_that_cannot_be_read_is_an_error(recording: Recording) -> None:
    recording.first_step((), [load_balancer("web").replace("2027-01-29T10:00:00.000Z", "yesterday")])
    (error,) = recording.observed().results.errors
    assert error.what == f"load balancers in aggregator {AGGREGATOR}"


def test_the_order_of_rows_is_of_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        verdicts(f"web-{n}", {INGRESS: "NON_COMPLIANT", ICMP: "COMPLIANT"}, account_region)
        for n in range(9)
        for account_region in (ACCOUNT_REGION, OTHER)
    ]
    items = [load_balancer(f"web-{n}", account_region) for n in range(10) for account_region in (ACCOUNT_REGION, OTHER)]
    monkeypatch.setattr("alb_sg.aws.calls.WORKERS", 1)

    def observed(seed: int) -> Any:
        order = random.Random(seed)  # noqa: S311 (an order, no secret)
        recording = Recording()
        recording.first_step(order.sample(rows, len(rows)), order.sample(items, len(items)))
        for account_region in (ACCOUNT_REGION, OTHER):
            for rule in (ICMP, INGRESS):
                recording.evaluations(rule, [], account_region)
        return recording.observed()

    assert observed(1) == observed(2)


def account(id_: str, name: str) -> dict[str, str]:
    return {"Id": id_, "Name": name, "Status": "ACTIVE"}


def test_accounts_have_names_and_units(recording: Recording) -> None:
    recording.first_step()
    recording.organization("list_roots", {"Roots": [{"Id": "r-abcd", "Name": "Root"}]})
    recording.organization(
        "list_accounts_for_parent", {"Accounts": [account(ACCOUNT_REGION.account_id, "management")]}, ParentId="r-abcd"
    )
    units = [{"Id": "ou-abcd-11111111", "Name": "Production"}]
    recording.organization("list_organizational_units_for_parent", {"OrganizationalUnits": units}, ParentId="r-abcd")
    recording.organization("list_accounts_for_parent", {"Accounts": []}, ParentId="ou-abcd-11111111")
    units = [{"Id": "ou-abcd-22222222", "Name": "Shops"}]
    recording.organization(
        "list_organizational_units_for_parent", {"OrganizationalUnits": units}, ParentId="ou-abcd-11111111"
    )
    recording.organization(
        "list_accounts_for_parent", {"Accounts": [account(OTHER.account_id, "shop")]}, ParentId="ou-abcd-22222222"
    )
    recording.organization(
        "list_organizational_units_for_parent", {"OrganizationalUnits": []}, ParentId="ou-abcd-22222222"
    )
    observation = recording.observed(names=True)
    assert observation.accounts == {
        ACCOUNT_REGION.account_id: AccountName("management", ""),
        OTHER.account_id: AccountName("shop", "Production/Shops"),
    }
    assert observation.completeness.gaps == ()


def test_names_alone_where_units_are_refused(recording: Recording) -> None:
    recording.first_step()
    recording.organization("list_roots", DENIED)
    recording.organization("list_accounts", {"Accounts": [account(ACCOUNT_REGION.account_id, "management")]})
    observation = recording.observed(names=True)
    assert observation.accounts == {ACCOUNT_REGION.account_id: AccountName("management", None)}
    assert observation.completeness.gaps == (
        "Not every account's name and organizational unit is known: ListRoots: AccessDeniedException: not allowed.",
    )


def test_no_names_where_all_is_refused(recording: Recording) -> None:
    recording.first_step()
    recording.organization("list_roots", DENIED)
    recording.organization("list_accounts", DENIED)
    observation = recording.observed(names=True)
    assert observation.accounts == {}
    assert len(observation.completeness.gaps) == 1
    assert observation.results.errors == []


def test_no_other_action_is_needed(recording: Recording) -> None:
    made: set[str] = set()
    for client in (recording.config, recording.organizations):
        service = client.meta.service_model.service_name
        client.meta.events.register(
            "before-parameter-build.*", lambda model, service=service, **_: made.add(f"{service}:{model.name}")
        )
    recording.first_step([verdicts("web", {EGRESS: "COMPLIANT"})], [load_balancer("web")])
    recording.evaluations(EGRESS, [evaluation("web", "COMPLIANT")])
    recording.organization("list_roots", {"Roots": [{"Id": "r-abcd", "Name": "Root"}]})
    recording.organization("list_accounts_for_parent", {"Accounts": []}, ParentId="r-abcd")
    recording.organization("list_organizational_units_for_parent", DENIED, ParentId="r-abcd")
    recording.organization("list_accounts", {"Accounts": []})
    recording.observed([EGRESS], names=True)
    assert made == set(IAM_ACTIONS)
