"""A recommendation as an AWS Config custom rule on rdklib.

rdklib's evaluator answers a failed call or a value that does not parse with a dictionary: the function succeeds
and nothing is recorded. This one records what it could judge and then fails, so that what it could not judge is
seen as a failed invocation, with one log line per error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from rdklib import ComplianceType, ConfigRule, Evaluation, Evaluator

from alb_sg.aws.account_region import AccountRegion
from alb_sg.config_rule.affected import affected_load_balancers
from alb_sg.config_rule.allowed_accounts import check_event_account
from alb_sg.config_rule.client_factory import RetryingClientFactory
from alb_sg.config_rule.evaluations import EvaluationDict, evaluated_resources, put_evaluations
from alb_sg.config_rule.notification import (
    ChangedItem,
    Notification,
    normalize_event,
    read_changed_item,
    read_notification,
)
from alb_sg.errors import IncompleteEvaluationError, InvalidInputError, NotReadError
from alb_sg.estate.model import LOAD_BALANCER_TYPE, TARGET_GROUP_TYPE
from alb_sg.exemptions.aws_document import read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import AwsLocation
from alb_sg.findings.exemption_application import apply_exemptions, malformed_exemption_error
from alb_sg.findings.finding import EvaluationError
from alb_sg.findings.judge import judge_all
from alb_sg.live import LiveClients, LiveSource, LoadResult, Selection
from alb_sg.parameters import PREFIX_LIST_ID, Parameters, Source, TargetMatch, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation


class AlbSgRule(ConfigRule):  # type: ignore[misc]  # rdklib is untyped
    """One recommendation as rdklib calls it. One instance serves one invocation: `errors` collects what could
    not be judged, `existing` what a periodic run enumerated (None: it could not be enumerated whole). `today` is
    the day (UTC) for which exemptions count."""

    recommendation: ClassVar[Recommendation]

    def __init__(self, today: date | None = None) -> None:
        super().__init__()
        self.today = today or datetime.now(UTC).date()
        self.errors: list[EvaluationError] = []
        self.enumerated_arns: frozenset[str] | None = None

    def evaluate_parameters(self, rule_parameters: Mapping[str, Any]) -> Parameters:
        """Raises InvalidInputError that names the parameter."""
        return parse_parameters(rule_parameters)

    def evaluate_change(
        self,
        event: Mapping[str, Any],
        client_factory: Any,
        configuration_item: Mapping[str, Any],
        valid_rule_parameters: Parameters | Mapping[str, Any],
    ) -> list[Evaluation]:
        """Judges from live state every load balancer that the item concerns."""
        invoking = json.loads(event.get("invokingEvent") or "{}")
        item = read_changed_item(
            configuration_item,
            left_scope=bool(event.get("eventLeftScope")),
            configuration_diff=invoking.get("configurationItemDiff"),
        )
        selection = affected_load_balancers(item)
        itself_judged = item.resource_type == LOAD_BALANCER_TYPE and item.resource_id in selection.load_balancers
        if itself_judged and not item.exists:
            return [_not_applicable(item)]
        loaded = self._load(event, item.account_id, client_factory, selection, valid_rule_parameters)
        evaluations = self._judge(loaded, client_factory, valid_rule_parameters)
        if not itself_judged or item.resource_id in loaded.not_found:
            evaluations.append(_not_applicable(item))
        return evaluations

    def evaluate_periodic(
        self,
        event: Mapping[str, Any],
        client_factory: Any,
        valid_rule_parameters: Parameters | Mapping[str, Any],
    ) -> list[Evaluation]:
        """Judges every Application Load Balancer of the account and region."""
        loaded = self._load(event, None, client_factory, Selection(everything=True), valid_rule_parameters)
        if loaded.enumeration_failure is None:
            self.enumerated_arns = frozenset(load_balancer.arn for load_balancer in loaded.selected)
        return self._judge(loaded, client_factory, valid_rule_parameters)

    def _load(
        self,
        event: Mapping[str, Any],
        account_id: str | None,
        client_factory: Any,
        selection: Selection,
        rule_parameters: Parameters | Mapping[str, Any],
    ) -> LoadResult:
        parameters = _parse_if_needed(rule_parameters)
        # The query that a change event would make may still answer with what was there before the change.
        recorded = parameters.source is Source.CONFIG and selection.everything
        clients = LiveClients(
            elbv2=client_factory.build_client("elbv2"),
            ec2=client_factory.build_client("ec2"),
            config=client_factory.build_client("config") if recorded else None,
        )
        account_id = event.get("accountId") or account_id or _caller_account_id(client_factory)
        loaded = LiveSource(clients, account_id, clients.elbv2.meta.region_name).load(
            selection,
            self.recommendation.sections_to_read(parameters),
            look_up_all_targets=parameters.target_match is TargetMatch.SECURITY_GROUP,
            prefix_lists=frozenset(filter(PREFIX_LIST_ID.fullmatch, parameters.accepted_sources)),
            tag_key=parameters.tag_key,
        )
        if loaded.enumeration_failure is not None:
            estate, failure = loaded.estate, loaded.enumeration_failure
            what = f"{failure.section} of {estate.account_id} {estate.region}"
            rule = self.recommendation.name
            self.errors.append(EvaluationError(estate.account_id, estate.region, None, rule, what, failure.cause))
        return loaded

    def _judge(
        self, loaded: LoadResult, client_factory: Any, rule_parameters: Parameters | Mapping[str, Any]
    ) -> list[Evaluation]:
        parameters = _parse_if_needed(rule_parameters)
        applications = [found for found in loaded.selected if found.type == "application"]
        findings, errors = judge_all(loaded.estate, applications, {self.recommendation: parameters})
        if parameters.exemptions is not None and applications:
            account_region = AccountRegion(loaded.estate.account_id, loaded.estate.region)
            exemptions = self._read_exemptions(parameters.exemptions, client_factory, account_region)
            findings, errors = apply_exemptions(exemptions, findings, errors, self.today)
        self.errors.extend(errors)
        return [
            Evaluation(
                finding.compliance.value,
                resourceId=finding.load_balancer_arn,
                resourceType=LOAD_BALANCER_TYPE,
                annotation=finding.annotation,
            )
            for finding in findings
        ]

    def _read_exemptions(self, location: AwsLocation, client_factory: Any, account_region: AccountRegion) -> Exemptions:
        """The exemptions, and none where they cannot be read; what is wrong with them becomes an error.

        They are the function's own account's to give: the account that is judged must not exempt itself.
        """
        rule = self.recommendation.name
        try:
            exemptions = read_exemptions(
                location,
                lambda service: client_factory.build_client(service, assume_role_mode=False),
                RECOMMENDATIONS_BY_NAME,
            )
        except (InvalidInputError, NotReadError) as error:
            cause = f"{error}; no exemption applies"
            self.errors.append(
                EvaluationError(
                    account_region.account_id, account_region.region, None, rule, f"exemptions in {location}", cause
                )
            )
            return Exemptions(str(location))
        self.errors.extend(
            malformed_exemption_error(malformed, exemptions.document_name)
            for malformed in exemptions.malformed
            if malformed.may_apply_to(rule, account_region)
        )
        return exemptions


def evaluate(rule: AlbSgRule, event: Mapping[str, Any], context: Any) -> list[EvaluationDict]:
    """What a rule's `lambda_handler` does with an event: judge, record, and fail where something was left out.

    Returns the evaluations as they were recorded, ready to be serialised. Raises IncompleteEvaluationError after what
    could be judged was recorded, and InvalidInputError, ClientError or BotoCoreError where nothing could.
    """
    answer: list[EvaluationDict] = _StrictEvaluator(rule).handle(event, context)
    return answer


class _StrictEvaluator(Evaluator):  # type: ignore[misc]  # rdklib is untyped
    """rdklib's evaluator without its silence: no error becomes an answer."""

    def __init__(self, rule: AlbSgRule) -> None:
        # Deleted items are for the rule to see: whoever lost a listener may have become compliant.
        super().__init__(
            rule, expected_resource_types=list(rule.recommendation.trigger_types), is_applicable_status=True
        )
        self._rule = rule

    def handle(self, event: Mapping[str, Any], context: Any) -> list[EvaluationDict]:  # noqa: ARG002 (rdklib's signature)
        rule = self._rule
        try:
            event = normalize_event(event)
            check_event_account(event)
            parameters = rule.evaluate_parameters(json.loads(event["ruleParameters"]))
            notification = read_notification(event)
            factory = RetryingClientFactory(
                rule.get_execution_role_arn(event),
                rule.get_assume_role_region(event),
                assume_role_mode=rule.get_assume_role_mode(event),
            )
            evaluations = self._evaluations(event, notification, factory, parameters)
            lost = put_evaluations(factory.build_client("config"), evaluations, event["resultToken"])
        except (InvalidInputError, ClientError, BotoCoreError) as error:
            _log_error(rule, what="this invocation", cause=_error_text(error), event=event)
            raise
        errors = [(missed.load_balancer_arn, missed.what, missed.cause) for missed in rule.errors]
        errors += [(one.resource_id, f"evaluation of {one.resource_id}", one.cause) for one in lost]
        for arn, what, cause in errors:
            _log_error(rule, what=what, cause=cause, event=event, load_balancer_arn=arn)
        if errors:
            _, what, cause = errors[0]
            count = "1 error" if len(errors) == 1 else f"{len(errors)} errors, the first"
            raise IncompleteEvaluationError(f"{rule.recommendation.name}: {count}: {what}: {cause}")
        return evaluations

    def _evaluations(
        self, event: Mapping[str, Any], notification: Notification, factory: Any, parameters: Parameters
    ) -> list[EvaluationDict]:
        rule = self._rule
        if notification.item is None:
            found = rule.evaluate_periodic(event, factory, parameters)
            found += self._stale_results(event, factory, found)
            return _evaluation_dicts(found, notification.creation_time)
        invoking = json.loads(event["invokingEvent"])
        item = invoking.get("configurationItem") or self._summary_with_history(event, invoking, factory)
        return _evaluation_dicts(rule.evaluate_change(event, factory, item, parameters), notification.item.capture_time)

    def _summary_with_history(
        self, event: Mapping[str, Any], invoking: Mapping[str, Any], factory: Any
    ) -> Mapping[str, Any]:
        """An oversized notification's item: its summary, and for a target group what the item said before and now.

        Only a target group's item names load balancers that live state may no longer tell. Without its history
        those that live state does tell are judged all the same.
        """
        summary: Mapping[str, Any] = invoking["configurationItemSummary"]
        if summary.get("resourceType") != TARGET_GROUP_TYPE:
            return summary
        config = factory.build_client("config")
        try:
            history = config.get_resource_config_history(
                resourceType=summary["resourceType"], resourceId=summary["resourceId"], limit=2
            )
        except (ClientError, BotoCoreError) as error:
            self._add_error(event, config, f"load balancers that {summary['resourceId']} named before", error)
            return summary
        return {**summary, "configuration": [item.get("configuration") for item in history["configurationItems"]]}

    def _add_error(self, event: Mapping[str, Any], config: Any, what: str, error: Exception) -> None:
        """An error of the whole invocation that leaves the rest of it to go on."""
        rule, region = self._rule, config.meta.region_name
        account_id = str(event.get("accountId"))
        rule.errors.append(
            EvaluationError(account_id, region, None, rule.recommendation.name, what, _error_text(error))
        )

    def _stale_results(self, event: Mapping[str, Any], factory: Any, found: Iterable[Evaluation]) -> list[Evaluation]:
        """NOT_APPLICABLE for whatever Config still shows and an enumeration that was complete does not hold."""
        rule = self._rule
        if rule.enumerated_arns is None:
            return []
        name = event["configRuleName"]
        config = factory.build_client("config")
        try:
            recorded = evaluated_resources(config, name)
        except (ClientError, BotoCoreError) as error:
            self._add_error(event, config, f"verdicts of {name} that no longer apply", error)
            return []
        answered = {evaluation.complianceResourceId for evaluation in found}
        return [
            Evaluation(ComplianceType.NOT_APPLICABLE, resourceId=resource_id, resourceType=resource_type)
            for resource_type, resource_id in recorded
            if resource_id not in answered and resource_id not in rule.enumerated_arns
        ]


