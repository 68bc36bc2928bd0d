"""Who keeps a security group or load balancer as it is, and would undo a change: told from its tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

STACK_NAME = "aws:cloudformation:stack-name"
# Reserved for AWS services (EC2 user guide, "Tag your Amazon EC2 resources", tag restrictions).
AWS_PREFIX = "aws:"
# The load balancer controller's own tags (aws-load-balancer-controller, "Resource tags").
CONTROLLER_PREFIXES = ("elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws/")
CLUSTER_PREFIX = "kubernetes.io/cluster/"
BEANSTALK = "elasticbeanstalk:environment-name"
# Infrastructure as code leaves no mark of its own; these are the ones that people set by default tags.
TOOLS = re.compile(r"terraform|terragrunt|opentofu|pulumi|crossplane|ansible|\bcdk\b|\btofu\b|spacelift", re.IGNORECASE)
TOOL_KEYS = re.compile(
    r"(terraform|terragrunt|opentofu|pulumi|crossplane|ansible|cdk|tf)([-_: /].*)?"
    r"|(managed|created|provisioned|deployed)[-_ ]?(by|with|from|via)|provisioner|iac([-_ ]?tool)?|orchestrator",
    re.IGNORECASE,
)
NO = frozenset({"false", "no", "0", "none", "n/a"})


def managed_by(tags: Mapping[str, str]) -> str | None:
    """Whom to ask, such as `CloudFormation stack shop`; None where no tag tells of a manager."""
    return next(_managers(tags), None)


def _managers(tags: Mapping[str, str]) -> Iterator[str]:
    """By how sure the mark is."""
    if STACK_NAME in tags:
        yield f"CloudFormation stack {tags[STACK_NAME]}"
    if BEANSTALK in tags:
        yield f"Elastic Beanstalk environment {tags[BEANSTALK]}"
    for key, value in sorted(tags.items()):
        if key.startswith(CONTROLLER_PREFIXES):
            cluster = tags.get("elbv2.k8s.aws/cluster")
            where = f" of cluster {cluster}" if cluster else ""
            yield f"the Kubernetes load balancer controller{where} (tag {key}={value})"
        elif key.startswith(CLUSTER_PREFIX) and value == "owned":
            yield f"Kubernetes cluster {key.removeprefix(CLUSTER_PREFIX)}"
        elif key.startswith(AWS_PREFIX):
            yield f"an AWS service (tag {key}={value})"
    for key, value in sorted(tags.items()):
        if not TOOL_KEYS.fullmatch(key.strip()) or value.strip().lower() in NO:
            continue
        if TOOLS.search(key) or TOOLS.search(value) or key.lower().startswith("tf"):
            yield f"infrastructure as code (tag {key}={value})"
