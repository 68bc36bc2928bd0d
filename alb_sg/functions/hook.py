"""The Lambda function of the CloudFormation Hook: judges a change set or stack over the account, before it is deployed.

It answers within 20 of the 30 seconds that CloudFormation waits. Reading a large account may take longer: then the
answer is IN_PROGRESS, the reading goes on in this process, and CloudFormation calls up to three times.

Source: "Create Lambda functions to evaluate resources for Lambda Hooks" of the CloudFormation Hooks user guide.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunningError
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.clients import make_client
from alb_sg.aws.service_models import new_session
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.estate.estate import Estate
from alb_sg.estate.json_files import parse_json
from alb_sg.estate.planned.change_set import is_relevant, read_change_set, read_changed_resources
from alb_sg.estate.planned.cloudformation import read_templates
from alb_sg.estate.planned.deployed_stack import DeployedStack
from alb_sg.estate.planned.resources import Scenario
from alb_sg.estate.planned.template_documents import encode_template
from alb_sg.estate.planned.template_stacks import TemplateFile
from alb_sg.exemptions.aws_document import MAX_DAYS_VARIABLE, limit_exemptions, parse_max_days, read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.functions.hook_judging import Judgement, judge_change, unjudged
from alb_sg.functions.hook_scope import Scope, find_scope, target_groups_of, with_load_balancers_behind
from alb_sg.live import LiveClients, LiveSource
from alb_sg.live.iam_actions import ENUMERATION_ACTIONS, SECTION_ACTIONS
from alb_sg.live.stacks import STACK_ACTIONS, read_stack, read_stack_resources
from alb_sg.parameters import EXEMPTIONS_PARAMETER, Parameters, parse_parameters
from alb_sg.recommendations.catalogue import DEFAULT_RECOMMENDATIONS, RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation

# Environment variables. The rules are JSON, `{"RULE": {"Parameter": "Value"}}`; empty for those that are deployed by
# default, without parameters.
RULES_VARIABLE = "ALB_SG_HOOK_RULES"
ON_UNKNOWN_VARIABLE = "ALB_SG_ON_UNKNOWN"
# The location of the exemptions in AWS; empty for none.
EXEMPTIONS_VARIABLE = "ALB_SG_EXEMPTIONS"
SKIP, FAIL = "SKIP", "FAIL"
# What the function's role may do.
HOOK_ACTIONS = tuple(
    sorted(
        {
            *STACK_ACTIONS,
            *ENUMERATION_ACTIONS,
            *(action for actions in SECTION_ACTIONS.values() for action in actions),
        }
    )
)
SECONDS_TO_ANSWER = 20.0
MAX_INVOCATIONS = 3
# Within the last of them: to judge what was read.
SECONDS_TO_JUDGE = 3.0
# Between invocations. Elastic Load Balancing's token bucket fills while nothing is read.
CALLBACK_SECONDS = 4
# Read the details of this many load balancers together, then look at the time.
BATCH = 20
# Limits of the answer, in characters.
MAX_MESSAGE = 4096


@dataclass(frozen=True)
class HookRequest:
    """What CloudFormation asks. `token` identifies the request in all of its invocations."""

    token: str
    account_id: str
    stack_id: str
    target: str
    payload_url: str
    invocation: int


class Evaluation:
    """The work on a request, which several invocations of this process wait for."""

    def __init__(self, request: HookRequest, rules: Mapping[Recommendation, Parameters]) -> None:
        # When reading must end; None while there is another invocation.
        self._read_until: float | None = None
        self.judgement = _executor.submit(evaluate, request, rules, self._is_time_over)

    def result(self, deadline: float, *, is_last: bool) -> Judgement:
        """Raises TimeoutError at the deadline, and NotReadError as `evaluate` does."""
        if is_last:
            self._read_until = deadline - SECONDS_TO_JUDGE
        return self.judgement.result(max(0.0, deadline - monotonic()))

    def _is_time_over(self) -> bool:
        return self._read_until is not None and monotonic() > self._read_until


# The unanswered evaluations of this process, by the request's token.
_running: dict[str, Evaluation] = {}
_executor = ThreadPoolExecutor(max_workers=4)


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """The answer to a Hook's event. Raises InvalidInputError for an invalid event or environment."""
    deadline = monotonic() + SECONDS_TO_ANSWER
    request = read_request(event)
    rules = parse_rules(os.environ.get(RULES_VARIABLE, ""))
    on_unknown = os.environ.get(ON_UNKNOWN_VARIABLE, SKIP)
    if on_unknown not in (SKIP, FAIL):
        raise InvalidInputError(f"{on_unknown!r} is neither {SKIP} nor {FAIL}", ON_UNKNOWN_VARIABLE)
    running = _running.get(request.token)
    if running is None:
        running = _running[request.token] = Evaluation(request, rules)
    is_last = request.invocation >= MAX_INVOCATIONS
    try:
        judgement = running.result(deadline, is_last=is_last)
    except StillRunningError:
        if not is_last:
            return {**_answer(request, "IN_PROGRESS", "reading the account"), "callbackDelaySeconds": CALLBACK_SECONDS}
        _running.pop(request.token, None)
        return _failure(request, f"the account was not read within {MAX_INVOCATIONS} invocations")
    except NotReadError as error:
        _running.pop(request.token, None)
        return _failure(request, str(error))
    _running.pop(request.token, None)
    annotations = list(judgement.annotations)
    if judgement.broken:
        return _answer(request, "FAILED", judgement.summary, "NonCompliant", annotations)
    if judgement.unread:
        return _failure(request, judgement.summary)
    if judgement.unknown and on_unknown == FAIL:
        return _answer(request, "FAILED", judgement.summary, "NonCompliant", annotations)
    return _answer(request, "SUCCESS", judgement.summary, annotations=annotations)


