"""What a template or plan would make, in one shape for every language.

A reader (one for each language) returns scenarios. Resources have CloudFormation's type names and properties (AWS
CloudFormation template reference), whatever the language: a Terraform `aws_lb` becomes an
`AWS::ElasticLoadBalancingV2::LoadBalancer` with `Scheme`, `SecurityGroups` and so on. Defaults are the reader's: it
writes out what its tool would apply where the author wrote nothing and the tool differs from the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class UnknownPlannedValue:
    """A value that nobody knows before the change is applied.

    `origin` says where it comes from (`known after apply: module.x.aws_lb.y.vpc_id`, `parameter VpcCidr`), and
    `remedy` what would settle it (`give --template-parameter VpcCidr=…`). `candidates` are the resources and
    identifiers of which it is one, or several in a list; without any, it may be everything. `is_existing`: it can only
    be resources that exist already, or none. `identity`: values of the same one are equal, whatever they are.
    """

    origin: str
    remedy: str = ""
    candidates: tuple[ResourceReference | str, ...] = ()
    is_existing: bool = False
    identity: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class ResourceReference:
    """The value of an attribute of another planned resource. `address` is that resource's address in its document, and
    `attribute` is empty for its physical identifier (what `Ref` returns or `.id` and `.arn` name), otherwise
    CloudFormation's name of the attribute, such as `CidrBlock`."""

    address: str
    attribute: str = ""


# Text, number, boolean, None, list or mapping of these, UnknownPlannedValue, ResourceReference.
PlannedValue = object


class Action(Enum):
    """What applying the document does to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True)
class Location:
    """Where a resource is written. `line` counts from 1; None where the language of the input does not tell it.
    `condition` is the condition of a template without which the resource is not created."""

    file: str
    line: int | None = None
    condition: str | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}, line {self.line}"


@dataclass(frozen=True, slots=True)
class InlineRules:
    """The directions (`ingress`, `egress`) in which a security group lists its rules itself, so that a rule that is a
    resource of its own would be taken away again, and the security groups that these rules name."""

    directions: frozenset[str]
    peers: frozenset[str]


@dataclass(frozen=True, slots=True)
class DocumentResources:
    """The resources of a plan or template, by identifier: their addresses, where they are written if that is known, and
    the security groups that list their rules themselves."""

    addresses: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Location] = field(default_factory=dict)
    inline_rules: Mapping[str, InlineRules] = field(default_factory=dict)

    def name_of(self, identifier: str) -> str:
        """The address of a resource of the document; any other keeps its identifier."""
        return self.addresses.get(identifier, identifier)


@dataclass(frozen=True)
class PlannedResource:
    """A resource after the change. `physical_id` is the ARN (load balancer, listener, target group) or the identifier
    (security group, VPC, …) of one that exists already, otherwise None. `before` has the properties of one that
    exists, where the document holds them. `account_id` and `region` are None where nobody tells them: they are those of
    the rest of the document. They are "" where others of the same origin have another one. `provider` is the
    configuration that makes it. `inline_rules` are the directions in which a security group lists its rules itself.
    `is_written`: the configuration has it, so that others may refer to it."""

    address: str
    type: str
    properties: Mapping[str, PlannedValue]
    action: Action = Action.CREATE
    physical_id: str | None = None
    before: Mapping[str, PlannedValue] | None = None
    location: Location | None = None
    account_id: str | None = None
    region: str | None = None
    provider: str = ""
    inline_rules: frozenset[str] = frozenset()
    is_written: bool = True


@dataclass(frozen=True)
class Scenario:
    """One way in which the document can be applied: every condition and allowed value has been chosen.

    `assumptions` are those choices in words (`parameter Scheme is internal`); a Terraform plan has one scenario without
    any. `load_balancers` are the addresses of those that the scenario is for: it has all that decides their verdicts,
    and perhaps a part of what decides those of others. None: all of them. `unread` are parts of the document that
    could not be read, and may describe more load balancers. `is_one_account`: a resource that does not tell its account
    has that of the rest.
    """

    resources: Sequence[PlannedResource]
    assumptions: tuple[str, ...] = ()
    load_balancers: frozenset[str] | None = None
    unread: tuple[UnknownPlannedValue, ...] = ()
    is_one_account: bool = True
