"""An identity of a result that stays the same from run to run, and a title, for systems that keep findings."""

from __future__ import annotations

import hashlib

from alb_sg.aws.arns import partition_of, partition_of_region
from alb_sg.findings.finding import EvaluationError, Result
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.report import phrasing

PRODUCT = "alb-sg"


def identity(result: Result) -> str:
    """At most 300 characters, the same for all results of a load balancer and rule: an error replaces a verdict."""
    if result.load_balancer_arn is not None and result.rule is not None:
        return f"{result.load_balancer_arn}/{result.rule}"
    of = result.load_balancer_arn or f"{PRODUCT}/{result.account_id}/{result.region}"
    what = phrasing.error_subject(result) if isinstance(result, EvaluationError) else ""
    return f"{of}/{fingerprint(what)[:16]}"


def fingerprint(text: str) -> str:
    """The SHA-256 of a text, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def result_title(result: Result) -> str:
    """The rule with what it requires, in a few words."""
    known = RECOMMENDATIONS_BY_NAME.get(result.rule or "")
    if known is None:
        return f"{PRODUCT}: All that verdicts hang on can be read"
    return f"{known.name}: {known.title}"


def partition(result: Result) -> str:
    """The partition in the load balancer's ARN, or else that of the region: a planned load balancer has no ARN."""
    if result.load_balancer_arn is not None and (named := partition_of(result.load_balancer_arn)):
        return named
    return partition_of_region(result.region).name
