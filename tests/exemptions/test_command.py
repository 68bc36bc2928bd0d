"""`alb-sg exemptions`, and `--exemptions` of `check` and `explain`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.builders import ACCOUNT, HEALTH, ICMP, INGRESS, REGION, load_balancer, load_balancer_arn
from tests.command_line.calling import Answer, Command, closed, in_order
from tests.exemptions.entries import document, entry

WEB = load_balancer_arn()
DATE = ("--date", "2026-06-15")
REFUSED = "ICMP type 3 code 4 not open to 0.0.0.0/0 in sg-1"


def check(command: Command, *options: str, entries: list[Any], saved: Any = None) -> Answer:
    path = command.file(document(*entries), "exemptions.json")
    return command.on(saved or closed(), "check", "--exemptions", path, *DATE, *options)


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_json_keeps_the_contract_and_lists_exemptions_apart(command: Command) -> None:
    answer = check(command, "--rule", ICMP, "--format", "json", entries=[entry()])
    without = command.on(closed(), "check", "--rule", ICMP, "--format", "json").json
    (verdict,) = without["findings"]
    assert answer.code == 0
    assert answer.json["findings"] == [
        verdict
        | {
            "compliance": "NOT_APPLICABLE",
            "annotation": "exempt until 2027-01-31 by team-edge (SEC-12): moves to another VPC; "
            f"would be NON_COMPLIANT: {REFUSED}",
            "missing": [],
            "advice": [],
        }
    ]
    assert answer.json["exemptions"] == [
        {
            "accountId": ACCOUNT,
            "region": REGION,
            "loadBalancerArn": WEB,
            "rule": ICMP,
            "reason": "moves to another VPC",
            "owner": "team-edge",
            "ticket": "SEC-12",
            "expires": "2027-01-31",
            "wouldBe": {key: verdict[key] for key in ("compliance", "annotation", "unresolved", "missing")},
            "error": None,
        }
    ]
    assert answer.json["summary"]["compliance"] == {"COMPLIANT": 0, "NON_COMPLIANT": 0, "NOT_APPLICABLE": 1}
    assert answer.json["summary"]["exempt"] == 1
    assert list(answer.json) == ["version", "findings", "errors", "exemptions", "remarks", "configuration", "summary"]
    assert list(without) == ["version", "findings", "errors", "remarks", "configuration", "summary"]
    assert "exempt" not in without["summary"]


def test_an_exempted_load_balancer_that_cannot_be_judged_is_no_error(command: Command) -> None:
    saved = closed(uncollected=["TargetGroups"])
    answer = check(command, "--rule", HEALTH, "--format", "json", entries=[entry(rule=HEALTH)], saved=saved)
    assert (answer.code, answer.json["errors"]) == (0, [])
    (found,) = answer.json["exemptions"]
    assert found["wouldBe"] is None
    assert found["error"]["what"] == f"{HEALTH}: target groups of web"


def test_text_shows_who_is_exempt_by_whom_and_until_when(command: Command) -> None:
    answer = check(command, "--all", entries=[entry()])
    assert answer.code == 1
    (line,) = lines_with(answer.out, "EXEMPT")
    said = line.partition(f"  {ICMP}  ")[2].strip()
    assert line.startswith("EXEMPT ")
    assert said == f"until 2027-01-31 by team-edge (SEC-12): moves to another VPC; would be NON_COMPLIANT: {REFUSED}"
    assert "1 exemption in force" in answer.out.splitlines()[-1]


@pytest.mark.parametrize(("saved", "would_be"), [(closed(), "NON_COMPLIANT"), (in_order(), "COMPLIANT")])
def test_an_exempted_load_balancer_is_never_listed_as_compliant(
    command: Command, saved: dict[str, Any], would_be: str
) -> None:
    def shown(format_name: str) -> str:
        options = ("--rule", ICMP, "--format", format_name)
        more = ("--all",) if format_name == "text" else ()
        return check(command, *options, *more, entries=[entry()], saved=saved).out

    (line,) = lines_with(shown("text"), "  web  ")
    assert line.startswith("EXEMPT  ")
    assert f"{ICMP}  until 2027-01-31 by team-edge (SEC-12): moves to another VPC; would be {would_be}" in line
    assert "as recommended" not in shown("text").replace("not as recommended", "")
    (row,) = csv.DictReader(io.StringIO(shown("csv")))
    assert row["status"] == "EXEMPT"
    assert row["exemption"].startswith("until 2027-01-31 by team-edge (SEC-12)")
    finding, exemption = map(json.loads, shown("jsonl").splitlines())
    assert finding["compliance"] == "NOT_APPLICABLE"
    assert exemption["exemption"]["wouldBe"]["compliance"] == would_be


def test_exempt_findings_are_counted_apart(command: Command) -> None:
    answer = check(command, entries=[entry()], saved=in_order())
    assert answer.code == 0
    assert lines_with(answer.out, "EXEMPT") == []
    assert "0 not as recommended; 1 exempt; 1 exemption in force" in answer.out
    assert len(lines_with(check(command, "--all", entries=[entry()], saved=in_order()).out, "EXEMPT")) == 1


def test_csv_has_an_empty_cell_without_exemption(command: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(command.on(closed(), "check", "--format", "csv").out)))
    assert {row["exemption"] for row in rows} == {""}


def test_an_expired_exemption_hides_nothing_and_says_so(command: Command) -> None:
    answer = check(command, "--rule", ICMP, "--format", "json", entries=[entry(expires="2026-06-14")])
    assert answer.code == 1
    (found,) = answer.json["findings"]
    assert found["compliance"] == "NON_COMPLIANT"
    assert found["annotation"] == f"{REFUSED}; exemption expired 2026-06-14 (SEC-12)"
    assert len(found["missing"]) == 1
    assert answer.json["exemptions"] == []


def test_an_expired_exemption_of_a_compliant_load_balancer_is_mentioned(command: Command) -> None:
    answer = check(command, "--all", entries=[entry(expires="2026-06-14")], saved=in_order())
    assert answer.code == 0
    assert f"{ICMP}           exemption expired 2026-06-14 (SEC-12)" in answer.out


def test_a_malformed_entry_is_an_error_and_the_others_count(command: Command) -> None:
    entries = [entry(rule=INGRESS, ticket=None), entry()]
    answer = check(command, "--rule", ICMP, "--rule", INGRESS, "--format", "json", entries=entries)
    assert answer.code == 3
    assert [found["compliance"] for found in answer.json["findings"]] == ["NOT_APPLICABLE", "NON_COMPLIANT"]
    (error,) = answer.json["errors"]
    assert error["what"].startswith("exemptions[0].ticket in ")
    assert error["cause"] == f"it is missing; every exemption needs one; the exemption ({INGRESS} {WEB}) hides nothing"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"version": 1}'])
def test_a_file_that_is_no_document_is_refused(command: Command, content: str) -> None:
    path = command.folder / "exemptions.json"
    path.write_text(content, encoding="utf-8")
    estate = command.file(closed())
    assert str(path) in command.refused("check", "--estate", estate, "--exemptions", str(path))
    assert str(path) in command.refused("exemptions", str(path), "--estate", estate)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--exemptions", "missing.json"), "missing.json: the file cannot be read"),
        (("--exemptions", "s3://bucket"), "is not s3://bucket/key"),
        (("--exemptions", "ssm:"), "is not s3://bucket/key, ssm:"),
        (("--date", "2027-01-31"), "--exemptions"),
        (("--exemptions", "missing.json", "--date", "31.1.2027"), "not a date"),
        (("--exemptions", "missing.json", "--date", "20270131"), "not a date"),
        # A parameter that is taken and does nothing would be worse.
        (("--parameter", "Exemptions=s3://bucket/key"), "--exemptions SOURCE"),
        (("--parameter", f"{ICMP}:Exemptions=s3://bucket/key"), "--exemptions SOURCE"),
    ],
)
def test_mistakes_are_refused(command: Command, options: tuple[str, ...], said: str) -> None:
    estate = command.file(closed())
    for name in (("check",), ("explain", "web")):
        assert said in command.refused(*name, "--estate", estate, *options)


def test_explain_says_exempt_and_still_shows_every_row(command: Command) -> None:
    path = command.file(document(entry()), "exemptions.json")
    answer = command.on(closed(), "explain", "web", "--rule", ICMP, "--exemptions", path, *DATE)
    assert answer.code == 0
    assert f"{ICMP}  EXEMPT" in answer.out
    assert (
        f"exempt until 2027-01-31 by team-edge (SEC-12): moves to another VPC; would be NON_COMPLIANT: {REFUSED}"
        in (answer.out)
    )
    assert "missing  inbound ICMP type 3 code 4" in answer.out
    (rule,) = command.on(
        closed(), "explain", "web", "--rule", ICMP, "--exemptions", path, *DATE, "--format", "json"
    ).json["rules"]
    assert rule["compliance"] == "NOT_APPLICABLE"
    assert rule["exemption"]["ticket"] == "SEC-12"
    assert rule["exemption"]["wouldBe"]["compliance"] == "NON_COMPLIANT"


def test_explain_says_that_an_exemption_has_expired(command: Command) -> None:
    path = command.file(document(entry(expires="2026-06-14"), entry(rule=None)), "exemptions.json")
    answer = command.on(closed(), "explain", "web", "--rule", ICMP, "--exemptions", path, *DATE)
    assert answer.code == 3
    assert "EXEMPT" not in answer.out
    assert "note     exemption expired 2026-06-14 (SEC-12)" in answer.out
    assert "exemptions[1].rule" in answer.err


def listed(command: Command, *options: str, entries: list[Any], saved: Any = None) -> Answer:
    path = command.file(document(*entries), "exemptions.json")
    return command.on(saved or closed(), "exemptions", path, *DATE, *options)


# `other` meets every recommendation, and `gone` is not there.
IN_ORDER = in_order()
OTHER, GONE = load_balancer_arn("other"), load_balancer_arn("gone")
ELSEWHERE = WEB.replace(ACCOUNT, "000000000001")


@pytest.mark.parametrize(
    ("changes", "saved", "code", "status", "use", "because"),
    [
        ({}, closed(), 0, "inForce", "used", f"NON_COMPLIANT: {REFUSED}"),
        ({"expires": "2026-07-15"}, closed(), 1, "expiring", "used", f"NON_COMPLIANT: {REFUSED}"),
        ({"expires": "2026-06-14"}, closed(), 1, "expired", "used", f"NON_COMPLIANT: {REFUSED}"),
        ({}, IN_ORDER, 1, "inForce", "unused", "COMPLIANT without it: 1 requirement met in sg-1"),
        (
            {"loadBalancer": GONE},
            closed(),
            1,
            "inForce",
            "unused",
            f"there is no such load balancer in {ACCOUNT} {REGION}",
        ),
        ({"loadBalancer": ELSEWHERE}, closed(), 0, "inForce", "unknown", f"000000000001 {REGION} was not looked at"),
        (
            {"rule": HEALTH},
            closed(uncollected=["TargetGroups"]),
            3,
            "inForce",
            "unknown",
            f"not judged: target groups of web: TargetGroups of {ACCOUNT} {REGION} was not collected",
        ),
    ],
)
def test_every_exemption_is_listed_with_its_status_and_use(
    command: Command, changes: dict[str, Any], saved: dict[str, Any], code: int, status: str, use: str, because: str
) -> None:
    answer = listed(command, "--format", "json", entries=[entry(**changes)], saved=saved)
    assert answer.code == code
    (found,) = answer.json["exemptions"]
    assert (found["status"], found["use"], found["because"]) == (status, use, because)
    assert answer.json["summary"] == {
        "inForce": int(status == "inForce"),
        "expiring": int(status == "expiring"),
        "expired": int(status == "expired"),
        "unused": int(use == "unused"),
        "unknown": int(use == "unknown"),
        "malformed": 0,
        "errors": int(code == 3),
    }


def test_the_whole_of_one_exemption(command: Command) -> None:
    answer = listed(command, "--format", "json", "--days", "1", entries=[entry()])
    assert answer.json | {"source": None} == {
        "version": 1,
        "source": None,
        "date": "2026-06-15",
        "days": 1,
        "exemptions": [
            {
                "accountId": ACCOUNT,
                "region": REGION,
                "loadBalancerArn": WEB,
                "rule": ICMP,
                "reason": "moves to another VPC",
                "owner": "team-edge",
                "ticket": "SEC-12",
                "expires": "2027-01-31",
                "ports": [],
                "status": "inForce",
                "use": "used",
                "because": f"NON_COMPLIANT: {REFUSED}",
            }
        ],
        "malformed": [],
        "errors": [],
        "summary": {
            "inForce": 1,
            "expiring": 0,
            "expired": 0,
            "unused": 0,
            "unknown": 0,
            "malformed": 0,
            "errors": 0,
        },
    }
    assert answer.json["source"].endswith("exemptions.json")


def test_text_lists_problems_first(command: Command) -> None:
    entries = [
        entry(),
        entry(rule=INGRESS, expires="2026-06-15"),
        entry(rule=HEALTH, expires="2026-06-14"),
        entry(loadBalancer=GONE),
        entry(loadBalancer=OTHER, ticket=None),
    ]
    answer = listed(command, entries=entries)
    assert answer.code == 3
    titles = [line for line in answer.out.splitlines() if line[:1].isupper()]
    assert titles == [
        "MALFORMED: hides nothing",
        "EXPIRED: hides nothing",
        "EXPIRING within 30 days",
        "UNUSED: in force, and there is nothing to hide",
        "IN FORCE",
    ]
    (expired,) = lines_with(answer.out, "1 day ago")
    assert expired == f"  web  {ACCOUNT} {REGION}  {HEALTH}  expired 2026-06-14, 1 day ago  team-edge (SEC-12)"
    assert lines_with(answer.out, "ends today")
    assert lines_with(answer.out, "230 days left")
    assert answer.out.splitlines()[-1].endswith(
        "exemptions.json on 2026-06-15: 5 exemptions: 3 in force, 1 of them expiring, 1 expired, 1 unused, 1 malformed."
    )


@pytest.mark.parametrize(("days", "code"), [("0", 0), ("229", 0), ("230", 1)])
def test_days_say_how_soon_is_soon(command: Command, days: str, code: int) -> None:
    assert listed(command, "--days", days, entries=[entry()]).code == code


def test_no_exemptions_want_no_attention(command: Command) -> None:
    answer = listed(command, entries=[])
    assert answer.code == 0
    assert "0 exemptions: 0 in force" in answer.out


def test_unused_exemptions_are_reported_by_rule_and_parameter(command: Command) -> None:
    path = command.file(document(entry(rule=INGRESS), entry()), "exemptions.json")
    saved = closed(load_balancer("web"))
    saved["SecurityGroups"][0]["IpPermissions"] = [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ]
    options = ("--rule", INGRESS, "--format", "json", *DATE)
    (found,) = command.on(saved, "exemptions", path, *options).json["exemptions"]
    assert found["use"] == "used"
    accepted = ("--parameter", "AcceptedSources=10.0.0.0/8")
    (found,) = command.on(saved, "exemptions", path, *options, *accepted).json["exemptions"]
    assert found["use"] == "unused"


@pytest.mark.parametrize("days", ["-1", "x", "1.5", "", "1000000"])
def test_days_that_are_none_are_refused(command: Command, days: str) -> None:
    assert "--days" in command.refused("exemptions", "exemptions.json", f"--days={days}")


def test_the_help_explains_exit_codes(command: Command) -> None:
    answer = command("exemptions", "--help")
    assert answer.code == 0
    assert "has expired, is about to expire, or is unused" in answer.out


@pytest.fixture
def cloud() -> Iterator[None]:
    with mock_aws():
        s3 = boto3.client("s3", REGION)
        s3.create_bucket(Bucket="governance")
        s3.put_object(Bucket="governance", Key="exemptions.json", Body=json.dumps(document(entry())))
        ssm = boto3.client("ssm", REGION)
        ssm.put_parameter(Name="/alb-sg/exemptions", Value=json.dumps(document(entry())), Type="String")
        yield


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("source", ["s3://governance/exemptions.json", "ssm:/alb-sg/exemptions"])
def test_exemptions_are_read_where_the_rules_read_them(command: Command, source: str) -> None:
    assert "1 exemption in force" in command.on(closed(), "check", "--rule", ICMP, "--exemptions", source, *DATE).out
    assert command.on(closed(), "exemptions", source, *DATE).code == 0


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("source", ["s3://governance/other.json", "s3://no-such-bucket/x", "ssm:/other"])
def test_unreadable_exemptions_exempt_nothing(command: Command, source: str) -> None:
    answer = command.on(closed(), "check", "--rule", ICMP, "--exemptions", source, "--format", "json")
    assert answer.code == 3
    assert [found["compliance"] for found in answer.json["findings"]] == ["NON_COMPLIANT"]
    (error,) = answer.json["errors"]
    assert error["what"] == f"exemptions in {source}"
    assert error["cause"].endswith("no exemption applies")
    refused = command.on(closed(), "exemptions", source)
    assert (refused.code, refused.out) == (3, "")
    assert source in refused.err


@pytest.mark.usefixtures("cloud")
def test_a_live_region_knows_only_its_own_unused_exemptions(command: Command) -> None:
    here = WEB.replace(ACCOUNT, "123456789012")
    path = command.file(document(entry(loadBalancer=here), entry()), "exemptions.json")
    answer = command("exemptions", path, *DATE, "--region", REGION, "--format", "json")
    assert answer.code == 1
    assert [found["use"] for found in answer.json["exemptions"]] == ["unknown", "unused"]
