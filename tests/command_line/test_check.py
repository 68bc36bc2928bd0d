"""`alb-sg check`: exit codes, formats, selectors, parameters, and input that cannot be used."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from tests.builders import (
    ACCOUNT,
    ANYWHERE,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    REGION,
    RULES,
    TARGETS,
    Saved,
    Shape,
    estate,
    group,
    icmp,
    interface,
    listener,
    listener_arn,
    load_balancer,
    load_balancer_arn,
    network_load_balancer,
    prefix_list,
    target_group,
    target_group_arn,
    tcp,
)
from tests.command_line.calling import Command, closed, in_order, without_advice

WEB = load_balancer_arn("web")


@pytest.mark.parametrize(
    ("saved", "code"),
    [
        pytest.param(in_order(), 0, id="all compliant"),
        pytest.param(in_order(network_load_balancer()), 0, id="not applicable is no offence"),
        pytest.param({**estate(), "LoadBalancers": []}, 0, id="an empty account"),
        pytest.param(closed(), 1, id="non-compliant"),
        pytest.param(in_order(uncollected=["TargetGroups"]), 3, id="a section that verdicts need was not collected"),
        pytest.param(closed(uncollected=["TargetGroups"]), 3, id="an error weighs more than a non-compliant verdict"),
        pytest.param(in_order(uncollected=["LoadBalancers"]), 3, id="load balancers were not collected"),
    ],
)
def test_exit_code(command: Command, saved: Saved, code: int) -> None:
    assert command.on(saved, "check").code == code
    assert command.on(saved, "check", "--format", "json").code == code


@pytest.mark.parametrize("format_name", ["text", "jsonl"])
@pytest.mark.parametrize(
    ("fail_on", "rule", "code"),
    [
        ("any", ICMP, 1),
        ("non-compliant", ICMP, 1),
        # Path MTU Discovery is of severity LOW.
        ("high", ICMP, 0),
        ("high", INGRESS, 1),
        ("never", INGRESS, 0),
    ],
)
def test_fail_on_decides_the_exit_code(command: Command, fail_on: str, rule: str, code: int, format_name: str) -> None:
    answer = command.on(closed(), "check", "--fail-on", fail_on, "--rule", rule, "--format", format_name)
    assert answer.code == code
    assert "NON_COMPLIANT" in answer.out


@pytest.mark.parametrize("format_name", ["text", "jsonl"])
def test_quiet_leaves_the_exit_code_alone(command: Command, tmp_path: Path, format_name: str) -> None:
    answer = command.on(closed(), "check", "-q", "--format", format_name)
    assert (answer.code, answer.out, answer.err) == (1, "", "")
    path = tmp_path / "findings"
    command.on(closed(), "check", "-q", "--format", format_name, "-o", str(path))
    assert "NON_COMPLIANT" in path.read_text()


def test_fail_on_high_sees_later_findings_while_streaming(command: Command) -> None:
    """The first finding of the only load balancer is of a lower severity."""
    rules = ("--rule", HEALTH, "--rule", INGRESS)
    assert command.on(closed(), "check", *rules, "--fail-on", "high", "--format", "jsonl").code == 1


@pytest.mark.parametrize(("fail_on", "code"), [("any", 3), ("non-compliant", 1), ("never", 0)])
def test_errors_count_for_any_alone_and_are_always_printed(command: Command, fail_on: str, code: int) -> None:
    answer = command.on(closed(uncollected=["TargetGroups"]), "check", "--fail-on", fail_on)
    assert answer.code == code
    assert "was not collected" in answer.out


def test_json_is_the_contract_key_by_key(command: Command) -> None:
    path = command.file(closed())
    answer = command("check", "--format", "json", "--rule", INGRESS, "--rule", EGRESS, "--estate", path)
    assert answer.code == 1
    assert answer.json == {
        "version": 1,
        "findings": [
            {
                "accountId": ACCOUNT,
                "region": REGION,
                "loadBalancerArn": WEB,
                "loadBalancerName": "web",
                "rule": EGRESS,
                "compliance": "NON_COMPLIANT",
                "annotation": "target group web TCP:80 not open to 10.0.1.5 or sg-app in sg-1",
                "unresolved": False,
                "missing": [
                    {
                        "direction": "egress",
                        "protocol": "tcp",
                        "fromPort": 80,
                        "toPort": 80,
                        "required": ["10.0.1.5/32"],
                        "peers": ["10.0.1.5/32"],
                        "orSecurityGroups": ["sg-app"],
                        "because": {"type": "targetGroup", "arn": target_group_arn("web")},
                    }
                ],
                "advice": ["allow outbound TCP 80 to sg-app for target group web in sg-1"],
            },
            {
                "accountId": ACCOUNT,
                "region": REGION,
                "loadBalancerArn": WEB,
                "loadBalancerName": "web",
                "rule": INGRESS,
                "compliance": "NON_COMPLIANT",
                "annotation": "HTTPS:443 not open to 0.0.0.0/0 in sg-1",
                "unresolved": False,
                "missing": [
                    {
                        "direction": "ingress",
                        "protocol": "tcp",
                        "fromPort": 443,
                        "toPort": 443,
                        "required": [ANYWHERE],
                        "peers": [ANYWHERE],
                        "orSecurityGroups": [],
                        "because": {"type": "listener", "arn": listener_arn(WEB, f"{443:016x}")},
                    }
                ],
                "advice": ["allow inbound TCP 443 from 0.0.0.0/0 in sg-1"],
            },
        ],
        "errors": [],
        "remarks": [],
        "configuration": [
            {"option": "--estate", "values": [path], "from": "command line"},
            {"option": "--rule", "values": [INGRESS, EGRESS], "from": "command line"},
        ],
        "summary": {
            "loadBalancers": 1,
            "compliance": {"COMPLIANT": 0, "NON_COMPLIANT": 2, "NOT_APPLICABLE": 0},
            "rules": {
                EGRESS: {"COMPLIANT": 0, "NON_COMPLIANT": 1, "NOT_APPLICABLE": 0, "ERROR": 0},
                INGRESS: {"COMPLIANT": 0, "NON_COMPLIANT": 1, "NOT_APPLICABLE": 0, "ERROR": 0},
            },
            "errors": 0,
        },
    }


def test_json_errors_name_the_rule_in_what(command: Command) -> None:
    answer = command.on(in_order(uncollected=["TargetGroups"]), "check", "--format", "json")
    assert answer.json["errors"] == [
        {
            "loadBalancerArn": WEB,
            "what": f"{rule}: target groups of web",
            "cause": f"TargetGroups of {ACCOUNT} {REGION} was not collected",
        }
        for rule in (HEALTH, EGRESS, TARGETS)
    ]
    assert answer.json["summary"]["errors"] == 3
    assert answer.json["summary"]["rules"][EGRESS]["ERROR"] == 1


def test_load_balancers_that_were_not_collected_are_an_error_of_the_account(command: Command) -> None:
    (error,) = command.on(in_order(uncollected=["LoadBalancers"]), "check", "--format", "json").json["errors"]
    assert error["loadBalancerArn"] is None
    assert error["what"] == f"LoadBalancers of {ACCOUNT} {REGION}"
    assert error["cause"] == "the section was not collected"


def test_findings_are_sorted_by_account_region_arn_and_rule(command: Command) -> None:
    estates = [
        in_order(load_balancer("api"), region="eu-west-1"),
        in_order(account_id="000000000001"),
        in_order(),
    ]
    path = command.file(estates)
    findings = command("check", "--estate", path, "--format", "json").json["findings"]
    keys = [[found[key] for key in ("accountId", "region", "loadBalancerArn", "rule")] for found in findings]
    assert keys == sorted(keys)
    assert len(keys) == 4 * len(RULES)


@pytest.mark.parametrize("format_name", ["text", "json", "jsonl", "csv"])
def test_same_input_same_bytes(command: Command, format_name: str) -> None:
    saved = closed(load_balancer("web"), load_balancer("shop"), group("sg-2"))
    turned = {key: list(reversed(value)) if isinstance(value, list) else value for key, value in saved.items()}
    first = command.on(saved, "check", "--format", format_name)
    assert first == command.on(turned, "check", "--format", format_name)
    assert first.out.endswith("\n")
    assert not first.out.endswith("\n\n")


@pytest.mark.parametrize("format_name", ["json", "jsonl", "csv"])
def test_half_a_surrogate_pair_goes_out_as_json_writes_it(command: Command, tmp_path: Path, format_name: str) -> None:
    """JSON may hold one, and UTF-8 cannot."""
    saved = closed(load_balancer("web"))
    saved["LoadBalancers"][0]["LoadBalancerName"] = "web\ud83d"
    out = tmp_path / "out"
    assert command.on(saved, "check", "--format", format_name, "--output", str(out)).code == 1
    assert r"web\ud83d" in out.read_text(encoding="utf-8")


def test_jsonl_has_findings_then_errors(command: Command) -> None:
    answer = command.on(in_order(uncollected=["TargetGroups"]), "check", "--format", "jsonl")
    lines = [json.loads(line) for line in answer.out.splitlines()]
    whole = command.on(in_order(uncollected=["TargetGroups"]), "check", "--format", "json").json
    assert lines == [*without_advice(whole["findings"]), *({"error": error} for error in whole["errors"])]
    assert len(whole["findings"]) == 2


def test_csv_has_a_row_for_each_finding_and_error(command: Command) -> None:
    answer = command.on(closed(uncollected=["TargetGroups"]), "check", "--format", "csv")
    found = list(csv.DictReader(io.StringIO(answer.out)))
    assert [(row["rule"], row["status"]) for row in found] == [
        (ICMP, "NON_COMPLIANT"),
        (INGRESS, "NON_COMPLIANT"),
        (HEALTH, "ERROR"),
        (EGRESS, "ERROR"),
        (TARGETS, "ERROR"),
    ]
    assert {row["scheme"] for row in found} == {"internet-facing"}
    assert found[1]["missing"] == "inbound TCP 443 from 0.0.0.0/0"
    assert found[1]["unresolved"] == "false"
    assert found[2]["annotation"] == f"target groups of web: TargetGroups of {ACCOUNT} {REGION} was not collected"
    assert answer.err == ""


def test_csv_for_spreadsheets_begins_with_a_byte_order_mark(command: Command) -> None:
    answer = command.on(closed(), "check", "--format", "csv", "--spreadsheet")
    assert answer.out.startswith("\ufeffaccountId,")
    assert f'\n"=""{ACCOUNT}"""' in answer.out


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--spreadsheet",), "--spreadsheet is for --format csv; omit it with text"),
        (("--all", "--format", "json"), "--all is for --format text, sarif or asff; omit it with json"),
        (("--history", "runs"), "--history is for --format asff or ocsf; omit it with text"),
        (("--history", "runs", "--format", "asff", "--load-balancer", "web"), "--load-balancer"),
    ],
)
def test_an_option_that_does_not_concern_the_format_is_refused(
    command: Command, options: tuple[str, ...], named: str
) -> None:
    assert named in command.refused("check", "--estate", command.file(closed()), *options)


