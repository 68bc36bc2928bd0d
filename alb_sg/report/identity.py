"""What systems that keep results ask of each: an identity that stays from run to run, a rank, and a title."""

from __future__ import annotations

import hashlib
from enum import Enum

from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.recommendations.catalogue import BY_NAME
from alb_sg.report import words
from alb_sg.report.text import SEVERITY

PRODUCT = "alb-sg"
# What the regions of partitions other than the commercial one begin with.
PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class Rank(Enum):
    """How bad it is where a rule is not met, in the order of `text.SEVERITY`."""

    HIGH = 0
    MEDIUM = 1
    LOW = 2


def rank(rule: str | None) -> Rank:
    """A rule's rank; the highest for what could not be read and so may stand for anything."""
    return Rank(SEVERITY.get(rule or "", 0))


def identity(result: Finding | JudgementError) -> str:
    """The same for the same load balancer and rule, whatever is said of them: an error takes the place of the
    verdict before it. At most 300 characters.
    """
    if result.load_balancer_arn is not None and result.rule is not None:
        return f"{result.load_balancer_arn}/{result.rule}"
    of = result.load_balancer_arn or f"{PRODUCT}/{result.account_id}/{result.region}"
    what = words.what(result) if isinstance(result, JudgementError) else ""
    return f"{of}/{fingerprint(what)[:16]}"


def fingerprint(text: str) -> str:
    """A text as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def title(result: Finding | JudgementError) -> str:
    """The rule and what it asks for in a few words."""
    known = BY_NAME.get(result.rule or "")
    if known is None:
        return f"{PRODUCT}: All that verdicts hang on can be read"
    return f"{known.name}: {known.title}"


def partition(result: Finding | JudgementError) -> str:
    """The partition in the load balancer's ARN, or else that of the region."""
    if result.load_balancer_arn is not None:
        return result.load_balancer_arn.split(":")[1]
    return next((of for start, of in PARTITIONS.items() if result.region.startswith(start)), "aws")
