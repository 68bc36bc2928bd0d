"""The results of one account and region as JSON. They stay, and the estate does not.

Findings are without exemptions, which are applied to all results together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.errors import InvalidInputError
from alb_sg.findings.finding import Compliance, EvaluationError, Finding, Missing, Unused
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.results import LoadBalancerFacts, Results
from alb_sg.permissions.unused_traffic import PortRange
from alb_sg.recommendations.requirement import Origin


def results_to_json(results: Results) -> dict[str, Any]:
    """What `merge_stored` reads. Raises ValueError for findings of a plan or with an exemption."""
    return {
        "loadBalancers": results.load_balancer_count,
        "findings": [_finding_to_json(finding) for finding in results.findings],
        "errors": [list(error[:-1]) for error in results.errors],
        "advice": [[*key, list(sentences)] for key, sentences in results.advice.items()],
        "remarks": {arn: list(remarks) for arn, remarks in results.remarks.items()},
        "facts": {arn: list(facts) for arn, facts in results.facts.items()},
    }


def merge_stored(
    stored: Iterable[tuple[AccountRegion, Mapping[str, Any]]],
    rule_names: Sequence[str],
    accounts: Mapping[str, AccountName],
) -> Results:
    """The results of all accounts and regions together, in their order."""
    account_regions: list[tuple[str, str]] = []
    count = 0
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    advice: dict[tuple[str, str], Sequence[str]] = {}
    remarks: dict[str, Sequence[str]] = {}
    facts: dict[str, LoadBalancerFacts] = {}
    for account_region, result in stored:
        account_regions.append(account_region)
        with refuse_damaged(account_region):
            count += result["loadBalancers"]
            findings += findings_from_json(result)
            errors += errors_from_json(result)
            advice |= {(arn, rule): sentences for arn, rule, sentences in result["advice"]}
            remarks |= result["remarks"]
            facts |= {arn: LoadBalancerFacts(*fields) for arn, fields in result["facts"].items()}
    return Results(
        account_regions,
        count,
        rule_names,
        findings,
        errors,
        advice=advice,
        remarks=remarks,
        facts=facts,
        accounts=accounts,
    )


@contextmanager
def refuse_damaged(account_region: AccountRegion) -> Iterator[None]:
    """Raises InvalidInputError for a saved result that this program did not write."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        where = " ".join(account_region)
        raise InvalidInputError(
            f"the saved result of {where} is damaged; delete the folder, and begin again"
        ) from error


def findings_from_json(result: Mapping[str, Any]) -> list[Finding]:
    return [_finding_from_json(fields) for fields in result["findings"]]


def errors_from_json(result: Mapping[str, Any]) -> list[EvaluationError]:
    return [EvaluationError(*fields) for fields in result["errors"]]


def _finding_to_json(finding: Finding) -> list[Any]:
    if finding.applied_exemption is not None or finding.change is not None:
        raise ValueError(finding)
    # A named tuple is a list in JSON.
    return [*finding[:5], finding.compliance.value, *finding[6:]]


def _finding_from_json(fields: Sequence[Any]) -> Finding:
    finding = Finding(*map(_as_tuples, fields))
    return finding._replace(
        compliance=Compliance(finding.compliance),
        missing=tuple(map(_missing_from_json, finding.missing)),
        unused=tuple(map(_unused_from_json, finding.unused)),
    )


def _missing_from_json(fields: Sequence[Any]) -> Missing:
    missing = Missing(*fields)
    return missing._replace(origin=Origin(*missing.origin))


def _unused_from_json(fields: Sequence[Any]) -> Unused:
    unused = Unused(*fields)
    return unused._replace(used=tuple(PortRange(*ports) for ports in unused.used))


def _as_tuples(value: Any) -> Any:
    """A value of JSON with tuples for its lists."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
