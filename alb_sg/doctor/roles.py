"""Checks of the role that functions assume in other accounts: it exists, trusts them, and they may assume it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from alb_sg.aws.account_region import AccountRegion
from alb_sg.doctor.check import Check, CheckResult
from alb_sg.doctor.deployed_rules import DeployedRule
from alb_sg.doctor.functions import RuleFunction
from alb_sg.doctor.reader import Reader, policy_statements, texts
from alb_sg.findings.phrasing import abbreviate, pluralize

ROLE = Check("evaluation role", "A function that cannot assume its role in an account fails on every event from there.")

ROLE_PARAMETER = "ExecutionRoleName"
NO_SUCH_ROLE = "NoSuchEntity"
ALLOWED = "allowed"
MAX_NAMED = 3
# The resources of one SimulatePrincipalPolicy request.
SIMULATED_ROLES = 50


def check_own_role(reader: Reader, place: AccountRegion, rules: Sequence[DeployedRule]) -> Iterator[CheckResult]:
    """Whether the role that functions of another account assume here exists and trusts that account."""
    wanted = sorted(
        {
            (rule.parameters[ROLE_PARAMETER].strip(), rule.function_account)
            for rule in rules
            if rule.parameters.get(ROLE_PARAMETER) and rule.function_account not in ("", place.account_id)
        }
    )
    for name, account in wanted:
        answer = reader.get("iam", "get_role", RoleName=name.rpartition("/")[2])
        at = f"{place} {name}"
        if answer.error_code == NO_SUCH_ROLE:
            yield ROLE.problem(at, "the role does not exist", "deploy member.yaml to this account")
        elif answer.failure is not None:
            yield ROLE.unread(at, answer.failure)
        elif account in _trusted_accounts((answer.content.get("Role") or {}).get("AssumeRolePolicyDocument")):
            yield ROLE.ok(at, f"the role trusts account {account}, which has the functions")
        else:
            yield ROLE.problem(
                at, f"the role does not trust account {account}, which has the functions", "deploy member.yaml again"
            )


def check_member_roles(
    reader: Reader, place: AccountRegion, functions: Iterable[RuleFunction], roles: Sequence[str], organization_id: str
) -> Iterator[CheckResult]:
    """Whether the policies of the functions' roles let them assume `roles` of other accounts, given as ARNs."""
    # Functions may share a role.
    for role_arn in sorted({function.role_arn for function in functions}):
        at = f"{place} {role_arn.rpartition('/')[2]}"
        denied: list[str] = []
        for start in range(0, len(roles), SIMULATED_ROLES):
            answer = reader.list(
                "iam",
                "simulate_principal_policy",
                "EvaluationResults",
                PolicySourceArn=role_arn,
                ActionNames=["sts:AssumeRole"],
                ResourceArns=list(roles[start : start + SIMULATED_ROLES]),
                ContextEntries=[
                    {
                        "ContextKeyName": "aws:ResourceOrgID",
                        "ContextKeyValues": [organization_id],
                        "ContextKeyType": "string",
                    }
                ],
            )
            if answer.failure is not None:
                yield ROLE.unread(at, answer.failure)
                break
            denied += _denied(answer.items)
        else:
            if denied:
                yield ROLE.problem(
                    at,
                    f"its policies deny sts:AssumeRole on {abbreviate(denied, MAX_NAMED)}",
                    "deploy the functions again; check service control policies and the permissions boundary",
                )
            elif roles:
                yield ROLE.ok(at, f"its policies allow it to assume the role in {pluralize(len(roles), 'account')}")


def _denied(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """The roles that a simulation denies, one entry for each."""
    denied = []
    for result in results:
        specific = result.get("ResourceSpecificResults") or ()
        decisions = [(one.get("EvalResourceName"), one.get("EvalResourceDecision")) for one in specific]
        for name, decision in decisions or [(result.get("EvalResourceName"), result.get("EvalDecision"))]:
            if decision != ALLOWED:
                denied.append(str(name))
    return denied


def _trusted_accounts(document: object) -> set[str]:
    """The accounts that a trust policy names as principals."""
    accounts: set[str] = set()
    for statement in policy_statements(unquote(document) if isinstance(document, str) else document):
        principal = statement.get("Principal")
        if statement.get("Effect") == "Allow" and isinstance(principal, Mapping):
            named = texts(principal.get("AWS"))
            accounts.update(text.split(":")[4] if text.count(":") >= 5 else text for text in named)
    return accounts
