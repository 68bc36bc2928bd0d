"""Exemptions held against what there is: how long they count, and whether they hide anything."""

from __future__ import annotations

import pytest

from alb_sg.aws.account_region import AccountRegion
from alb_sg.findings.exemption_review import ExemptionStatus, ExemptionUse, ReviewScope, review
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.loaded_exemptions import LoadedExemptions
from alb_sg.observations.exemptions_report import review_exemptions
from alb_sg.observations.results import Results
from tests.builders import ACCOUNT, ICMP, INGRESS, REGION, load_balancer_arn
from tests.exemptions.entries import TODAY, entry, exemption, read

HERE = AccountRegion(ACCOUNT, REGION)
NOTHING_FOUND = ReviewScope({HERE}, {}, ())


@pytest.mark.parametrize(
    ("expires", "status", "reason"),
    [
        ("2026-06-14", ExemptionStatus.EXPIRED, "it ended yesterday"),
        ("2026-06-15", ExemptionStatus.EXPIRING, "it ends today, and still counts"),
        ("2026-07-15", ExemptionStatus.EXPIRING, "thirty days are left"),
        ("2026-07-16", ExemptionStatus.IN_FORCE, "thirty-one days are left"),
    ],
)
def test_how_long_an_exemption_counts(expires: str, status: ExemptionStatus, reason: str) -> None:
    (found,) = review([exemption(expires=expires)], NOTHING_FOUND, TODAY, 30)
    assert found.status is status, reason


def verdict(compliance: Compliance) -> Finding:
    return Finding(ACCOUNT, REGION, load_balancer_arn(), "web", ICMP, compliance, "so")


def error(arn: str | None, region: str = REGION) -> EvaluationError:
    return EvaluationError(ACCOUNT, region, arn, None, "load balancers", "denied")


KEY = (load_balancer_arn(), ICMP)


@pytest.mark.parametrize(
    ("looked", "use", "because"),
    [
        (ReviewScope({HERE}, {KEY: verdict(Compliance.NON_COMPLIANT)}, ()), ExemptionUse.USED, "NON_COMPLIANT: so"),
        (
            ReviewScope({HERE}, {KEY: verdict(Compliance.COMPLIANT)}, ()),
            ExemptionUse.UNUSED,
            "COMPLIANT without it: so",
        ),
        (
            ReviewScope({HERE}, {KEY: verdict(Compliance.NOT_APPLICABLE)}, ()),
            ExemptionUse.UNUSED,
            "NOT_APPLICABLE without it: so",
        ),
        (NOTHING_FOUND, ExemptionUse.UNUSED, f"there is no such load balancer in {HERE}"),
        # Nobody may delete an exemption because nobody looked.
        (ReviewScope(set(), {}, ()), ExemptionUse.UNKNOWN, f"{HERE} was not looked at"),
        (ReviewScope({AccountRegion(ACCOUNT, "eu-west-1")}, {}, ()), ExemptionUse.UNKNOWN, f"{HERE} was not looked at"),
        (
            ReviewScope({HERE}, {KEY: error(load_balancer_arn())}, ()),
            ExemptionUse.UNKNOWN,
            "not judged: load balancers: denied",
        ),
        (ReviewScope({HERE}, {}, [error(None)]), ExemptionUse.UNKNOWN, "not judged: load balancers: denied"),
        (
            ReviewScope({HERE}, {}, [error(load_balancer_arn())]),
            ExemptionUse.UNKNOWN,
            "not judged: load balancers: denied",
        ),
        (
            ReviewScope({HERE}, {}, [error(load_balancer_arn("shop"))]),
            ExemptionUse.UNUSED,
            f"there is no such load balancer in {HERE}",
        ),
        (
            ReviewScope({HERE}, {}, [error(None, "eu-west-1")]),
            ExemptionUse.UNUSED,
            f"there is no such load balancer in {HERE}",
        ),
    ],
)
def test_whether_it_hides_anything(looked: ReviewScope, use: ExemptionUse, because: str) -> None:
    (found,) = review([exemption()], looked, TODAY, 30)
    assert (found.use, found.reason) == (use, because)
    assert found.needs_attention is (use is ExemptionUse.UNUSED)


@pytest.mark.parametrize("expires", ["2026-06-14", "2026-06-20"])
def test_an_exemption_that_ends_wants_attention_however_it_is_used(expires: str) -> None:
    looked = ReviewScope({HERE}, {KEY: verdict(Compliance.NON_COMPLIANT)}, ())
    (found,) = review([exemption(expires=expires)], looked, TODAY, 30)
    assert found.needs_attention


def test_the_order_is_that_of_findings() -> None:
    arns = [load_balancer_arn(), load_balancer_arn().replace(ACCOUNT, "000000000001"), load_balancer_arn("api")]
    entries = read(*(entry(loadBalancer=arn, rule=rule) for rule in (INGRESS, ICMP) for arn in arns)).entries
    found = review(entries, NOTHING_FOUND, TODAY, 30)
    keys = [(one.exemption.account_region, *one.exemption.key) for one in found]
    assert keys == sorted(keys)
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("found", "use"),
    [
        ((), ExemptionUse.UNUSED),
        ((error(None),), ExemptionUse.UNKNOWN),
        ((error(load_balancer_arn()),), ExemptionUse.UNKNOWN),
    ],
)
def test_what_could_not_be_read_may_be_exempt(found: tuple[EvaluationError, ...], use: ExemptionUse) -> None:
    results = Results([HERE], 1, [ICMP], [], found)
    (reviewed,) = review_exemptions(LoadedExemptions(read(entry()), TODAY, ()), results).reviewed
    assert reviewed.use is use
