"""A stand-in, in this process, for the AWS Config calls that moto does not simulate.

Use it together with ``moto.mock_aws()``::

    with mock_aws(), ConfigStandIn() as config:
        token = config.issue_token(rule_name="MY_RULE", account_id="123456789012")
        ...  # run a rule's handler with ``token`` as its event's ``resultToken``
        config.evaluations("MY_RULE")

It answers PutEvaluations, GetComplianceDetailsByConfigRule, GetResourceConfigHistory, SelectResourceConfig,
StartConfigRulesEvaluation, SelectAggregateResourceConfig, DescribeConfigurationAggregatorSourcesStatus and, once
there is a recorder or a rule, DescribeConfigurationRecorders, DescribeConfigurationRecorderStatus or
DescribeConfigRules; every other Config call
goes on to moto. It answers at the HTTP level, so
requests are really serialised and signed and answers really parsed, retried and raised by botocore. Every
request and every answer is checked against botocore's own model of the API, its limits and enumerations
included. As in AWS, all state belongs to one account and region: those that signed the call. An aggregator sees all.

Import this module before making clients: botocore copies its list of handlers into each new session.
"""

import copy
import json
import os
import re
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import boto3
import botocore.handlers
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.utils import parse_to_aware_datetime
from botocore.validate import ParamValidator
from moto.config.models import config_backends
from moto.core.botocore_stubber import MockRawResponse
from moto.iam.models import get_account_id_from

Json = dict[str, Any]

_MODEL: Any = botocore.session.Session().get_service_model("config")
_DEFAULT_PAGE = 10
_DEFAULT_QUERY_PAGE = 25
_QUERYABLE = ("OK", "ResourceDiscovered")
_ITEM_KEYS = ("accountId", "awsRegion", "resourceType", "resourceId", "configurationItemCaptureTime")

# Config's queries know its recorders (aws-config-resource-schema on GitHub), its model's enumeration does not.
RECORDER_TYPE = "AWS::Config::ConfigurationRecorder"

# The part of Config's query language that is understood: equality and IN, joined by AND.
_PATH = r"[A-Za-z_]\w*(?:\.\w+)*"
_LITERAL = r"(?:'(?:[^']|'')*'|-?\d+)"
_LITERALS = rf"{_LITERAL}(?:\s*,\s*{_LITERAL})*"
_CONDITION = rf"{_PATH}(?:\s*=\s*{_LITERAL}|\s+IN\s*\(\s*{_LITERALS}\s*\))"
_QUERY = re.compile(
    rf"\s*SELECT\s+(?P<fields>{_PATH}(?:\s*,\s*{_PATH})*)"
    rf"(?:\s+WHERE\s+(?P<conditions>{_CONDITION}(?:\s+AND\s+{_CONDITION})*))?\s*",
    re.IGNORECASE,
)
# Config compares these as ranges of addresses, not as text, so equality here would mislead.
_ADDRESS_FIELDS = ("ipRanges", "cidrIp", "cidrIpv6")


@dataclass(frozen=True)
class Caller:
    """The account and region whose credentials and endpoint signed a call."""

    account_id: str
    region: str


@dataclass(frozen=True)
class Call:
    """One HTTP request to Config (a retry is one more); ``params`` is its body, times as epoch seconds."""

    operation: str
    params: Json
    caller: Caller


@dataclass(frozen=True)
class Evaluation:
    """One evaluation that PutEvaluations accepted. Times are in UTC."""

    rule_name: str
    caller: Caller
    resource_type: str
    resource_id: str
    compliance_type: str
    annotation: str | None
    ordering_timestamp: datetime
    invoked_time: datetime
    recorded_time: datetime


@dataclass(frozen=True)
class _Token:
    rule_name: str
    account_id: str
    issued: datetime


