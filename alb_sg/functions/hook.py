"""The Lambda function of the CloudFormation Hook: judges a change set or stack over the account, before it is deployed.

It answers within 20 of the 30 seconds that CloudFormation waits. Reading a large account may take longer: then the
answer is IN_PROGRESS, the reading goes on in this process, and CloudFormation calls up to three times.

Source: "Create Lambda functions to evaluate resources for Lambda Hooks" of the CloudFormation Hooks user guide.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunningError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.clients import make_client
from alb_sg.aws.pages import read_pages
from alb_sg.aws.service_models import new_session
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.export_file import estate_of_export
from alb_sg.estate.json_files import parse_json
from alb_sg.estate.planned.change_set import is_relevant, read_change_set, read_changed_resources
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.resources import Scenario
from alb_sg.estate.planned.template_stacks import TemplateFile
from alb_sg.functions.hook_judging import Judgement, judge_change, unjudged
from alb_sg.functions.hook_scope import scope_of
from alb_sg.live import LiveClients, LiveSource
from alb_sg.live.export import ExportScope
from alb_sg.live.iam_actions import ENUMERATION_ACTIONS, SECTION_ACTIONS
from alb_sg.parameters import Parameters, parse_parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation

# Environment variables. The rules are JSON, `{"RULE": {"Parameter": "Value"}}`; empty for those that are deployed by
# default, without parameters.
RULES_VARIABLE = "ALB_SG_HOOK_RULES"
ON_UNKNOWN_VARIABLE = "ALB_SG_ON_UNKNOWN"
SKIP, FAIL = "SKIP", "FAIL"
# What the function's role may do.
HOOK_ACTIONS = tuple(
    sorted(
        {
            "cloudformation:ListStackResources",
            *ENUMERATION_ACTIONS,
            *(action for actions in SECTION_ACTIONS.values() for action in actions),
        }
    )
)
SECONDS_TO_ANSWER = 20.0
MAX_INVOCATIONS = 3
# Limits of the answer, in characters.
MAX_MESSAGE = 4096
UPDATE_CAUSE = (
    "a stack operation does not tell what an update changes; deploy through a change set, whose properties are resolved"
)
TOO_SLOW = f"the account was not read within {MAX_INVOCATIONS} invocations; give the function more memory"


@dataclass(frozen=True)
class HookRequest:
    """What CloudFormation asks. `token` identifies the request in all of its invocations."""

    token: str
    account_id: str
    stack_id: str
    target: str
    payload_url: str
    invocation: int


# The evaluations of this process that have not been answered yet.
_running: dict[str, Future[Judgement]] = {}
_executor = ThreadPoolExecutor(max_workers=4)


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The answer to a Hook's event. Raises InvalidInputError for an event or environment that is none."""
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    request = read_request(event)
    rules = parse_rules(os.environ.get(RULES_VARIABLE, ""))
    is_unknown_failed = _fails_unknown(os.environ.get(ON_UNKNOWN_VARIABLE, SKIP))
    running = _running.get(request.token)
    if running is None:
        running = _running[request.token] = _executor.submit(evaluate, request, rules)
    try:
        judgement = running.result(max(0.0, deadline - time.monotonic()))
    except StillRunningError:
        if request.invocation < MAX_INVOCATIONS:
            return {**_answer(request, "IN_PROGRESS", "reading the account"), "callbackDelaySeconds": 1}
        _running.pop(request.token, None)
        return _failure(request, TOO_SLOW)
    except NotReadError as error:
        _running.pop(request.token, None)
        return _failure(request, str(error))
    _running.pop(request.token, None)
    annotations = list(judgement.annotations)
    if judgement.broken:
        return _answer(request, "FAILED", judgement.summary, "NonCompliant", annotations)
    if judgement.unknown and is_unknown_failed:
        return _answer(request, "FAILED", judgement.summary, "NonCompliant", annotations)
    return _answer(request, "SUCCESS", judgement.summary, annotations=annotations)


def _failure(request: HookRequest, cause: str) -> dict[str, Any]:
    """The answer if AWS did not tell what the judgement needs. The Hook's failure mode decides what becomes of it."""
    logging.getLogger(__name__).error("%s: %s", request.stack_id, cause)
    return _answer(request, "FAILED", cause, "InternalFailure")


def _answer(
    request: HookRequest,
    status: str,
    message: str,
    error_code: str | None = None,
    annotations: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "hookStatus": status,
        **({} if error_code is None else {"errorCode": error_code}),
        "message": message[:MAX_MESSAGE],
        "clientRequestToken": request.token,
        **({"annotations": list(annotations)} if annotations else {}),
    }


# --- the request


def read_request(event: Mapping[str, Any]) -> HookRequest:
    """An event of CloudFormation, whose documentation spells two names both ways. Raises InvalidInputError."""
    data = event.get("requestData")
    if not isinstance(data, Mapping):
        raise InvalidInputError("no event of a CloudFormation Hook: it has no requestData")
    context = event.get("requestContext")
    invocation = context.get("invocation") if isinstance(context, Mapping) else None
    return HookRequest(
        token=_text(event, "clientRequestToken", "clientRequesttoken"),
        account_id=_text(event, "awsAccountId", "awsAccountID"),
        stack_id=_text(event, "stackId", "stackID"),
        target=_text(data, "targetType", "targetName"),
        payload_url=_text(data, "payload"),
        invocation=invocation if isinstance(invocation, int) else 1,
    )


