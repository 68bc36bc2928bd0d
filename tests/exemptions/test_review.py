"""Exemptions held against what there is: how long they count, and whether they hide anything."""

from __future__ import annotations

import pytest

from alb_sg.estate.home import Home
from alb_sg.exemptions.review import Looked, Status, Use, review
from alb_sg.findings.finding import Compliance, Finding, JudgementError
from tests.builders import ACCOUNT, ICMP, INGRESS, REGION, load_balancer_arn
from tests.exemptions.entries import TODAY, entry, exemption, read

HERE = Home(ACCOUNT, REGION)
NOTHING_FOUND = Looked({HERE}, {}, ())


@pytest.mark.parametrize(
    ("expires", "status", "reason"),
    [
        ("2026-06-14", Status.EXPIRED, "it ended yesterday"),
        ("2026-06-15", Status.EXPIRING, "it ends today, and still counts"),
        ("2026-07-15", Status.EXPIRING, "thirty days are left"),
        ("2026-07-16", Status.IN_FORCE, "thirty-one days are left"),
    ],
)
def test_how_long_an_exemption_counts(expires: str, status: Status, reason: str) -> None:
    (found,) = review([exemption(expires=expires)], NOTHING_FOUND, TODAY, 30)
    assert found.status is status, reason


def verdict(compliance: Compliance) -> Finding:
    return Finding(ACCOUNT, REGION, load_balancer_arn(), "web", ICMP, compliance, "so")


def error(arn: str | None, region: str = REGION) -> JudgementError:
    return JudgementError(ACCOUNT, region, arn, None, "load balancers", "denied")


KEY = (load_balancer_arn(), ICMP)


@pytest.mark.parametrize(
    ("looked", "use", "because"),
    [
        (Looked({HERE}, {KEY: verdict(Compliance.NON_COMPLIANT)}, ()), Use.USED, "NON_COMPLIANT: so"),
        (Looked({HERE}, {KEY: verdict(Compliance.COMPLIANT)}, ()), Use.UNUSED, "COMPLIANT without it: so"),
        (Looked({HERE}, {KEY: verdict(Compliance.NOT_APPLICABLE)}, ()), Use.UNUSED, "NOT_APPLICABLE without it: so"),
        (NOTHING_FOUND, Use.UNUSED, f"there is no such load balancer in {HERE}"),
        # Nobody may delete an exemption because nobody looked.
        (Looked(set(), {}, ()), Use.UNKNOWN, f"{HERE} was not looked at"),
        (Looked({Home(ACCOUNT, "eu-west-1")}, {}, ()), Use.UNKNOWN, f"{HERE} was not looked at"),
        (Looked({HERE}, {KEY: error(load_balancer_arn())}, ()), Use.UNKNOWN, "not judged: load balancers: denied"),
        (Looked({HERE}, {}, [error(None)]), Use.UNKNOWN, "not judged: load balancers: denied"),
        (Looked({HERE}, {}, [error(load_balancer_arn())]), Use.UNKNOWN, "not judged: load balancers: denied"),
        (
            Looked({HERE}, {}, [error(load_balancer_arn("shop"))]),
            Use.UNUSED,
            f"there is no such load balancer in {HERE}",
        ),
        (Looked({HERE}, {}, [error(None, "eu-west-1")]), Use.UNUSED, f"there is no such load balancer in {HERE}"),
    ],
)
def test_whether_it_hides_anything(looked: Looked, use: Use, because: str) -> None:
    (found,) = review([exemption()], looked, TODAY, 30)
    assert (found.use, found.because) == (use, because)
    assert found.wants_attention is (use is Use.UNUSED)


@pytest.mark.parametrize("expires", ["2026-06-14", "2026-06-20"])
def test_what_ends_wants_attention_however_it_is_used(expires: str) -> None:
    looked = Looked({HERE}, {KEY: verdict(Compliance.NON_COMPLIANT)}, ())
    (found,) = review([exemption(expires=expires)], looked, TODAY, 30)
    assert found.wants_attention


def test_the_order_is_that_of_findings() -> None:
    arns = [load_balancer_arn(), load_balancer_arn().replace(ACCOUNT, "000000000001"), load_balancer_arn("api")]
    entries = read(*(entry(loadBalancer=arn, rule=rule) for rule in (INGRESS, ICMP) for arn in arns)).entries
    found = review(entries, NOTHING_FOUND, TODAY, 30)
    keys = [(one.exemption.home, *one.exemption.key) for one in found]
    assert keys == sorted(keys)
    assert len(keys) == 6
