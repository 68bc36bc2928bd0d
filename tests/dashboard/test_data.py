"""The page's data and its markup, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.dashboard.audit import InputSource, Provenance
from alb_sg.dashboard.fixes import fix_objects
from alb_sg.dashboard.history import Run, make_run, write_run
from alb_sg.dashboard.page import render_page
from alb_sg.dashboard.page_data import build_page_data, page_data_text
from alb_sg.dashboard.part_histories import PartHistories
from alb_sg.dashboard.split import INDEX_NAME, SplitBy, split_page_data
from alb_sg.dashboard.split_index import render_index
from alb_sg.dashboard.summary import count_compliance
from alb_sg.estate.model import Permission, SecurityGroup, UnknownValue
from alb_sg.findings.causes import Cause, find_causes
from alb_sg.findings.exemption_application import malformed_exemption_error
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Missing
from alb_sg.observations.filter_patterns import NO_OWNER
from alb_sg.observations.ranking import rank
from alb_sg.recommendations.requirement import Origin
from tests.dashboard import recount
from tests.dashboard.organization import HOSTILE, Organization, hostile, organization


def written(made: Organization) -> tuple[dict[str, Any], str]:
    found = build_page_data(made.observation, made.earlier, fix_objects(made.observation, made.plans))
    return found, render_page(found, page_data_text(found))


def embedded(html: str) -> Any:
    data = re.search(r'id="data">([^<]*)<', html)
    assert data is not None
    return json.loads(zlib.decompress(base64.b64decode(data[1])))


@pytest.mark.slow
def test_the_same_gives_the_same_bytes() -> None:
    assert written(organization(60)) == written(organization.__wrapped__(60))


def test_the_page_holds_the_data_beside_it() -> None:
    found, html = written(organization(60))
    assert embedded(html) == json.loads(page_data_text(found))


def test_every_verdict_is_in_the_data_once() -> None:
    made = organization(240)
    found = build_page_data(made.observation, made.earlier, fix_objects(made.observation, made.plans))
    results = made.observation.results
    expected = [(one.load_balancer_arn, one.rule) for one in results.findings]
    expected += [(str(one.load_balancer_arn), str(one.rule)) for one in results.errors]
    assert sorted((one["arn"], verdict["rule"]) for one, verdict in recount.pairs(found)) == sorted(expected)


def test_the_numbers_on_top() -> None:
    made = organization(240)
    found = build_page_data(made.observation, made.earlier)
    top = count_compliance(found)
    assert {
        "judged": top.judged,
        "nonCompliant": top.non_compliant,
        "internetFacing": top.internet_facing,
        "unreachable": top.unreachable,
        "notJudged": top.not_judged,
        "exempt": top.exempt,
        "compliant": top.compliant,
        "notApplicable": top.not_applicable,
    } == recount.count_compliance(found)
    assert top.change == recount.change(found)


@pytest.mark.slow
def test_without_history_nothing_is_compared() -> None:
    found = build_page_data(organization(30, runs=0).observation)
    assert (found["trend"], found["lastRun"]) == (None, None)
    assert count_compliance(found).change is None


def test_a_first_run_has_a_trend_of_one_and_nothing_to_compare_with() -> None:
    made = organization(30, runs=0)
    found = build_page_data(made.observation, made.earlier, fix_objects(made.observation, made.plans))
    assert (len(found["trend"]["points"]), found["lastRun"]) == (1, None)


def test_an_account_of_earlier_runs_that_is_silent_is_not_shown_as_fine() -> None:
    made = organization(60)
    silent = min(made.observation.completeness.observed)
    results = made.observation.results
    kept = [one for one in results.findings if (one.account_id, one.region) != (silent.account_id, silent.region)]
    observation = replace(
        made.observation,
        results=replace(results, findings=kept),
        completeness=replace(
            made.observation.completeness,
            expected=None,
            observed={
                account_region: None
                for account_region in made.observation.completeness.observed
                if account_region != silent
            },
        ),
    )
    found, html = written(Organization(observation, made.earlier))
    (account_region,) = [one for one in found["coverage"]["homes"] if not one["heard"]]
    assert AccountRegion(account_region["account"], account_region["region"]) == silent
    assert [
        one for one in found["gone"] if one["account"] == silent.account_id and one["region"] == silent.region
    ] == []
    assert "No data, and not counted" in html


def test_a_general_error_is_a_gap() -> None:
    made = organization(30, runs=0)
    account_region = min(made.observation.completeness.observed)
    error = EvaluationError(account_region.account_id, account_region.region, None, None, "LoadBalancers", "denied <b>")
    results = replace(made.observation.results, errors=[error])
    observation = replace(
        made.observation,
        results=results,
        completeness=replace(made.observation.completeness, gaps=("LoadBalancers: denied <b>.",)),
    )
    found, html = written(Organization(observation, made.earlier))
    assert found["errors"][0]["cause"] == "denied <b>"
    assert "LoadBalancers: denied &lt;b&gt;." in html


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_data_that_an_aggregator_could_not_collect_is_a_gap() -> None:
    observation = organization(12, runs=0).observation
    error = EvaluationError("111122223333", "eu-west-1", None, None, "AWS Config of it", "AccessDenied")
    found = build_page_data(replace(observation, results=replace(observation.results, errors=[error])))
    gap = "AWS Config of it: AccessDenied (in 111122223333 eu-west-1)."
    assert gap in found["coverage"]["gaps"]
    assert gap in render_page(found, page_data_text(found))


def test_the_same_gap_in_many_accounts_is_one_that_names_some() -> None:
    observation = organization(12, runs=0).observation
    errors = [
        EvaluationError(f"{111122223333 + number}", "eu-west-1", None, None, "LoadBalancers", "AccessDenied")
        for number in range(9)
    ]
    found = build_page_data(replace(observation, results=replace(observation.results, errors=errors)))
    places = "111122223333 eu-west-1, 111122223334 eu-west-1, 111122223335 eu-west-1 and 6 more"
    assert found["coverage"]["gaps"] == [f"LoadBalancers: AccessDenied (in {places})."]


def test_many_sources_are_folded_and_a_few_are_not() -> None:
    made = organization(12, runs=0)
    for count in (20, 21):
        sources = [InputSource("saved estate", f"estates/{number}.json", "0" * 64) for number in range(count)]
        data = build_page_data(made.observation, provenance=Provenance(sources))
        audit = render_page(data, page_data_text(data)).partition('id="audit"')[2]
        assert (f"<summary>{count} sources and their hashes</summary>" in audit) == (count == 21)
        assert f"estates/{count - 1}.json" in audit


def test_a_load_balancer_without_a_verdict_of_each_rule_is_not_compliant() -> None:
    found = build_page_data(organization(30, runs=0).observation)
    before = count_compliance(found).compliant
    fine = next(
        one
        for one in found["loadBalancers"]
        if {verdict["status"] for verdict in one["verdicts"]} <= {"compliant", "notApplicable"}
    )
    del fine["verdicts"][0]
    assert count_compliance(found).compliant == before - 1


def test_a_compliant_organization_is_compliant_to_100_percent() -> None:
    """What no rule applies to is in no total, or nothing with a Network Load Balancer would ever be fully compliant."""
    made = organization(30, runs=0)
    good = [
        one._replace(compliance=Compliance.COMPLIANT, missing=(), applied_exemption=None, unresolved=False)
        for one in made.observation.results.findings
    ]
    network = min(one.load_balancer_arn for one in good)
    findings = [
        one._replace(compliance=Compliance.NOT_APPLICABLE) if one.load_balancer_arn == network else one for one in good
    ]
    found = build_page_data(replace(made.observation, results=replace(made.observation.results, findings=findings)))
    unjudged = {one["arn"] for one in found["loadBalancers"] if len(one["verdicts"]) < len(found["rules"])}
    top = count_compliance(found)
    assert (top.compliant_percent, top.not_applicable, top.judged) == (100, 1, 29 - len(unjudged))


def test_almost_all_is_not_100_percent() -> None:
    counts = count_compliance(build_page_data(organization(30, runs=0).observation))
    assert replace(counts, judged=1000, compliant=999).compliant_percent == 99
    assert replace(counts, judged=0, compliant=0).compliant_percent is None


def test_a_malformed_exemption_leaves_no_load_balancer_unread() -> None:
    """It exempts nothing, and that is all that it does: no account and region is partly read because of it."""
    made = organization(30, runs=0)
    report = made.observation.exemptions
    assert report is not None
    error = malformed_exemption_error(report.malformed[0], report.document_name)
    results = replace(made.observation.results, errors=[*made.observation.results.errors, error])
    observation = replace(made.observation, results=results, exemptions=replace(report, document_errors={error}))
    found, html = written(Organization(observation, made.earlier))
    assert found["errors"] == []
    assert found["coverage"]["gaps"] == []
    line = re.search("<summary>(.*?Coverage:.*?)</summary>", html)
    assert line is not None
    assert "partly read" not in line[1]
    assert len(found["exemptions"]["malformed"]) == 1
    scopes = [row for row in make_run(observation).rows if row["record"] == "scope"]
    assert {row["complete"] for row in scopes} == {True}


def test_no_name_becomes_markup() -> None:
    _, html = written(hostile())
    found = _Elements()
    found.feed(html)
    assert found.tags.count("script") == 2
    assert "img" not in found.tags
    assert [name for name in found.attributes if name.startswith("on") or name == "style"] == []
    assert all(name.replace("\r", "") not in html for name in HOSTILE[:2])


def test_pictures_beyond_the_most_are_left_out_and_verdicts_are_not() -> None:
    made = organization(60, pictures=10, runs=0)
    found = build_page_data(made.observation)
    drawn = [one for one in found["loadBalancers"] if "detail" in one]
    assert (len(drawn), len(found["loadBalancers"])) == (10, 60)
    worst = {one["arn"] for one, _ in recount.to_do(recount.pairs(found))[:5]}
    assert worst <= {one["arn"] for one in drawn}


def test_where_only_verdicts_are_known_groups_come_from_annotations_and_the_scheme_is_unknown() -> None:
    made = organization(60, runs=0)
    found, html = written(Organization(replace(made.observation, details={}), made.earlier))
    assert {one["scheme"] for one in found["loadBalancers"]} == {"unknown"}
    assert [one for one in found["loadBalancers"] if "detail" in one] == []
    for one, verdict in recount.pairs(found):
        if verdict["status"] == "nonCompliant":
            assert one["securityGroups"] != []
            assert all(group in json.dumps(one["verdicts"]) for group in one["securityGroups"])
    top = count_compliance(found)
    assert (top.internet_facing, top.unknown_scheme) == (0, top.non_compliant)
    assert f"the scheme of {top.unknown_scheme} more is unknown" in html


def test_half_a_character_harms_nothing() -> None:
    made = organization(12, runs=0)
    first, *others = made.observation.results.findings
    name = "half \ud83d of one"
    findings = [first._replace(load_balancer_name=name, compliance=Compliance.NON_COMPLIANT), *others]
    results = replace(made.observation.results, findings=findings)
    _, html = written(Organization(replace(made.observation, results=results), made.earlier))
    assert "half ? of one" in html.encode().decode()
    stream = io.StringIO()
    write_run(make_run(replace(made.observation, results=results)), stream)
    assert stream.getvalue().encode()


def test_malformed_tags_of_a_group_name_no_owner() -> None:
    """The page and its verdicts stand; a load balancer that names its own owner keeps it."""
    observation = replace(organization(10).observation, owner_tags=("team",))
    malformed = SecurityGroup("sg-1", "web", "vpc-1", (), (), tags=UnknownValue("Tags", "a list was expected"))
    (first, one), (second, other) = list(observation.details.items())[:2]
    details = {
        first: replace(one, tags={}, security_groups=(malformed,)),
        second: replace(other, tags={"team": "edge"}, security_groups=(malformed,)),
    }
    observation = replace(observation, details={**observation.details, **details})
    assert (observation.owner_of(first), observation.owner_of(second)) == (None, "edge")


@pytest.mark.slow
@pytest.mark.parametrize("by", SplitBy)
def test_parts_have_each_load_balancer_once(by: SplitBy) -> None:
    made = organization(60)
    observation = replace(made.observation, owner_tags=("team",))
    whole = build_page_data(observation, made.earlier)
    parts = list(split_page_data(whole, by))
    assert len(parts) > 1
    assert sorted(one["arn"] for part in parts for one in part.page_data["loadBalancers"]) == sorted(
        one["arn"] for one in whole["loadBalancers"]
    )
    assert len({part.file_name for part in parts}) == len(parts)
    counts = [count_compliance(part.page_data) for part in parts]
    assert sum(each.non_compliant for each in counts) == count_compliance(whole).non_compliant
    index = render_index(whole, by, parts, "../org.html")
    assert index.count('data-label="Not judged"') == len(parts)
    assert all(f'href="{part.file_name}.html"' in index for part in parts)
    if by is not SplitBy.OWNER:
        # An account without data has a page, which says so.
        assert sum(len(part.page_data["coverage"]["homes"]) for part in parts) == len(whole["coverage"]["homes"])


@pytest.mark.slow
@pytest.mark.parametrize("by", SplitBy)
def test_each_part_has_its_own_trend(by: SplitBy) -> None:
    """Together the trends of the parts are that of the page of all."""
    made = organization(60, owner_tags=("team",))
    histories = PartHistories(made.observation, by, made.earlier.omitted)
    whole = build_page_data(made.observation, replace(made.earlier, runs=histories.watch(made.earlier.runs)))
    histories.add_run(make_run(made.observation))
    parts = list(split_page_data(whole, by, histories.part_history))
    trends = [part.page_data["trend"] for part in parts]
    if by is SplitBy.OWNER:
        # A load balancer that is gone had no owner, and no page is about it.
        trends.append(histories.part_history(NO_OWNER).trend)
    counts = Counter(
        {
            (point["asOf"], key): sum(
                one[key] for trend in trends for one in trend["points"] if one["asOf"] == point["asOf"]
            )
            for point in whole["trend"]["points"]
            for key in ("findings", "loadBalancers", "new", "reopened", "fixed")
        }
    )
    assert counts == {
        (point["asOf"], key): point[key]
        for point in whole["trend"]["points"]
        for key in ("findings", "loadBalancers", "new", "reopened", "fixed")
    }
    assert sum(trend["timeToFix"]["fixed"] for trend in trends) == whole["trend"]["timeToFix"]["fixed"] > 0
    assert {trend["leftOut"] for trend in trends[: len(parts)]} == {made.earlier.omitted}
    for part in parts:
        data = part.page_data
        covered = [point for point in data["trend"]["points"] if not point["carried"]]
        # It covers the accounts and regions of the part, and what it says last is what the part's page counts.
        assert data["trend"]["points"] == [] or covered
        # The last run did not cover one account: an earlier one is the last of its page.
        accounts = {home["account"] for home in data["coverage"]["homes"] if home["heard"]}
        assert data["lastRun"] == max(
            (run.as_of for run in made.earlier.runs for row in run.rows if row["account"] in accounts), default=None
        )
        if data["loadBalancers"] and not data["trend"]["points"][-1]["carried"]:
            bad = count_compliance(data).non_compliant
            assert data["trend"]["points"][-1]["loadBalancers"] == bad + _kept_by_errors(data)


def _kept_by_errors(data: Mapping[str, Any]) -> int:
    """Load balancers that could not be judged and count in the trend as they last stood."""
    return sum(
        all(verdict["status"] != "nonCompliant" for verdict in one["verdicts"])
        and any(verdict["status"] == "error" and verdict["was"] == "nonCompliant" for verdict in one["verdicts"])
        for one in data["loadBalancers"]
    )


def test_a_part_counts_load_balancers_where_they_belong_today() -> None:
    """Its trend is of the load balancers that its page lists, under any earlier owner; one that is gone belongs to the
    owner whom its last run names."""
    made = organization(60, runs=2, owner_tags=("team",))
    data = build_page_data(made.observation, made.earlier)
    bad = {arn_of(row) for run in made.earlier.runs for row in run.rows if row["status"] == "nonCompliant"}
    moved = next(one for one in data["loadBalancers"] if one["arn"] in bad)
    runs = [
        Run(
            run.as_of,
            [
                {**row, "owner": "somebody"} if arn_of(row) == moved["arn"] else {**row, "owner": "edge"}
                for row in run.rows
            ],
        )
        for run in made.earlier.runs
    ]
    histories = PartHistories(made.observation, SplitBy.OWNER, 0)
    for run in [*runs, make_run(made.observation)]:
        histories.add_run(run)
    assert histories.part_history("somebody").trend["points"] == []
    today = histories.part_history(moved["owner"]).trend["points"]
    assert len(today) == 3
    # The retired load balancer was edge's.
    before, _, after = (point["findings"] for point in histories.part_history("edge").trend["points"])
    own = {one["arn"] for one in data["loadBalancers"] if one["owner"] == "edge"}
    retired = {arn_of(row) for run in runs for row in run.rows if row["name"] == "retired"}
    expected = sum(
        row["status"] == "nonCompliant" and arn_of(row) in own | retired
        for row in runs[0].rows
        if row["record"] == "verdict"
    )
    assert before == expected
    assert retired
    assert after >= 0


def arn_of(row: Mapping[str, Any]) -> Any:
    return row["load_balancer"]


def test_names_of_parts_are_unique_whatever_the_letter_case() -> None:
    """Some file systems ignore it, and a part must not replace the index."""
    made = organization(12, runs=0)
    owners = ["Edge", "edge", "index", "Index", "data"] * 3
    details = {
        arn: replace(detail, tags={"team": name})
        for (arn, detail), name in zip(sorted(made.observation.details.items()), owners, strict=False)
    }
    whole = build_page_data(replace(made.observation, details=details, owner_tags=("team",)))
    names = [part.file_name for part in split_page_data(whole, SplitBy.OWNER)]
    assert len({name.casefold() for name in [*names, INDEX_NAME]}) == 6
    assert "data" in names


def test_names_of_parts_are_no_paths() -> None:
    made = organization(12, runs=0)
    details = {
        arn: replace(detail, tags={"team": name})
        for (arn, detail), name in zip(
            sorted(made.observation.details.items()),
            ["../../etc/passwd", "a b", "a/b", "a-b", *HOSTILE, "x", ".."],
            strict=True,
        )
    }
    whole = build_page_data(replace(made.observation, details=details, owner_tags=("team",)))
    parts = list(split_page_data(whole, SplitBy.OWNER))
    names = {part.file_name for part in parts}
    assert len(names) == len({one["owner"] for one in whole["loadBalancers"]})
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) for name in names)
    found = _Elements()
    found.feed(render_index(whole, SplitBy.OWNER, parts, "../org.html"))
    assert "img" not in found.tags
    assert "script" not in found.tags


def missing(
    direction: str = "ingress", protocol: str = "tcp", port: int = 443, required: str = "0.0.0.0/0", peers: str = ""
) -> Missing:
    origin = Origin("listener", "arn", "HTTPS:443")
    return Missing(direction, protocol, port, port, tuple(required.split(",")), (peers or required,), (), origin)


def finding(*entries: Missing, unresolved: bool = False, annotation: str = "") -> Finding:
    return Finding(
        "1", "r", "arn", "web", "ALB_SG_LISTENER_INGRESS", Compliance.NON_COMPLIANT, annotation, unresolved, entries
    )


def group(*egress: Permission, ingress: tuple[Permission, ...] = ()) -> SecurityGroup:
    return SecurityGroup("sg-1", "web", "vpc-1", ingress, egress)


def opened(protocol: str, port: int | None, *cidrs: str) -> Permission:
    return Permission(protocol, port, port, cidrs, (), ())


DEFAULT_EGRESS = opened("-1", None, "0.0.0.0/0")


@pytest.mark.parametrize(
    ("found", "groups", "expected"),
    [
        (finding(missing()), [group()], Cause.CLOSED),
        (finding(missing()), [group(ingress=(opened("tcp", 443, "10.0.0.0/8"),))], Cause.TOO_NARROW),
        (finding(missing(peers="128.0.0.0/1")), [], Cause.TOO_NARROW),
        # All of two blocks that adjoin, in the fewest blocks.
        (finding(missing(required="10.0.0.0/16,10.1.0.0/16", peers="10.0.0.0/15")), [group()], Cause.CLOSED),
        (finding(missing(protocol="icmp", port=3)), [group()], Cause.ICMP_CLOSED),
        (finding(missing(required="::/0")), [group()], Cause.IPV6_MISSING),
        (finding(missing("egress", required="10.0.0.5/32")), [group()], Cause.NO_OUTBOUND_RULE),
        (finding(missing("egress", required="10.0.0.5/32")), [], Cause.CLOSED),
        (finding(missing("egress", required="10.0.0.5/32")), [group(opened("tcp", 22, "0.0.0.0/0"))], Cause.CLOSED),
        (finding(missing("egress", required="2001:db8::5/128")), [group(DEFAULT_EGRESS)], Cause.DEFAULT_OUTBOUND_IPV4),
        (finding(missing("egress", required="10.0.0.5/32")), [group(DEFAULT_EGRESS)], Cause.TOO_NARROW),
        # A peer that has no family of its own.
        (finding(missing(required="pl-1")), [group()], Cause.CLOSED),
        (finding(missing(required="sg-1")), [group()], Cause.CLOSED),
        (finding(missing(required="pl-1"), missing(required="::/0")), [group()], Cause.CLOSED),
        (finding(missing("targetIngress")), [group()], Cause.TARGETS_CLOSED),
        (finding(missing(), unresolved=True), [group()], Cause.UNRESOLVED),
        (finding(), [], Cause.NOT_REPORTED),
    ],
)
def test_causes(found: Finding, groups: list[SecurityGroup], expected: Cause) -> None:
    assert find_causes(found, groups) == (expected,)


@pytest.mark.parametrize(
    "ipv4",
    [
        missing(port=80),
        missing("egress"),
        missing(protocol="udp"),
        missing()._replace(to_port=444),
    ],
    ids=["port", "direction", "protocol", "last port"],
)
def test_only_the_same_traffic_of_ipv4_makes_ipv6_closed_as_well(ipv4: Missing) -> None:
    assert Cause.IPV6_MISSING in find_causes(finding(ipv4, missing(required="::/0")), [])


def test_both_families_closed_is_closed() -> None:
    assert find_causes(finding(missing(), missing(required="::/0")), [group()]) == (Cause.CLOSED,)


def test_outages_come_before_health_checks_before_icmp_and_the_internet_first() -> None:
    rules = ("ALB_SG_LISTENER_INGRESS", "ALB_SG_INSTANCE_EGRESS", "ALB_SG_HEALTH_CHECK_EGRESS", "ALB_SG_ICMP_PMTUD")
    ranks = [
        rank(finding()._replace(rule=rule), scheme) for rule in rules for scheme in ("internet-facing", "internal")
    ]
    assert ranks[:2] == ranks[2:4]
    assert ranks[2:] == sorted(set(ranks[2:]))
    error = EvaluationError("1", "r", "arn", rules[0], "what", "cause")
    good = finding()._replace(compliance=Compliance.COMPLIANT)
    assert max(ranks) < rank(error, "internet-facing") < rank(good, "internet-facing")
