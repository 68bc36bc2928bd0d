"""The parameters of the documents, each with the pattern that the whole value must match.

AWS Config passes at most 256 characters of a value.
"""

from __future__ import annotations

from dataclasses import dataclass

from alb_sg.exemptions.document import LOAD_BALANCER_ARN
from alb_sg.remediation.api_calls import EXECUTION_ID_PATTERN
from alb_sg.remediation.fix_request import ManagedGroupPolicy, SharedGroupPolicy
from alb_sg.remediation.tags import TAGS_PATTERN, format_tags
from alb_sg.ssm_documents.document_limits import DocumentLimits


@dataclass(frozen=True, slots=True)
class DocumentParameter:
    """A parameter; without a `default` it is required. Each text of a list must match the pattern."""

    name: str
    description: str
    pattern: str
    default: str | list[str] | None = None

    @property
    def declaration(self) -> dict[str, object]:
        """The parameter in a document."""
        declaration: dict[str, object] = {
            "type": "StringList" if isinstance(self.default, list) else "String",
            "description": self.description,
            "allowedPattern": f"^{self.pattern}$",
        }
        return declaration if self.default is None else declaration | {"default": self.default}


ASSUME_ROLE = DocumentParameter(
    "AutomationAssumeRole",
    "The ARN of the role that the steps run as. Systems Manager must be allowed to assume it.",
    "arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}",
)
LOAD_BALANCER = DocumentParameter(
    "LoadBalancerArn", "The Application Load Balancer to fix, in this account and region.", LOAD_BALANCER_ARN.pattern
)
DRY_RUN = DocumentParameter("DryRun", "true: only plan. false: plan, then fix.", "(true|false)", "true")
APPROVERS = DocumentParameter(
    "Approvers",
    "The IAM users and roles, at most ten, by name or ARN, one of whom must approve the changes. Without any, those of "
    "the deployment; if it names approvers, only these may be given.",
    "[A-Za-z0-9+=,.@_:/-]{1,512}",
    [],
)


def policy_parameters(limits: DocumentLimits) -> tuple[DocumentParameter, ...]:
    """The parameters that narrow the deployment's policy. Their defaults are the deployment's."""
    policy = limits.policy
    return (
        DocumentParameter(
            "SharedGroup",
            "If every security group of the load balancer is shared or full: dedicated creates one for it alone, "
            "refuse changes nothing. refuse overrides the deployment.",
            f"({'|'.join(choice.value for choice in SharedGroupPolicy)})",
            policy.shared_group.value,
        ),
        DocumentParameter(
            "ManagedGroup",
            "If CloudFormation, Terraform or another tool manages a security group and may revert the change: refuse, "
            "or allow it, if the deployment allows it.",
            f"({'|'.join(choice.value for choice in ManagedGroupPolicy)})",
            policy.managed_group.value,
        ),
        DocumentParameter(
            "RulesPerGroup",
            "The account's quota of rules in a security group, per direction and address family, at most the "
            "deployment's.",
            "([1-9][0-9]{0,2}|1000)",
            str(policy.rules_per_group),
        ),
        DocumentParameter(
            "Tags",
            "Tags for created security groups and rules, as CostCenter=1234,Owner=platform.",
            TAGS_PATTERN,
            format_tags(policy.tags),
        ),
    )


EXECUTION = DocumentParameter(
    "Execution", "The id of the execution to undo, of a document or of `alb-sg fix`.", EXECUTION_ID_PATTERN.pattern
)


def config_rule_name_parameter(rule: str) -> DocumentParameter:
    return DocumentParameter(
        "ConfigRuleName",
        "The AWS Config rule whose parameters the document takes, and which it asks AWS Config to evaluate again. In a "
        "conformance pack, rules have names that the pack gives them.",
        "[A-Za-z0-9_-]{1,128}",
        rule,
    )


def plan_parameters(rule: str, limits: DocumentLimits) -> tuple[DocumentParameter, ...]:
    """The parameters that decide a plan. Every step that judges gets all of them."""
    return (LOAD_BALANCER, *policy_parameters(limits), config_rule_name_parameter(rule))


def fix_parameters(rule: str, limits: DocumentLimits) -> tuple[DocumentParameter, ...]:
    """The parameters of the document that fixes a rule's findings."""
    load_balancer, *others = plan_parameters(rule, limits)
    return (load_balancer, ASSUME_ROLE, DRY_RUN, APPROVERS, *others)


UNDO_PARAMETERS = (EXECUTION, ASSUME_ROLE)