def _failure(request: HookRequest, cause: str) -> dict[str, Any]:
    """The answer if AWS did not give the data to judge. The Hook's failure mode decides what happens then."""
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
        if EXEMPTIONS_PARAMETER in value[name]:
            raise InvalidInputError(
                f"{name}: the Hook has one location of exemptions for all rules; give it as the stack's parameter "
                f"{EXEMPTIONS_PARAMETER}",
                RULES_VARIABLE,
            )
    return {RECOMMENDATIONS_BY_NAME[name]: parse_parameters(given) for name, given in value.items()}


def evaluate(
    request: HookRequest, rules: Mapping[Recommendation, Parameters], is_time_over: Callable[[], bool]
) -> Judgement:
    """The judgement of the change. Once the time is over, no more details of load balancers are read.

    Raises NotReadError if AWS does not tell the change or the account.
    """
    session = new_session()
    region = session.get_config_variable("region")
    account_region = AccountRegion(request.account_id, region)
    try:
        scenarios = _scenarios(request, fetch_payload(request.payload_url), account_region, session)
        if not scenarios:
            return Judgement((), (), ())
        base, scope, unread = read_account(account_region, session, scenarios, rules, is_time_over)
        return judge_change(scenarios, base, scope, rules, unread, load_exemptions_for(account_region, session))
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
    request: HookRequest, payload: Mapping[str, Any], account_region: AccountRegion, session: Any
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
        return [
            read_change_set(
                template, changed, physical_ids(request.stack_id, session) if existing else {}, account_region
            )
        ]
    if request.target != "STACK":
        raise InvalidInputError(f"the Hook's target {request.target!r} is neither CHANGE_SET nor STACK")
    deployed = _deployed_stack(request, payload, session)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template"
        path.write_bytes(encode_template(template))
        name = request.stack_id.split("/")[1] if "/" in request.stack_id else None
        file = TemplateFile(
            str(path), name, account_region.account_id, account_region.region, deployed, has_local_parts=False
        )
        try:
            scenarios = read_templates([file], over_estate=True)
        except InvalidInputError as error:
            # Nobody who reads the answer knows the file.
            raise InvalidInputError(str(error).replace(str(path), path.name)) from error
    return [one for one in scenarios if one.resources or one.unread]


def _deployed_stack(request: HookRequest, payload: Mapping[str, Any], session: Any) -> DeployedStack | None:
    """The stack that the operation updates; None for a new one."""
    previous = payload.get("previousTemplate")
    if not previous:
        return None
    if not isinstance(previous, str):
        raise InvalidInputError("the Hook's payload has a previousTemplate that is no text")
    stack = read_stack(make_client("cloudformation", session=session), request.stack_id, encode_template(previous))
    if stack is None:
        raise NotReadError(f"stack {request.stack_id}", "DescribeStacks: it has no resources, but a previous template")
    return stack


def physical_ids(stack_id: str, session: Any) -> dict[str, str]:
    """The identifiers of a stack's resources, by logical ID. Raises NotReadError."""
    client = make_client("cloudformation", session=session)
    return {key: one.physical_id for key, one in read_stack_resources(client, stack_id).items()}


def load_exemptions_for(account_region: AccountRegion, session: Any) -> LoadedExemptions | None:
    """The exemptions that count today (UTC), and errors of those that may be for this account and region.

    Raises InvalidInputError for an invalid location or longest time.
    """
    text = os.environ.get(EXEMPTIONS_VARIABLE)
    if not text:
        return None
    location = parse_location(text)
    today = datetime.now(UTC).date()
    max_days = parse_max_days(os.environ.get(MAX_DAYS_VARIABLE))

    def read() -> Exemptions:
        try:
            found = read_exemptions(
                location,
                lambda service: make_client(service, session=session),
                RECOMMENDATIONS_BY_NAME,
                bucket_owner=account_region.account_id,
            )
        except InvalidInputError as error:
            raise NotReadError(f"exemptions in {location}", str(error)) from error
        limited = limit_exemptions(found, today, max_days)
        own = [
            one
            for one in limited.malformed
            if any(one.may_apply_to(rule, account_region) for rule in RECOMMENDATIONS_BY_NAME)
        ]
        return replace(limited, malformed=tuple(own))

    return load_exemptions(read, text, today)


def read_account(
    account_region: AccountRegion,
    session: Any,
    scenarios: Sequence[Scenario],
    rules: Mapping[Recommendation, Parameters],
    is_time_over: Callable[[], bool],
) -> tuple[Estate, Scope, Sequence[str]]:
    """The account and region as it is, with the details that the change concerns; the scope of the change; and the
    load balancers that there was no time to read, which the scope lacks. Raises NotReadError and InvalidInputError."""
    clients = LiveClients(elbv2=make_client("elbv2", session=session), ec2=make_client("ec2", session=session))
    with LiveSource(clients, account_region.account_id, account_region.region).export_in_steps() as export:
        export.read_details((), (), ())
        base = export.estate()
        scope = find_scope(scenarios, base, rules)
        export.read_details(scope.fronts, scope.target_groups, ())
        base = export.estate()
        scope = with_load_balancers_behind(scope, base)
        target_groups = target_groups_of(scope, base)
        tagged = any(parameters.tag_key is not None for parameters in rules.values())
        affected = sorted(scope.load_balancers)
        for start in range(0, len(affected), BATCH):
            if is_time_over():
                unread = affected[start:]
                return export.estate(), scope.without(unread), unread
            batch = affected[start : start + BATCH]
            of_batch = [group for arn in batch for group in target_groups.get(arn, ())]
            export.read_details(scope.clients.intersection(batch), of_batch, batch if tagged else ())
        return export.estate(), scope, ()
