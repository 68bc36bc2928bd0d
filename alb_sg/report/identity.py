"""What systems that keep results ask of each: an identity that stays from run to run, a rank, and a title."""

from __future__ import annotations

import hashlib

from alb_sg.findings.finding import EvaluationError, Finding
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.report import phrasing

PRODUCT = "alb-sg"
# What the regions of partitions other than the commercial one begin with.
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def identity(result: Finding | EvaluationError) -> str:
    """The same for the same load balancer and rule, whatever is said of them: an error takes the place of the
    verdict before it. At most 300 characters.
    """
    if result.load_balancer_arn is not None and result.rule is not None:
        return f"{result.load_balancer_arn}/{result.rule}"
    of = result.load_balancer_arn or f"{PRODUCT}/{result.account_id}/{result.region}"
    what = phrasing.error_subject(result) if isinstance(result, EvaluationError) else ""
    return f"{of}/{fingerprint(what)[:16]}"


def fingerprint(text: str) -> str:
    """A text as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def result_title(result: Finding | EvaluationError) -> str:
    """The rule and what it asks for in a few words."""
    known = RECOMMENDATIONS_BY_NAME.get(result.rule or "")
    if known is None:
        return f"{PRODUCT}: All that verdicts hang on can be read"
    return f"{known.name}: {known.title}"


def partition(result: Finding | EvaluationError) -> str:
    """The partition in the load balancer's ARN, or else that of the region."""
    if result.load_balancer_arn is not None:
        return result.load_balancer_arn.split(":")[1]
    return next((of for start, of in PARTITIONS.items() if result.region.startswith(start)), "aws")
