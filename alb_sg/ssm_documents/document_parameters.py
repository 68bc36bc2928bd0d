"""The parameters of the documents, each with the pattern that it must match whole.

AWS Config passes on at most 256 characters of a value.
"""

from __future__ import annotations

from dataclasses import dataclass

from alb_sg.exemptions.document import LOAD_BALANCER_ARN
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.remediation.api_calls import EXECUTION_ID_PATTERN
from alb_sg.remediation.fix_request import RULES_PER_GROUP, ManagedGroupPolicy, SharedGroupPolicy


@dataclass(frozen=True, slots=True)
class DocumentParameter:
    """`default` None: it must be given. A list has texts that match the pattern."""

    name: str
    description: str
    pattern: str
    default: str | list[str] | None = None

    @property
    def type(self) -> str:
        return "StringList" if isinstance(self.default, list) else "String"

    @property
    def declaration(self) -> dict[str, object]:
        """As a document declares it."""
        found: dict[str, object] = {
            "type": self.type,
            "description": self.description,
            "allowedPattern": f"^{self.pattern}$",
        }
        return found if self.default is None else found | {"default": self.default}


ASSUME_ROLE = DocumentParameter(
    "AutomationAssumeRole",
    "The ARN of the role that the steps run as; Systems Manager must be allowed to assume it.",
    "arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}",
)
LOAD_BALANCER = DocumentParameter(
    "LoadBalancerArn", "The Application Load Balancer to fix, in this account and region.", LOAD_BALANCER_ARN.pattern
)
DRY_RUN = DocumentParameter("DryRun", "true: plan and change nothing. false: fix it.", "(true|false)", "true")
APPROVERS = DocumentParameter(
    "Approvers",
    "Who is asked before anything is changed: names or ARNs of IAM users and roles, at most ten, any one of whom may "
    "approve. Nobody is asked where this is empty.",
    "[A-Za-z0-9+=,.@_:/-]{1,512}",
    [],
)
SHARED_GROUP = DocumentParameter(
    "SharedGroup",
    "Where each security group is carried by others too, or is full: dedicated, add one that is the load balancer's "
    "alone; refuse.",
    f"({'|'.join(choice.value for choice in SharedGroupPolicy)})",
    SharedGroupPolicy.DEDICATED.value,
)
MANAGED_GROUP = DocumentParameter(
    "ManagedGroup",
    "Where CloudFormation, Terraform or another manager would take the change back: refuse, or allow it.",
    f"({'|'.join(choice.value for choice in ManagedGroupPolicy)})",
    ManagedGroupPolicy.REFUSE.value,
)
RULE_QUOTA = DocumentParameter(
    "RulesPerGroup",
    "The account's quota of rules in a security group, in each direction and address family.",
    "([1-9][0-9]{0,2}|1000)",
    str(RULES_PER_GROUP),
)
EXECUTION = DocumentParameter(
    "Execution", "The execution to take back: its id, or that of `alb-sg fix`.", EXECUTION_ID_PATTERN.pattern
)


def rule_parameters(rule: str) -> tuple[DocumentParameter, ...]:
    """The rule's own parameters that affect its verdict: the document must come to the same verdict as the rule."""
    return tuple(
        DocumentParameter(
            definition.name, definition.document_meaning or definition.meaning, definition.pattern, definition.default
        )
        for definition in RECOMMENDATIONS_BY_NAME[rule].parameters
        if definition.pattern is not None
    )


def config_rule_name_parameter(rule: str) -> DocumentParameter:
    return DocumentParameter(
        "ConfigRuleName",
        "The AWS Config rule to evaluate again once it is fixed; empty: none. A conformance pack gives its rules names "
        "of its own.",
        "[A-Za-z0-9_-]{0,128}",
        rule,
    )


def plan_parameters(rule: str) -> tuple[DocumentParameter, ...]:
    """What a plan hangs on: every script gets the same."""
    return (LOAD_BALANCER, SHARED_GROUP, MANAGED_GROUP, RULE_QUOTA, *rule_parameters(rule))


def fix_parameters(rule: str) -> tuple[DocumentParameter, ...]:
    """The parameters of the document that fixes a rule's findings."""
    load_balancer, *others = plan_parameters(rule)
    return (load_balancer, ASSUME_ROLE, DRY_RUN, APPROVERS, *others, config_rule_name_parameter(rule))


UNDO_PARAMETERS = (EXECUTION, ASSUME_ROLE)