def _asff(command: Command, saved: Saved, hour: int) -> list[tuple[str, str, str]]:
    """The findings of a run at an hour: rule, compliance and record state."""
    runs = str(command.folder / "runs")
    time = f"2027-01-31T{hour:02}:00:00Z"
    answer = command.on(saved, "check", "--format", "asff", "--history", runs, "--as-of", time)
    return [
        (one["GeneratorId"].removeprefix("alb-sg/"), one["Compliance"]["Status"], one["RecordState"])
        for line in answer.out.splitlines()
        for one in json.loads(line)["Findings"]
    ]


def test_findings_are_closed_once_they_are_fixed(command: Command) -> None:
    open_findings = [(rule, "FAILED", "ACTIVE") for rule in (HEALTH, ICMP, EGRESS, INGRESS, TARGETS)]
    assert _asff(command, closed(), 1) == open_findings
    assert _asff(command, closed(), 2) == open_findings
    assert _asff(command, in_order(), 3) == [(rule, "PASSED", "ARCHIVED") for rule, _, _ in open_findings]
    assert _asff(command, in_order(), 4) == []


def test_an_error_between_leaves_a_finding_to_close(command: Command) -> None:
    """Security Hub has the error in place of the verdict, and must hear that there is none any more."""
    assert _asff(command, in_order(), 1) == []
    unread = [(rule, "NOT_AVAILABLE", "ACTIVE") for rule in (HEALTH, EGRESS, TARGETS)]
    assert _asff(command, in_order(uncollected=["TargetGroups"]), 2) == unread
    assert _asff(command, in_order(), 3) == [(rule, "PASSED", "ARCHIVED") for rule in (HEALTH, EGRESS, TARGETS)]


