"""A recommendation with all facts of its Config rule, from which every surface derives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import LoadBalancer, TargetGroup
from alb_sg.estate.sections import Section
from alb_sg.parameters import ParameterDefinition, Parameters
from alb_sg.permissions.allowed_traffic import Direction, Traffic
from alb_sg.permissions.unused_traffic import UnusedRule
from alb_sg.recommendations.load_balancer_context import LoadBalancerContext
from alb_sg.recommendations.plain_load_balancer import PlainLoadBalancer, PlainlyMet
from alb_sg.recommendations.requirement import NotApplicable, RequirementSet

NAME_PREFIX = "ALB_SG_"
# The page with the recommendations, and the prefix of all pages of the guide.
USER_GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application"
USER_GUIDE_URL = f"{USER_GUIDE}/load-balancer-update-security-groups.html"
# The IAM actions that add and remove security group rules of a direction.
_SECURITY_GROUP_RULE_ACTIONS = {
    Direction.INGRESS: ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"),
    Direction.EGRESS: ("ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress"),
}


class Severity(IntEnum):
    """How much a finding matters: the smaller, the worse."""

    # No rule's own: only rdk-config.json gives it.
    CRITICAL = -1
    # Traffic does not arrive, and nothing else shows it.
    HIGH = 0
    # Another symptom, such as a failing health check, shows it too.
    MEDIUM = 1
    LOW = 2


class UnusedIngress(NamedTuple):
    """What a load balancer's security groups let in and no listener uses. `judged_groups` are those of its groups that
    may have such rules. `remarks` belong into the finding."""

    rules: tuple[UnusedRule, ...]
    judged_groups: tuple[str, ...]
    remarks: tuple[str, ...] = ()


FindUnused = Callable[[Estate, LoadBalancer, Collection[int]], UnusedIngress]


def _none(*_: object) -> tuple[()]:
    return ()


def _require_nothing(*_: object) -> RequirementSet:
    raise NotApplicable("the rule requires no traffic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One recommendation of the user guide and the Config rule of the same name.

    `subject` names what the rule is about, met or not; `title` states what holds where it is met. `quote` is the user
    guide's sentence, in the section `page_section` of `page_url`. `caveat` limits what a compliant verdict promises.

    `estate_sections` are the sections of an estate that a verdict may depend on, and `trigger_types` the resource types
    in AWS Config whose changes may change a verdict. `display_order` is the place where rules are listed for people.

    `requirements` raises NotApplicable or NotReadError. `plainly_met` counts the same requirements where it shows at a
    glance that all are met; it raises NotPlain or NotReadError where it does not. `client_traffic` is the traffic that
    it requires from clients, and `target_ports` are the ports that it requires to targets of a group (None: each
    target's own port), as far as the estate holds what determines them: a live source reads only the prefix lists and
    targets that matter for these. `notes` yields what the rule requires nothing for, and why; it is called for
    Application Load Balancers only.

    `find_unused` stands in for `requirements` where a rule judges what should not be open: it gets the TCP ports that
    are exempt, and raises as `requirements` does. `detail_sections` are sections that no verdict depends on, but that
    tell more about a finding: commands read them, a Config rule does not.
    """

    name: str
    title: str
    subject: str
    requirement_text: str
    quote: str
    page_section: str
    severity: Severity
    direction: Direction
    parameters: tuple[ParameterDefinition, ...]
    estate_sections: frozenset[Section]
    trigger_types: tuple[str, ...]
    display_order: int
    requirements: Callable[[LoadBalancerContext, Parameters], RequirementSet] = _require_nothing
    plainly_met: Callable[[PlainLoadBalancer, Parameters], PlainlyMet] | None = None
    find_unused: FindUnused | None = None
    client_traffic: Callable[[Estate, LoadBalancer], Iterable[Traffic]] = _none
    target_ports: Callable[[TargetGroup], Iterable[int | None]] = _none
    notes: Callable[[Estate, LoadBalancer], Iterable[str]] = _none
    detail_sections: frozenset[Section] = frozenset()
    caveat: str | None = None
    page_url: str = USER_GUIDE_URL
    # None: those that add and remove security group rules in the rule's direction.
    custom_fix_actions: tuple[str, ...] | None = None
    # False: deployed only where rdk-config.json says so, and judged by a command only where it is named.
    deployed_by_default: bool = True

    @property
    def short_name(self) -> str:
        """`LISTENER_INGRESS` for ALB_SG_LISTENER_INGRESS."""
        return self.name.removeprefix(NAME_PREFIX)

    @property
    def module_name(self) -> str:
        """`listener_ingress` for ALB_SG_LISTENER_INGRESS: the rule's module in this package."""
        return self.short_name.lower()

    @property
    def kebab_name(self) -> str:
        """`listener-ingress` for ALB_SG_LISTENER_INGRESS."""
        return self.module_name.replace("_", "-")

    @property
    def camel_name(self) -> str:
        """`ListenerIngress` for ALB_SG_LISTENER_INGRESS, as in CloudFormation's logical ids."""
        return "".join(part.capitalize() for part in self.module_name.split("_"))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(definition.name for definition in self.parameters)

    @property
    def is_fixable(self) -> bool:
        """Whether the project adds what a finding lacks, with a remediation document. Nothing of it removes a rule."""
        return self.find_unused is None

    @property
    def fix_actions(self) -> tuple[str, ...]:
        """The IAM actions that change security groups when a finding is fixed and when a fix is undone."""
        if self.custom_fix_actions is not None:
            return self.custom_fix_actions
        return _SECURITY_GROUP_RULE_ACTIONS[self.direction.of_rules]

    def sections_to_read(self, parameters: Parameters) -> frozenset[Section]:
        """The sections that verdicts with these parameters may depend on: tags only where a parameter names one."""
        return self.estate_sections if parameters.tag_key is not None else self.estate_sections - {Section.TAGS}
