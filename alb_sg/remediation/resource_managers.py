"""The tool or service that manages a security group or load balancer, and may undo changes, by its name or tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from alb_sg.estate.model import SecurityGroup

STACK_NAME_TAG = "aws:cloudformation:stack-name"
# Reserved for AWS services (EC2 user guide, "Tag your Amazon EC2 resources", tag restrictions).
AWS_TAG_PREFIX = "aws:"
# The load balancer controller's own tags (aws-load-balancer-controller, "Resource tags").
CONTROLLER_TAG_PREFIXES = ("elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws/")
# Its shared backend group, which targets refer to.
BACKEND_GROUP_TAG = ("elbv2.k8s.aws/resource", "backend-sg")
CLUSTER_TAG_PREFIX = "kubernetes.io/cluster/"
# The replicas of a common security group policy begin with it, and have no tag of their own.
FIREWALL_MANAGER_NAME_PREFIX = "FMManagedSecurityGroup"
BEANSTALK_TAG = "elasticbeanstalk:environment-name"
# Infrastructure as code sets no tag by itself. People set these through default tags.
IAC_TOOL_NAMES = re.compile(
    r"terraform|terragrunt|opentofu|pulumi|crossplane|ansible|\bcdk\b|\btofu\b|spacelift", re.IGNORECASE
)
IAC_TAG_KEYS = re.compile(
    r"(terraform|terragrunt|opentofu|pulumi|crossplane|ansible|cdk|tf)([-_: /].*)?"
    r"|(managed|created|provisioned|deployed)[-_ ]?(by|with|from|via)|provisioner|iac([-_ ]?tool)?|orchestrator",
    re.IGNORECASE,
)
NEGATIVE_VALUES = frozenset({"false", "no", "0", "none", "n/a"})


def find_group_manager(group: SecurityGroup) -> str | None:
    """The manager of a security group; None if neither name nor tags tell one. Raises NotReadError for unread tags."""
    if group.name.startswith(FIREWALL_MANAGER_NAME_PREFIX):
        return "AWS Firewall Manager"
    return find_manager(group.known_tags)


def find_manager(tags: Mapping[str, str]) -> str | None:
    """The manager, such as `CloudFormation stack shop`; None if no tag names one."""
    return next(_managers(tags), None)


def is_controller_backend_group(tags: Mapping[str, str]) -> bool:
    """Whether it is the shared backend group of a Kubernetes load balancer controller: all its load balancers carry it
    for the sake of their targets."""
    key, value = BACKEND_GROUP_TAG
    return tags.get(key) == value


def _managers(tags: Mapping[str, str]) -> Iterator[str]:
    """Every manager that the tags name, the most certain first."""
    if STACK_NAME_TAG in tags:
        yield f"CloudFormation stack {tags[STACK_NAME_TAG]}"
    if BEANSTALK_TAG in tags:
        yield f"Elastic Beanstalk environment {tags[BEANSTALK_TAG]}"
    for key, value in sorted(tags.items()):
        if key.startswith(CONTROLLER_TAG_PREFIXES):
            cluster = tags.get("elbv2.k8s.aws/cluster")
            of_cluster = f" of cluster {cluster}" if cluster else ""
            yield f"the Kubernetes load balancer controller{of_cluster} (tag {key}={value})"
        elif key.startswith(CLUSTER_TAG_PREFIX) and value == "owned":
            yield f"Kubernetes cluster {key.removeprefix(CLUSTER_TAG_PREFIX)}"
        elif key.startswith(AWS_TAG_PREFIX):
            yield f"an AWS service (tag {key}={value})"
    for key, value in sorted(tags.items()):
        if not IAC_TAG_KEYS.fullmatch(key.strip()) or value.strip().lower() in NEGATIVE_VALUES:
            continue
        if IAC_TOOL_NAMES.search(key) or IAC_TOOL_NAMES.search(value) or key.lower().startswith("tf"):
            yield f"infrastructure as code (tag {key}={value})"