def test_findings_of_a_load_balancer_that_is_gone_are_closed(command: Command) -> None:
    _asff(command, closed(), 1)
    gone = [(rule, "NOT_AVAILABLE", "ARCHIVED") for rule in (HEALTH, ICMP, EGRESS, INGRESS, TARGETS)]
    assert _asff(command, {**estate(), "LoadBalancers": []}, 2) == gone


def test_findings_stay_open_where_load_balancers_were_not_read(command: Command) -> None:
    _asff(command, closed(), 1)
    unread = [("alb-sg", "NOT_AVAILABLE", "ACTIVE")]
    assert _asff(command, in_order(uncollected=["LoadBalancers"]), 2) == unread


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_csv_cells_are_no_formulas(command: Command, name: str) -> None:
    saved = in_order()
    saved["LoadBalancers"][0]["LoadBalancerName"] = name
    answer = command.on(saved, "check", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert {row["loadBalancerName"] for row in rows} == {f"'{name}"}


def test_text_lists_outages_first_and_counts_compliant_ones(command: Command) -> None:
    def web(name: str, group_id: str) -> list[Shape]:
        return [
            load_balancer(name, groups=[group_id]),
            listener(443, of=name),
            target_group(name, targets=["10.0.1.5"], load_balancers=[name], health_check_port="81"),
        ]

    everything = [tcp(443, ANYWHERE), icmp(3, 4, ANYWHERE)]
    saved = estate(
        *web("a-fine", "sg-fine"),
        *web("b-icmp", "sg-noicmp"),
        *web("c-health", "sg-nohealth"),
        *web("d-target", "sg-notarget"),
        interface("10.0.1.5"),
        group("sg-fine", ingress=everything, egress=[tcp((80, 81), "sg-app")]),
        group("sg-noicmp", ingress=everything[:1], egress=[tcp((80, 81), "sg-app")]),
        group("sg-nohealth", ingress=everything, egress=[tcp(80, "sg-app")]),
        group("sg-notarget", ingress=everything, egress=[tcp(81, "sg-app")]),
        group("sg-app", ingress=[tcp((80, 81), "10.0.0.0/16")]),
    )
    answer = command.on(saved, "check")
    order = [answer.out.index(name) for name in ("d-target", "c-health", "b-icmp")]
    assert order == sorted(order)
    # The sentence at the end begins with what is wrong, too.
    assert "a-fine" not in answer.out
    assert answer.out.endswith(
        "\n4 load balancers: 3 not as recommended (3 internet-facing); 1 as recommended. --all lists every verdict.\n"
    )
    assert "\x1b" not in answer.out


def test_text_shows_errors_and_the_full_annotation(command: Command) -> None:
    saved = closed(listener(80), uncollected=["TargetGroups"])
    answer = command.on(saved, "check")
    error = next(line for line in answer.out.splitlines() if line.startswith("ERROR") and f"  {EGRESS}  " in line)
    assert "  internet-facing  web  " in error
    assert f"target groups of web: TargetGroups of {ACCOUNT} {REGION} was not collected" in answer.out
    assert "fix: allow inbound TCP 80 from 0.0.0.0/0 in sg-1\n" in answer.out
    assert "fix: allow inbound TCP 443 from 0.0.0.0/0 in sg-1\n" in answer.out
    assert "3 errors" in answer.out


def test_a_line_has_all_that_a_search_needs(command: Command) -> None:
    lines = command.on(closed(), "check", "--rule", INGRESS).out.splitlines()
    assert lines[0].split("  ") == [
        *("NON_COMPLIANT", "HIGH", "internet-facing", "web", f"{ACCOUNT} {REGION}", INGRESS),
        "HTTPS:443 not open to 0.0.0.0/0 in sg-1",
    ]
    assert lines[1].startswith("    fix: ")


def test_internet_facing_load_balancers_come_first_within_a_severity(command: Command) -> None:
    saved = closed(load_balancer("a", scheme="internal"), load_balancer("b"), load_balancer("c", scheme="internal"))
    lines = command.on(saved, "check", "--rule", ICMP).out.splitlines()
    assert [line.split()[2:4] for line in lines if line.startswith("NON_COMPLIANT")] == [
        ["internet-facing", "b"],
        ["internal", "a"],
        ["internal", "c"],
    ]


def test_all_lists_every_verdict(command: Command) -> None:
    saved = in_order(network_load_balancer("front"))
    assert "web" not in command.on(saved, "check").out
    lines = command.on(saved, "check", "--all").out.splitlines()
    assert [line.split()[0] for line in lines[:-2]] == ["COMPLIANT"] * 5 + ["NOT_APPLICABLE"] * 5
    assert lines[-1] == ("2 load balancers: 0 not as recommended; 1 as recommended; 1 to which no rule applies.")


def test_a_summary_has_the_counts_of_each_rule_alone(command: Command) -> None:
    lines = command.on(closed(), "check", "--summary", "--rule", INGRESS, "--rule", ICMP).out.splitlines()
    assert [line.split() for line in lines[:-1]] == [
        [INGRESS, "HIGH", "1", "NON_COMPLIANT"],
        [ICMP, "LOW", "1", "NON_COMPLIANT"],
    ]
    assert lines[-1] == "1 load balancer: 1 not as recommended (1 internet-facing)."


def test_text_says_that_an_empty_account_has_nothing(command: Command) -> None:
    answer = command.on({**estate(), "LoadBalancers": []}, "check")
    assert answer.out == f"No load balancer found in {ACCOUNT} {REGION}.\n"


def test_text_obeys_no_control_character_of_a_name(command: Command) -> None:
    saved = closed()
    saved["LoadBalancers"][0]["LoadBalancerName"] = "web\x1b[2J"
    assert "\x1b" not in command.on(saved, "check").out


def test_text_names_the_accepted_source(command: Command) -> None:
    saved = in_order()
    saved["SecurityGroups"][0]["IpPermissions"] = [tcp(443, "10.0.0.0/8"), icmp(3, 4, ANYWHERE)]
    answer = command.on(saved, "check", "--all", "--parameter", f"{INGRESS}:AcceptedSources=10.0.0.0/8")
    assert answer.code == 0
    assert f"  {INGRESS}     HTTPS:443 open to accepted source 10.0.0.0/8" in answer.out


def test_rule_names_are_read_kindly(command: Command) -> None:
    for name in (ICMP, "icmp_pmtud", "Icmp-Pmtud", "alb_sg_icmp_pmtud"):
        findings = command.on(closed(), "check", "--format", "json", "--rule", name).json["findings"]
        assert [found["rule"] for found in findings] == [ICMP]


def test_only_data_of_the_chosen_rules_is_needed(command: Command) -> None:
    saved = in_order(uncollected=["TargetGroups", "TargetHealthDescriptions", "Listeners", "Tags"])
    assert command.on(saved, "check", "--rule", ICMP).code == 0


@pytest.mark.parametrize("name", ["shop", load_balancer_arn("shop")])
def test_load_balancers_are_selected_by_name_or_arn(command: Command, name: str) -> None:
    saved = closed(load_balancer("web"), load_balancer("shop"))
    answer = command.on(saved, "check", "--format", "json", "--load-balancer", name)
    assert {found["loadBalancerName"] for found in answer.json["findings"]} == {"shop"}
    assert answer.json["summary"]["loadBalancers"] == 1


def test_a_selector_that_matches_nothing_is_refused(command: Command) -> None:
    path = command.file(closed())
    said = command.refused("check", "--estate", path, "--load-balancer", "web", "--load-balancer", "wbe")
    assert "'wbe'" in said
    assert f"{ACCOUNT} {REGION}" in said


def test_a_selector_is_not_refused_where_load_balancers_were_not_read(command: Command) -> None:
    saved = in_order(uncollected=["LoadBalancers"])
    assert command.on(saved, "check", "--load-balancer", "web").code == 3


def test_a_parameter_is_for_one_rule_or_for_all_that_take_it(command: Command) -> None:
    saved = in_order()
    saved["SecurityGroups"][0]["IpPermissions"] = [tcp(443, "10.0.0.0/8"), icmp(3, 4, "10.0.0.0/8")]

    def non_compliant(*parameters: str) -> list[str]:
        options = [option for parameter in parameters for option in ("--parameter", parameter)]
        findings = command.on(saved, "check", "--format", "json", *options).json["findings"]
        return [found["rule"] for found in findings if found["compliance"] == "NON_COMPLIANT"]

    assert non_compliant() == [ICMP, INGRESS]
    assert non_compliant("listener_ingress:AcceptedSources=10.0.0.0/8") == [ICMP]
    assert non_compliant("AcceptedSources=10.0.0.0/8") == []


def test_target_match_and_ipv6_sources_parse(command: Command) -> None:
    saved = in_order()
    saved["SecurityGroups"][0]["IpPermissionsEgress"] = [tcp(80, "10.0.0.0/16")]
    answer = command.on(
        saved,
        "check",
        "--format",
        "json",
        "--parameter",
        "ALB_SG_INSTANCE_EGRESS:TargetMatch=security-group",
        "--parameter",
        "ALB_SG_LISTENER_INGRESS:AcceptedSources=2001:db8::/32",
    )
    found = {finding["rule"]: finding["compliance"] for finding in answer.json["findings"]}
    assert found == {**dict.fromkeys(RULES, "COMPLIANT"), EGRESS: "NON_COMPLIANT"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--parameter", "ALB_SG_LISTENER_INGRESS:Sources=1"], ["Sources", "AcceptedSources"]),
        (["--parameter", "Sources=1"], ["Sources", "AcceptedSources"]),
        (["--parameter", "ALB_SG_LISTENER_INGRESS:TargetMatch=effective"], ["TargetMatch", "AcceptedSources"]),
        (["--parameter", "ALB_SG_ICMP:TagKey=a"], ["ALB_SG_ICMP", "ALB_SG_ICMP_PMTUD"]),
        (["--parameter", "AcceptedSources=10.0.0.0/33"], ["AcceptedSources", "10.0.0.0/33"]),
        (["--parameter", "TargetMatch=both"], ["TargetMatch", "both"]),
        (["--parameter", "TagKey"], ["TagKey", "Key=Value"]),
        (["--parameter", "=x"], ["Key=Value"]),
        (["--parameter", ":TagKey=x"], ["Key=Value"]),
        (["--parameter", "TagKey=a", "--parameter", f"{INGRESS}:TagKey=b"], ["TagKey", INGRESS, "twice"]),
        (["--rule", ICMP, "--parameter", f"{INGRESS}:TagKey=a"], [INGRESS, "--rule"]),
        (["--rule", ICMP, "--parameter", "TargetMatch=effective"], ["TargetMatch"]),
        (["--rule", "everything"], ["everything", INGRESS, EGRESS, HEALTH, ICMP]),
        (["--format", "xml"], ["xml", "json"]),
        (["--formt", "json"], ["--formt", "--help"]),
        (["--region", "eu-west-1"], ["--region", "live"]),
    ],
)
def test_bad_options_are_refused_by_name(command: Command, options: list[str], named: list[str]) -> None:
    said = command.refused("check", "--estate", command.file(in_order()), *options)
    assert [word for word in named if word not in said] == []