def _text(value: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if isinstance(value.get(name), str) and value[name]:
            return str(value[name])
    raise InvalidInputError(f"no event of a CloudFormation Hook for stacks and change sets: it has no {names[0]}")


def parse_rules(text: str) -> dict[Recommendation, Parameters]:
    """The rules to judge, with their parameters. Raises InvalidInputError."""
    if not text:
        return {rule: parse_parameters({}) for rule in DEFAULT_RECOMMENDATIONS}
    value = parse_json(text, unique_keys=True)
    if not isinstance(value, dict) or not all(isinstance(given, dict) for given in value.values()):
        raise InvalidInputError('rules are written {"RULE": {"Parameter": "Value"}}', RULES_VARIABLE)
    for name in value:
        if name not in RECOMMENDATIONS_BY_NAME:
            known = ", ".join(sorted(RECOMMENDATIONS_BY_NAME))
            raise InvalidInputError(f"unknown rule {name!r}; known are {known}", RULES_VARIABLE)
    return {RECOMMENDATIONS_BY_NAME[name]: parse_parameters(given) for name, given in value.items()}


def _fails_unknown(text: str) -> bool:
    if text not in (SKIP, FAIL):
        raise InvalidInputError(f"{text!r} is neither {SKIP} nor {FAIL}", ON_UNKNOWN_VARIABLE)
    return text == FAIL


# --- the evaluation


def evaluate(request: HookRequest, rules: Mapping[Recommendation, Parameters]) -> Judgement:
    """The judgement of the change. Raises NotReadError if AWS does not tell the change or the account."""
    session = new_session()
    region = session.get_config_variable("region")
    home = AccountRegion(request.account_id, region)
    try:
        scenarios = _scenarios(request, fetch_payload(request.payload_url), home, session)
        if not scenarios:
            return Judgement((), (), ())
        # Unused openings depend on every load balancer that carries a group.
        scope = None if any(rule.find_unused is not None for rule in rules) else scope_of(scenarios)
        return judge_change(scenarios, read_account(home, session, scope), rules)
    except InvalidInputError as error:
        return unjudged(str(error))


def fetch_payload(url: str) -> Mapping[str, Any]:
    """The object behind the presigned URL of an event. Raises NotReadError."""
    what = "the Hook's payload"
    try:
        response = URLLib3Session(timeout=10).send(AWSRequest("GET", url).prepare())
    except AWS_ERRORS as error:
        raise NotReadError(what, error_text(error, "GET")) from error
    if response.status_code != 200:
        raise NotReadError(what, f"Amazon S3 answers {response.status_code}")
    value = parse_json(response.content.decode("utf-8-sig"))
    if not isinstance(value, dict):
        raise InvalidInputError("the Hook's payload is no object")
    return value


def _scenarios(
    request: HookRequest, payload: Mapping[str, Any], home: AccountRegion, session: Any
) -> Sequence[Scenario]:
    """The ways in which the change can be applied; none if no verdict can depend on it."""
    template = payload.get("template")
    if not isinstance(template, str):
        raise InvalidInputError("the Hook's payload has no template")
    if request.target == "CHANGE_SET":
        changed = [one for one in read_changed_resources(payload) if is_relevant(one)]
        if not changed:
            return ()
        existing = [one for one in changed if one.action.upper() not in ("CREATE", "ADD")]
        return [read_change_set(template, changed, physical_ids(request.stack_id, session) if existing else {}, home)]
    if request.target != "STACK":
        raise InvalidInputError(f"the Hook's target {request.target!r} is neither CHANGE_SET nor STACK")
    if payload.get("previousTemplate"):
        raise InvalidInputError(UPDATE_CAUSE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template"
        path.write_text(template, encoding="utf-8")
        name = request.stack_id.split("/")[1] if "/" in request.stack_id else None
        file = TemplateFile(str(path), name, home.account_id, home.region)
        scenarios = read_templates([file], over_estate=True)
    return [one for one in scenarios if one.resources or one.unread]


def physical_ids(stack_id: str, session: Any) -> dict[str, str]:
    """The identifiers of a stack's resources, by logical ID. Raises NotReadError."""
    client = make_client("cloudformation", session=session)
    try:
        pages = read_pages(client, "list_stack_resources", {"StackName": stack_id}, "StackResourceSummaries")
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
            if one.get("PhysicalResourceId")
        }
    except AWS_ERRORS as error:
        raise NotReadError(f"resources of stack {stack_id}", error_text(error, "ListStackResources")) from error


def read_account(home: AccountRegion, session: Any, scope: ExportScope | None) -> Estate:
    """The account and region as it is, with the load balancers of `scope`. Raises NotReadError."""
    clients = LiveClients(elbv2=make_client("elbv2", session=session), ec2=make_client("ec2", session=session))
    return estate_of_export(LiveSource(clients, home.account_id, home.region).export(scope))