class _ErrorResponse(Exception):
    """An error answer: the code and message that the caller's ClientError will carry."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class ConfigStandIn:
    """A context manager that answers Config's calls for every botocore client while it is open.

    One stand-in can be open at a time (RuntimeError otherwise). All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._tokens: dict[str, _Token] = {}
        self._evaluations: list[Evaluation] = []
        self._items: list[Json] = []
        self._calls: list[Call] = []
        self._pages: dict[str, tuple[Call, list[Any]]] = {}
        self._failures: dict[str, deque[_ErrorResponse]] = defaultdict(deque)
        self._rejections: deque[frozenset[str] | None] = deque()
        self._operations: dict[str, Callable[[Call], Json]] = {
            "PutEvaluations": self._put_evaluations,
            "GetComplianceDetailsByConfigRule": self._get_compliance_details_by_config_rule,
            "GetResourceConfigHistory": self._get_resource_config_history,
            "SelectResourceConfig": self._select_resource_config,
            "StartConfigRulesEvaluation": self._start_config_rules_evaluation,
            "SelectAggregateResourceConfig": self._select_aggregate_resource_config,
            "DescribeConfigurationAggregatorSourcesStatus": self._describe_aggregator_sources_status,
        }
        self._recorders: dict[str, Json] = {}
        self._recorder_statuses: dict[str, Json] = {}
        self._aggregators: dict[str, list[Json]] = {}
        self._rules: dict[str, Json] = {}

    def __enter__(self) -> Self:
        with _open_lock:
            if _open:
                raise RuntimeError("another ConfigStandIn is open")
            _open.append(self)
        boto3.DEFAULT_SESSION = None  # it may be older than this module's handler
        return self

    def __exit__(self, *_: object) -> None:
        _open.clear()
        boto3.DEFAULT_SESSION = None

    # What a test or demonstration tells the stand-in.

    def issue_token(self, rule_name: str, account_id: str) -> str:
        """Return a new result token, as Config does for each invocation of a rule in an account."""
        token = uuid.uuid4().hex
        with self._lock:
            self._tokens[token] = _Token(rule_name, account_id, datetime.now(UTC))
        return token

    def add_rule(
        self,
        name: str,
        function_arn: str,
        parameters: Mapping[str, str] | None = None,
        *,
        created_by: str | None = None,
    ) -> None:
        """Have every account and region a custom rule of this name, or replace it. ``created_by`` is the service that
        made it, if one did."""
        source = {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function_arn}
        with self._lock:
            self._operations["DescribeConfigRules"] = self._describe_config_rules
            self._rules[name] = {
                "ConfigRuleName": name,
                "ConfigRuleState": "ACTIVE",
                "InputParameters": json.dumps(dict(parameters or {})),
                "Source": source,
                **({} if created_by is None else {"CreatedBy": created_by}),
            }

    def add_item(self, item: Mapping[str, Any]) -> None:
        """Record a configuration item, a new version if the resource is known.

        ``item`` has the API's keys, with ``configuration`` and the values of ``supplementaryConfiguration``
        as objects rather than JSON strings, and times as ISO 8601 strings. accountId, awsRegion,
        resourceType, resourceId and configurationItemCaptureTime are required; configurationItemStatus is
        OK unless given. Raises ValueError if the API's model does not allow the item.
        """
        if missing := [key for key in _ITEM_KEYS if not item.get(key)]:
            raise ValueError(f"the configuration item lacks {', '.join(missing)}")
        kept = {"configurationItemStatus": "OK"} | copy.deepcopy(dict(item))
        checked = {key: value for key, value in kept.items() if (key, value) != ("resourceType", RECORDER_TYPE)}
        if problems := _validation_problems(_history_form(checked), _MODEL.shape_for("ConfigurationItem")):
            raise ValueError("; ".join(problems))
        with self._lock:
            self._items.append(kept)

    def set_recorder(
        self,
        recording_group: Mapping[str, Any],
        status: str = "Success",
        *,
        recording: bool = True,
        recording_mode: Mapping[str, Any] | None = None,
    ) -> None:
        """Have every account and region a recorder of this RecordingGroup, in this RecorderStatus."""
        recorder: dict[str, Any] = {"name": "default", "recordingGroup": dict(recording_group)}
        if recording_mode is not None:
            recorder["recordingMode"] = dict(recording_mode)
        with self._lock:
            self._recorders = {"default": recorder}
            self._recorder_statuses = {"default": {"name": "default", "recording": recording, "lastStatus": status}}
            self._answer_recorders()

    def add_service_linked_recorder(self, recording_group: Mapping[str, Any]) -> None:
        """Have every account and region a running recorder beside the customer's, which an AWS service owns."""
        name, owner = "AWSConfigurationRecorderForObservabilityAdmin", "observabilityadmin.amazonaws.com"
        with self._lock:
            self._recorders[name] = {
                "name": name,
                "recordingGroup": dict(recording_group),
                "recordingScope": "INTERNAL",
                "servicePrincipal": owner,
            }
            self._recorder_statuses[name] = {
                "name": name,
                "recording": True,
                "lastStatus": "Success",
                "servicePrincipal": owner,
            }
            self._answer_recorders()

    def _answer_recorders(self) -> None:
        self._operations["DescribeConfigurationRecorders"] = lambda _: {
            "ConfigurationRecorders": list(self._recorders.values())
        }
        self._operations["DescribeConfigurationRecorderStatus"] = lambda _: {
            "ConfigurationRecordersStatus": list(self._recorder_statuses.values())
        }

    def add_aggregator(self, name: str, sources: Iterable[Mapping[str, Any]]) -> None:
        """Have an aggregator of these AggregatedSourceStatus; it knows the items of all accounts and regions."""
        with self._lock:
            self._aggregators[name] = [dict(source) for source in sources]

    def fail(
        self, operation: str, code: str, times: int = 1, message: str = "asked to fail", status: int = 400
    ) -> None:
        """Answer the next ``times`` requests for any Config ``operation`` with the error ``code``.

        botocore retries throttling codes and statuses of 500 and up, each retry taking one of ``times``.
        Raises ValueError for an operation that Config does not have.
        """
        if operation not in _MODEL.operation_names:
            raise ValueError(f"AWS Config has no operation {operation}")
        with self._lock:
            self._failures[operation].extend([_ErrorResponse(code, message, status)] * times)

    def reject_evaluations(self, times: int = 1, resource_ids: Collection[str] | None = None) -> None:
        """Have the next PutEvaluations calls return as failed, unrecorded, these resources (None: all)."""
        with self._lock:
            self._rejections.extend([None if resource_ids is None else frozenset(resource_ids)] * times)

    # What the stand-in tells a test or demonstration.

    def evaluations(
        self, rule_name: str, account_id: str | None = None, region: str | None = None
    ) -> dict[str, Evaluation]:
        """Return a rule's results as Config shows them, by resource id: the latest, less NOT_APPLICABLE.

        Without ``account_id`` or ``region``, results of all accounts or regions are put together.
        """
        latest: dict[tuple[Caller, str, str], Evaluation] = {}
        for new in self.accepted_evaluations:
            if new.rule_name != rule_name or account_id not in (None, new.caller.account_id):
                continue
            if region not in (None, new.caller.region):
                continue
            key = (new.caller, new.resource_type, new.resource_id)
            if key not in latest or latest[key].ordering_timestamp <= new.ordering_timestamp:
                latest[key] = new
        # Only now, so that an older evaluation arriving after a NOT_APPLICABLE brings no result back.
        shown = (each for each in latest.values() if each.compliance_type != "NOT_APPLICABLE")
        return {each.resource_id: each for each in shown}

    @property
    def accepted_evaluations(self) -> list[Evaluation]:
        """Every evaluation accepted, in order, those out of date on arrival included."""
        with self._lock:
            return list(self._evaluations)

    @property
    def calls(self) -> list[Call]:
        """Every request made to Config, in order, those refused or passed on to moto included."""
        with self._lock:
            return list(self._calls)

    def forget(self) -> None:
        """Drop the log of calls, and every evaluation but the latest of each rule and resource."""
        with self._lock:
            latest: dict[tuple[Any, ...], Evaluation] = {}
            for new in self._evaluations:
                key = (new.rule_name, new.caller, new.resource_type, new.resource_id)
                if key not in latest or latest[key].ordering_timestamp <= new.ordering_timestamp:
                    latest[key] = new
            self._evaluations[:] = latest.values()
            self._calls.clear()
            self._pages.clear()

    # The exchange with botocore.

    def respond(self, request: Any, operation: str) -> Any:
        """Return the AWSResponse to an AWSPreparedRequest, or None to leave the request to moto.

        Called by botocore's event, not by users of the stand-in. Raises RuntimeError if the stand-in itself
        made an answer that the API's model does not allow.
        """
        with self._lock:
            call = Call(operation, json.loads(request.body or "{}"), _caller(request))
            self._calls.append(call)
            status, body = 200, {}
            try:
                if self._failures[operation]:
                    raise self._failures[operation].popleft()
                if operation not in self._operations:
                    return None
                _check_request(call)
                body = self._operations[operation](call)
                output = _MODEL.operation_model(operation).output_shape
                if problems := [] if output is None else _validation_problems(body, output):
                    raise RuntimeError(f"the answer to {operation} is not one AWS Config gives: {problems}")
            except _ErrorResponse as refusal:
                status, body = refusal.status, {"__type": refusal.code, "message": refusal.message}
        # botocore runs moto's handler too, whatever this one returns; moto lets unknown addresses be.
        request.url = "https://config.stand-in.invalid/"
        headers: Any = {"x-amzn-requestid": str(uuid.uuid4())}
        content = json.dumps(body, default=datetime.timestamp)
        return AWSResponse(request.url, status, headers, MockRawResponse(content))

    def _put_evaluations(self, call: Call) -> Json:
        evaluations: list[Json] = call.params.get("Evaluations", [])
        if any(each["ComplianceType"] == "INSUFFICIENT_DATA" for each in evaluations):
            raise _ErrorResponse("InvalidParameterValueException", "INSUFFICIENT_DATA is not for PutEvaluations.")
        token = self._tokens.get(call.params["ResultToken"])
        test_mode = call.params.get("TestMode", False)
        if not test_mode and (token is None or token.account_id != call.caller.account_id):
            issued_for = token.account_id if token else "no account"
            raise _ErrorResponse(
                "InvalidResultTokenException",
                f"The result token was issued for {issued_for}, the caller is {call.caller.account_id}.",
            )
        rejected = self._rejections.popleft() if self._rejections else frozenset()
        failed, now = [], datetime.now(UTC)
        for each in evaluations:
            if rejected is None or each["ComplianceResourceId"] in rejected:
                failed.append(each)
            elif token is not None and not test_mode:
                self._evaluations.append(_make_evaluation(each, token, call.caller, now))
        return {"FailedEvaluations": failed}

    def _get_compliance_details_by_config_rule(self, call: Call) -> Json:
        rule_name = call.params["ConfigRuleName"]
        wanted = call.params.get("ComplianceTypes") or ["COMPLIANT", "NON_COMPLIANT"]
        if "INSUFFICIENT_DATA" in wanted:
            raise _ErrorResponse("InvalidParameterValueException", "INSUFFICIENT_DATA cannot be filtered by.")
        self._require_rule(rule_name, call.caller)
        shown = self.evaluations(rule_name, call.caller.account_id, call.caller.region).values()
        details = [_evaluation_result(each) for each in shown if each.compliance_type in wanted]
        return self._page(call, "EvaluationResults", details, _DEFAULT_PAGE)

    def _start_config_rules_evaluation(self, call: Call) -> Json:
        if "ConfigRuleNames" not in call.params:
            raise _ErrorResponse("InvalidParameterValueException", "ConfigRuleNames is required.")
        for rule_name in call.params["ConfigRuleNames"]:
            self._require_rule(rule_name, call.caller)
        return {}

    def _describe_config_rules(self, call: Call) -> Json:
        names = call.params.get("ConfigRuleNames", sorted(self._rules))
        for name in names:
            if name not in self._rules:
                raise _ErrorResponse("NoSuchConfigRuleException", f"The ConfigRule '{name}' provided is invalid")
        return {"ConfigRules": [self._rules[name] for name in names]}

    def _require_rule(self, rule_name: str, caller: Caller) -> None:
        """Know a rule by a token issued for it in the account, or by its having been put into moto."""
        issued = {(token.rule_name, token.account_id) for token in self._tokens.values()}
        in_moto = config_backends[caller.account_id][caller.region].config_rules
        if (rule_name, caller.account_id) not in issued and rule_name not in in_moto:
            raise _ErrorResponse("NoSuchConfigRuleException", f"The rule {rule_name} does not exist.")

    def _get_resource_config_history(self, call: Call) -> Json:
        params = call.params
        first = _parse_time(params.get("earlierTime", 0))
        last = _parse_time(params["laterTime"]) if "laterTime" in params else datetime.max.replace(tzinfo=UTC)
        if first > last:
            raise _ErrorResponse("InvalidTimeRangeException", "The earlier time is after the later time.")
        resource = (params["resourceType"], params["resourceId"])
        items = self._items_newest_first(call.caller)
        known = [_history_form(item) for item in items if _resource_key(item) == resource]
        if not known:
            raise _ErrorResponse("ResourceNotDiscoveredException", f"{' '.join(resource)} has not been discovered.")
        # To the second, because botocore sends no fractions: a range up to an item's time must include it.
        moments = [item["configurationItemCaptureTime"].replace(microsecond=0) for item in known]
        history = [item for item, moment in zip(known, moments, strict=True) if first <= moment <= last]
        if params.get("chronologicalOrder") == "Forward":
            history.reverse()
        return self._page(call, "configurationItems", history, _DEFAULT_PAGE)

    def _select_resource_config(self, call: Call) -> Json:
        return self._select(call, self._items_newest_first(call.caller))

    def _select_aggregate_resource_config(self, call: Call) -> Json:
        self._aggregator_sources(call)
        account_regions = dict.fromkeys(Caller(item["accountId"], item["awsRegion"]) for item in self._items)
        return self._select(
            call, [item for account_region in account_regions for item in self._items_newest_first(account_region)]
        )

    def _describe_aggregator_sources_status(self, call: Call) -> Json:
        return self._page(call, "AggregatedSourceStatusList", self._aggregator_sources(call), _DEFAULT_PAGE)

    def _aggregator_sources(self, call: Call) -> list[Json]:
        name = call.params["ConfigurationAggregatorName"]
        if name not in self._aggregators:
            raise _ErrorResponse("NoSuchConfigurationAggregatorException", f"The aggregator {name} does not exist.")
        return self._aggregators[name]

    def _select(self, call: Call, newest_first: Iterable[Json]) -> Json:
        fields, conditions = _parse_query(call.params["Expression"])
        info = {"QueryInfo": {"SelectFields": [{"Name": ".".join(path)} for path in fields]}}
        if call.params.get("NextToken"):
            return self._page(call, "Results", [], _DEFAULT_QUERY_PAGE) | info
        current: dict[tuple[str, str, str, str], Json] = {}
        for item in newest_first:
            current.setdefault((item["accountId"], item["awsRegion"], *_resource_key(item)), item)
        queryable = (each for each in current.values() if each["configurationItemStatus"] in _QUERYABLE)
        results = [
            json.dumps(_project(form, fields))
            for form in map(_query_form, queryable)
            if all(any(found in allowed for found in _values_at(form, path)) for path, allowed in conditions)
        ]
        return self._page(call, "Results", results, _DEFAULT_QUERY_PAGE) | info

    def _items_newest_first(self, caller: Caller) -> list[Json]:
        here = [item for item in self._items if Caller(item["accountId"], item["awsRegion"]) == caller]
        return sorted(here, key=lambda item: _parse_time(item["configurationItemCaptureTime"]))[::-1]

    def _page(self, call: Call, results_key: str, results: list[Any], default_limit: int) -> Json:
        """Return one page; a token continues the results of the first call, and only for the same request."""
        lower = results_key[0].islower()
        limit_key, token_key = ("limit", "nextToken") if lower else ("Limit", "NextToken")
        limit, token = call.params.get(limit_key) or default_limit, call.params.get(token_key)
        asked = {key: value for key, value in call.params.items() if key not in (limit_key, token_key)}
        request = Call(call.operation, asked, call.caller)
        if token:
            first_request, results = self._pages.get(token, (None, []))
            if first_request != request:
                raise _ErrorResponse("InvalidNextTokenException", "The next token was not given for this request.")
        if len(results) <= limit:
            return {results_key: results}
        next_token = uuid.uuid4().hex
        self._pages[next_token] = (request, results[limit:])
        return {results_key: results[:limit], token_key: next_token}


