"""The fixes in the page's data. The function that builds the page from an aggregator has no plans, and does not ship
this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alb_sg.observations.observation import Observation
from alb_sg.remediation.api_calls import authorize_call, cli_command
from alb_sg.remediation.cloudformation import render_cloudformation
from alb_sg.remediation.plan import Addition, Plan, RefusalReason
from alb_sg.remediation.snippets import make_snippets
from alb_sg.remediation.terraform import render_terraform
from alb_sg.report import phrasing
from alb_sg.report.advice import plan_advice

# The requester in the description of a new security group rule.
REQUESTED_BY = "dashboard"
NEW_GROUP_PLACEHOLDER = "THE_NEW_GROUP"


def fix_objects(observation: Observation, plans: Mapping[str, Plan]) -> dict[str, dict[str, Any]]:
    """The fixes by load balancer ARN, of the load balancers that the page explains."""
    details = observation.details
    return {
        arn: _fix_object(plan) for arn, plan in plans.items() if arn in details and details[arn].explanation is not None
    }


def _fix_object(plan: Plan) -> dict[str, Any]:
    """What `alb-sg fix` would do in words, and the rules that it would add: one by one for the console, and as code."""
    # A refusal whose group is not known has no place in code.
    decided = tuple(refusal for refusal in plan.refusals if refusal.reason is not RefusalReason.NOT_READ)
    snippets = make_snippets([replace(plan, refusals=decided)])
    region = plan.load_balancer.region
    return {
        "rules": [_addition_object(addition) for addition in plan.additions],
        "advice": [[rule, sentence] for (_, rule), sentences in plan_advice(plan).items() for sentence in sentences],
        "cli": "\n".join(
            cli_command(authorize_call(one, one.group_id or NEW_GROUP_PLACEHOLDER, REQUESTED_BY), region)
            for one in plan.additions
        ),
        "cloudFormation": render_cloudformation(snippets),
        "terraform": render_terraform(snippets),
    }


def _addition_object(addition: Addition) -> dict[str, Any]:
    permission = addition.permission
    return {
        "group": addition.group_id,
        "direction": phrasing.direction_word(addition.direction.value),
        "what": phrasing.describe_ports(permission),
        "peer": addition.peer,
        "rules": list(addition.rule_names),
        "because": list(addition.origins),
        "everyone": addition.open_to_everyone,
        **({"alsoOpens": addition.also_opens_sentence} if addition.also_opens else {}),
    }