def test_parameters_are_refused_before_anything_is_read(command: Command) -> None:
    said = command.refused("check", "--estate", "absent.json", "--parameter", "TargetMatch=both")
    assert "TargetMatch" in said


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"{", [], id="not JSON"),
        pytest.param(b"", [], id="empty"),
        pytest.param(gzip.compress(b"{}" * 1000)[:30], [], id="truncated gzip"),
        pytest.param(b"[[]]", ["[0]", "object"], id="a list where an object belongs"),
        pytest.param(b'{"Region": "us-east-1"}', ["AccountId"], id="no account"),
    ],
)
def test_bad_files_are_refused_with_file_and_place(
    command: Command, tmp_path: Path, content: bytes, named: list[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    said = command.refused("check", "--estate", str(path))
    assert [word for word in [str(path), *named] if word not in said] == []


def test_a_bad_port_is_an_error_of_its_load_balancer(command: Command) -> None:
    """It concerns that listener alone. The load balancers without it are still judged."""
    saved = in_order()
    saved["Listeners"][0]["Port"] = 70000
    answer = command("check", "--estate", command.file(saved))
    assert answer.code == 3
    assert "Port" in answer.out + answer.err
    assert "70000" in answer.out + answer.err


def test_a_missing_file_is_refused(command: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "absent.json")
    assert path in command.refused("check", "--estate", path)


def test_one_account_and_region_comes_once(command: Command) -> None:
    first, second = command.file(in_order(), "a.json"), command.file(closed(), "b.json")
    said = command.refused("check", "--estate", first, "--estate", second)
    assert [word for word in (ACCOUNT, REGION, first, second) if word not in said] == []


def test_files_of_several_accounts_are_judged_together(command: Command) -> None:
    """A prefix list that another account of the run owns is resolved from there."""
    mine = in_order()
    mine["SecurityGroups"][0]["IpPermissions"] = [tcp(443, "pl-everybody"), icmp(3, 4, ANYWHERE)]
    theirs = estate(prefix_list("pl-everybody", "0.0.0.0/1", "128.0.0.0/1"), account_id="999999999999")
    theirs["LoadBalancers"] = []
    del mine["ManagedPrefixLists"]
    first, second = command.file(mine, "mine.json"), command.file(theirs, "theirs.json")
    assert command("check", "--estate", first).code == 3
    assert command("check", "--estate", first, "--estate", second).code == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_entries_that_are_refused_here_and_known_there(command: Command, order: tuple[int, int]) -> None:
    """The list is read from the account that owns it: what was read proves cover."""
    mine = in_order(prefix_list("pl-everybody", refused=True))
    mine["SecurityGroups"][0]["IpPermissions"] = [tcp(443, "pl-everybody"), icmp(3, 4, ANYWHERE)]
    theirs = estate(prefix_list("pl-everybody", "0.0.0.0/1", "128.0.0.0/1"), account_id="999999999999")
    third = estate(prefix_list("pl-everybody", refused=True), account_id="000000000001")
    for one in (theirs, third):
        one["LoadBalancers"] = []
    alone = command.on(mine, "check", "--rule", INGRESS, "--format", "json").json["findings"]
    assert [(one["compliance"], one["unresolved"]) for one in alone] == [("NON_COMPLIANT", True)]
    others = [(theirs, third)[place] for place in order]
    files = [command.file(one, f"{index}.json") for index, one in enumerate((mine, *others))]
    given = [word for file in files for word in ("--estate", file)]
    assert command("check", *given, "--rule", INGRESS).code == 0


def test_sources_without_any_account_are_refused(command: Command) -> None:
    assert "no Config item of a type" in command.refused("check", "--estate", command.file([]))


def test_config_items_and_saved_estates_combine(command: Command, tmp_path: Path) -> None:
    item = {
        "configurationItemStatus": "OK",
        "configurationItemCaptureTime": "2024-01-01T00:00:00Z",
        "awsAccountId": "999999999999",
        "awsRegion": REGION,
        "resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "resourceId": WEB.replace(ACCOUNT, "999999999999"),
        "ARN": WEB.replace(ACCOUNT, "999999999999"),
        "configuration": {
            "loadBalancerArn": WEB.replace(ACCOUNT, "999999999999"),
            "loadBalancerName": "web",
            "type": "network",
            "scheme": "internal",
            "vpcId": "vpc-9",
            "state": {"code": "active"},
        },
    }
    items = tmp_path / "items.json"
    items.write_text(json.dumps({"configurationItems": [item]}))
    answer = command("check", "--estate", command.file(in_order()), "--config-items", str(items), "--format", "json")
    assert {found["accountId"] for found in answer.json["findings"]} == {ACCOUNT, "999999999999"}
    assert answer.code == 0