def _evaluation_dicts(evaluations: Iterable[Evaluation], ordering_timestamp: str) -> list[EvaluationDict]:
    """Evaluations as PutEvaluations takes them, each resource once."""
    records: dict[tuple[str, str], EvaluationDict] = {}
    for evaluation in evaluations:
        evaluation.orderingTimestamp = ordering_timestamp
        evaluation.is_valid()
        records[evaluation.complianceResourceType, evaluation.complianceResourceId] = evaluation.get_json()
    return list(records.values())


def _not_applicable(item: ChangedItem) -> Evaluation:
    return Evaluation(ComplianceType.NOT_APPLICABLE, resourceId=item.resource_id, resourceType=item.resource_type)


def _parse_if_needed(rule_parameters: Parameters | Mapping[str, Any]) -> Parameters:
    return rule_parameters if isinstance(rule_parameters, Parameters) else parse_parameters(rule_parameters)


def _caller_account_id(client_factory: Any) -> str:
    """The account that the clients act in, for an event that names none."""
    account: str = client_factory.build_client("sts").get_caller_identity()["Account"]
    return account


def _error_text(error: Exception) -> str:
    """An error's text. The client factory puts what to do about a role that may not be assumed into it."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        return f"{error.operation_name}: {answer.get('Code')}: {answer.get('Message')}"
    return str(error)


def _log_error(
    rule: AlbSgRule, *, what: str, cause: str, event: Mapping[str, Any], load_balancer_arn: str | None = None
) -> None:
    """One line of JSON for one error, as CloudWatch Logs Insights reads it."""
    line = {
        "level": "ERROR",
        "rule": rule.recommendation.name,
        "accountId": event.get("accountId"),
        "loadBalancerArn": load_balancer_arn,
        "what": what,
        "cause": cause,
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