_open_lock = threading.Lock()
_open: list[ConfigStandIn] = []  # at most one


def _before_send(request: Any, event_name: str, **_: Any) -> Any:
    for stand_in in tuple(_open):
        return stand_in.respond(request, event_name.rsplit(".", 1)[-1])
    return None


# Being more specific than moto's "before-send", this is called before it. Clients are often made out of
# reach, by rdklib for one, so the handler is given to all of them and does nothing unless a stand-in is open.
botocore.handlers.BUILTIN_HANDLERS.append(("before-send.config-service", _before_send))


def _parse_time(value: Any) -> datetime:
    moment: datetime = parse_to_aware_datetime(value)
    return moment.astimezone(UTC)


def _caller(request: Any) -> Caller:
    """Read the signature, and ask moto which account its access key belongs to."""
    signature = request.headers["Authorization"]
    text = signature.decode() if isinstance(signature, bytes) else signature
    access_key, _, region, *_ = text.split("Credential=")[1].split("/")
    return Caller(os.environ.get("MOTO_ACCOUNT_ID") or get_account_id_from(access_key), region)


def _check_request(call: Call) -> None:
    operation = _MODEL.operation_model(call.operation)
    if problems := _validation_problems(call.params, operation.input_shape):
        modelled = "InvalidLimitException" in [error.name for error in operation.error_shapes]
        limit = modelled and all("'limit'" in problem for problem in problems)
        code = "InvalidLimitException" if limit else "ValidationException"
        raise _ErrorResponse(code, f"{len(problems)} validation error(s) detected: {'; '.join(problems)}")


