"""The document of exemptions: what counts, what is malformed and where, and what is no document at all."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.exemptions.document import parse_exemptions, read_exemptions_file
from alb_sg.exemptions.exemption import Exemption
from tests.builders import ACCOUNT, ICMP, INGRESS, REGION, load_balancer_arn
from tests.exemptions.entries import TODAY, document, entry, exemption, read
from tests.rules import RULE_NAMES

WEB = load_balancer_arn()


def test_an_entry_is_read_whole() -> None:
    assert exemption() == Exemption(
        load_balancer_arn=WEB,
        rule=ICMP,
        reason="moves to another VPC",
        owner="team-edge",
        ticket="SEC-12",
        expires=date(2027, 1, 31),
    )
    assert exemption().account_region == AccountRegion(ACCOUNT, REGION)


@pytest.mark.parametrize(
    ("expires", "in_force"),
    [("2026-06-16", True), ("2026-06-15", True), ("2026-06-14", False), ("2999-12-31", True)],
)
def test_an_exemption_is_in_force_through_the_day_it_names(expires: str, in_force: bool) -> None:
    assert exemption(expires=expires).is_in_force(TODAY) is in_force


def test_further_keys_and_spaces_are_the_writers_own() -> None:
    assert exemption(approvedBy="somebody", reason="  two\n  lines ").reason == "two lines"


PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


@pytest.mark.parametrize("partition", PARTITIONS)
def test_every_partition_has_load_balancers(partition: str) -> None:
    arn = WEB.replace("arn:aws:", f"arn:{partition}:")
    assert exemption(loadBalancer=arn).load_balancer_arn == arn


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        *[({name: None}, name, "missing") for name in entry()],
        *[({name: ""}, name, "empty") for name in entry()],
        *[({name: " \n "}, name, "empty") for name in entry()],
        *[({name: 12}, name, "text was expected") for name in entry()],
        *[({name: ["x"]}, name, "text was expected") for name in entry()],
        # An annotation has 256 characters: names that are longer would push the verdict out of it.
        ({"owner": "x" * 81}, "owner", "at most 80"),
        ({"ticket": "x" * 81}, "ticket", "at most 80"),
        ({"reason": "x" * 1001}, "reason", "at most 1000"),
        # A terminal would obey it.
        ({"owner": "\x1b[2J"}, "owner", "cannot be printed"),
        ({"ticket": "\ud800"}, "ticket", "cannot be printed"),
        # One load balancer, by its whole ARN: a pattern would exempt what nobody thought of.
        ({"loadBalancer": "*"}, "loadBalancer", "no wildcards"),
        ({"loadBalancer": WEB.replace("/web/", "/*/")}, "loadBalancer", "no wildcards"),
        ({"loadBalancer": WEB[:-4] + "*"}, "loadBalancer", "no wildcards"),
        ({"loadBalancer": "web"}, "loadBalancer", "whole ARN"),
        ({"loadBalancer": WEB + "/x"}, "loadBalancer", "whole ARN"),
        ({"loadBalancer": WEB.replace(ACCOUNT, "1")}, "loadBalancer", "whole ARN"),
        # No rule judges a Network Load Balancer.
        ({"loadBalancer": load_balancer_arn("nlb", "network")}, "loadBalancer", "Application Load Balancer"),
        ({"rule": "*"}, "rule", "known are ALB_SG_HEALTH_CHECK_EGRESS"),
        ({"rule": "ICMP_PMTUD"}, "rule", "unknown rule"),
        ({"rule": "alb_sg_icmp_pmtud"}, "rule", "unknown rule"),
        ({"expires": "never"}, "expires", "not a date"),
        ({"expires": "2027-02-29"}, "expires", "not a date"),
        ({"expires": "2027-1-31"}, "expires", "not a date"),
        # ISO 8601 as well, and read by nobody with certainty.
        ({"expires": "20270131"}, "expires", "not a date"),
        ({"expires": "2027-W04-7"}, "expires", "not a date"),
        ({"expires": "31.01.2027"}, "expires", "not a date"),
        ({"expires": "2027-01-31T00:00:00Z"}, "expires", "not a date"),
        ({"expires": "\u0662\u0660\u0662\u0667-01-31"}, "expires", "not a date"),
    ],
)
def test_a_malformed_entry_hides_nothing_and_the_others_count(changes: dict[str, Any], place: str, said: str) -> None:
    other = entry(loadBalancer=load_balancer_arn("other"))
    found = read(other, entry(**changes))
    assert [one.load_balancer_arn for one in found.entries] == [load_balancer_arn("other")]
    assert found.find(WEB, ICMP) is None
    (malformed,) = found.malformed
    assert malformed.place == f"exemptions[1].{place}"
    assert said in malformed.message
    assert "hides nothing" in str(malformed)
    # It names whom it was meant for, as far as that can be told.
    assert malformed.load_balancer_arn == (None if place == "loadBalancer" else WEB)
    assert malformed.rule == (None if place == "rule" else ICMP)


@pytest.mark.parametrize("value", [None, "x", 1, [], ["x"], True])
def test_an_entry_that_is_no_object_is_malformed(value: object) -> None:
    found = read(value, entry())
    assert [one.place for one in found.malformed] == ["exemptions[0]"]
    assert len(found.entries) == 1


def test_duplicates_are_malformed_all_of_them() -> None:
    # Which of two dates counts would depend on who looks.
    found = read(entry(expires="2027-01-31"), entry(rule=INGRESS), entry(expires="2028-01-31"), entry(reason=None))
    assert [one.rule for one in found.entries] == [INGRESS]
    assert [one.place for one in found.malformed] == ["exemptions[0]", "exemptions[2]", "exemptions[3].reason"]
    assert "exemptions[0], exemptions[2] exempt the same load balancer" in found.malformed[0].message


def test_a_malformed_twin_does_not_touch_the_entry_that_is_in_order() -> None:
    assert read(entry(), entry(owner=None)).find(WEB, ICMP) == exemption()


OTHER_ACCOUNT = WEB.replace(ACCOUNT, "000000000001")


@pytest.mark.parametrize(
    ("changes", "concerns"),
    [
        ({"owner": None}, True),
        ({"owner": None, "rule": INGRESS}, False),  # that rule's invocations say so
        ({"owner": None, "loadBalancer": OTHER_ACCOUNT}, False),
        ({"owner": None, "loadBalancer": WEB.replace(REGION, "eu-west-1")}, False),
        ({"loadBalancer": "web"}, True),  # whom it was meant for is not known
        ({"loadBalancer": "web", "rule": INGRESS}, False),
        ({"rule": "ICMP"}, True),
        ({"rule": "ICMP", "loadBalancer": OTHER_ACCOUNT}, False),
    ],
)
def test_a_malformed_entry_concerns_those_it_may_have_been_meant_for(changes: dict[str, Any], concerns: bool) -> None:
    (malformed,) = read(entry(**changes)).malformed
    assert malformed.may_apply_to(ICMP, AccountRegion(ACCOUNT, REGION)) is concerns


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "line 1, column 2"),
        ("[]", "an object was expected"),
        ("null", "an object was expected"),
        ("{}", "version: None is not supported"),
        ('{"version": 2, "exemptions": []}', "version: 2 is not supported"),
        ('{"version": "1", "exemptions": []}', "version: '1' is not supported"),
        ('{"version": true, "exemptions": []}', "version: True is not supported"),
        ('{"version": 1}', "exemptions: a list"),
        ('{"version": 1, "exemptions": {}}', "exemptions: a list"),
        # The last of two dates would win without a word.
        ('{"version": 1, "exemptions": [{"expires": "2027-01-31", "expires": "2999-12-31"}]}', "given twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"version": NaN}', "NaN"),
    ],
)
def test_an_invalid_document_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^s3://bucket/key: ") as refused:
        parse_exemptions(text, "s3://bucket/key", RULE_NAMES)
    assert said in str(refused.value)


def test_an_empty_list_is_a_document() -> None:
    found = read()
    assert (found.entries, found.malformed) == ((), ())


def test_files_are_read_as_all_others_are(tmp_path: Path) -> None:
    content = json.dumps(document(entry())).encode()
    plain, packed = tmp_path / "exemptions.json", tmp_path / "exemptions.json.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + content)
    packed.write_bytes(gzip.compress(content))
    for path in (plain, packed):
        assert read_exemptions_file(str(path), RULE_NAMES).entries == (exemption(),)
        assert read_exemptions_file(str(path), RULE_NAMES).document_name == str(path)
    with pytest.raises(InvalidInputError, match=r"missing\.json: the file cannot be read"):
        read_exemptions_file(str(tmp_path / "missing.json"), RULE_NAMES)