def _validation_problems(value: Any, shape: Any) -> list[str]:
    """Return what the API's model does not allow in a value."""
    report = ParamValidator().validate(value, shape)
    return [report.generate_report()] if report.has_errors() else list(_constraint_violations(value, shape, ""))


def _constraint_violations(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Yield what botocore's validator leaves to the service to refuse."""
    refused = f"Value at '{path}' failed to satisfy constraint: Member must"
    size = len(value) if isinstance(value, str | list | dict) else value
    if "max" in shape.metadata and size > shape.metadata["max"]:
        kind = "have value" if isinstance(value, int) else "have length"
        yield f"{refused} {kind} less than or equal to {shape.metadata['max']}"
    if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        yield f"{refused} be one of the enumeration {shape.name}"
    if shape.type_name == "structure":
        for name, member in value.items():
            inner = name[0].lower() + name[1:]
            yield from _constraint_violations(member, shape.members[name], f"{path}.{inner}" if path else inner)
    elif shape.type_name == "list":
        for number, member in enumerate(value, start=1):
            yield from _constraint_violations(member, shape.member, f"{path}.{number}.member")


def _make_evaluation(sent: Json, token: _Token, caller: Caller, now: datetime) -> Evaluation:
    return Evaluation(
        rule_name=token.rule_name,
        caller=caller,
        resource_type=sent["ComplianceResourceType"],
        resource_id=sent["ComplianceResourceId"],
        compliance_type=sent["ComplianceType"],
        annotation=sent.get("Annotation"),
        ordering_timestamp=_parse_time(sent["OrderingTimestamp"]),
        invoked_time=token.issued,
        recorded_time=now,
    )


def _resource_key(item: Json) -> tuple[str, str]:
    return item["resourceType"], item["resourceId"]


def _evaluation_result(evaluation: Evaluation) -> Json:
    """Return an EvaluationResult."""
    detail = {
        "EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {
                "ConfigRuleName": evaluation.rule_name,
                "ResourceType": evaluation.resource_type,
                "ResourceId": evaluation.resource_id,
                "EvaluationMode": "DETECTIVE",
            },
            "OrderingTimestamp": evaluation.ordering_timestamp,
        },
        "ComplianceType": evaluation.compliance_type,
        "ResultRecordedTime": evaluation.recorded_time,
        "ConfigRuleInvokedTime": evaluation.invoked_time,
    }
    return detail if evaluation.annotation is None else detail | {"Annotation": evaluation.annotation}


def _history_form(item: Json) -> Json:
    """Return an item as GetResourceConfigHistory gives it, its parts as JSON strings."""
    form = {key: value for key, value in item.items() if value is not None}
    if "configuration" in form:
        form["configuration"] = json.dumps(form["configuration"])
    form["supplementaryConfiguration"] = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in form.get("supplementaryConfiguration", {}).items()
    }
    return {key: _parse_time(value) if key.endswith("Time") else value for key, value in form.items()}


def _query_form(item: Json) -> Json:
    """Return an item as SelectResourceConfig sees it: tags as a list, relationships without their names."""
    form = {key: value for key, value in item.items() if value is not None}
    tags = form.get("tags", {}).items()
    form["tags"] = [{"tag": f"{key}={value}", "key": key, "value": value} for key, value in tags]
    form["relationships"] = [
        {key: value for key, value in relationship.items() if key != "relationshipName"}
        for relationship in form.get("relationships", [])
    ]
    return form


def _parse_query(expression: str) -> tuple[list[list[str]], list[tuple[list[str], list[str | int]]]]:
    """Return the selected paths, and per condition its path and the values that fulfil it."""
    query = _QUERY.fullmatch(expression)
    if query is None:
        raise _ErrorResponse("InvalidExpressionException", "The stand-in does not understand this query.")
    fields = [path.split(".") for path in re.findall(_PATH, query["fields"])]
    conditions = []
    for condition in re.findall(_CONDITION, query["conditions"] or "", re.IGNORECASE):
        path, allowed = re.split(r"\s*=|\s+IN\b", condition, maxsplit=1, flags=re.IGNORECASE)
        literals = re.findall(_LITERAL, allowed)
        values = [each[1:-1].replace("''", "'") if each[0] == "'" else int(each) for each in literals]
        conditions.append((path.split("."), values))
    for path in [*fields, *(path for path, _ in conditions)]:
        if path[0] not in _MODEL.shape_for("ConfigurationItem").members:
            raise _ErrorResponse("InvalidExpressionException", f"Configuration items have no property {path[0]}.")
    if any(path[-1] in _ADDRESS_FIELDS for path, _ in conditions):
        raise _ErrorResponse("InvalidExpressionException", "The stand-in does not compare ranges of addresses.")
    return fields, conditions


def _values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """Yield every plain value at a path, through every array on the way."""
    if isinstance(value, list):
        for member in value:
            yield from _values_at(member, path)
    elif isinstance(value, dict):
        if path and path[0] in value:
            yield from _values_at(value[path[0]], path[1:])
    elif not path and not isinstance(value, bool):
        yield value


def _project(value: Any, paths: list[list[str]]) -> Any:
    """Return the value cut down to the paths, keeping its nesting."""
    if [] in paths:
        return value
    if isinstance(value, list):
        return [_project(member, paths) for member in value if isinstance(member, dict | list)]
    return {
        key: _project(value[key], [path[1:] for path in paths if path[0] == key])
        for key in dict.fromkeys(path[0] for path in paths)
        if isinstance(value, dict) and key in value
    }
