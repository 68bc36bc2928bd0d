"""A recommendation as an AWS Config custom rule on rdklib.

rdklib's evaluator turns a failed call, or a value that does not parse, into a return value: the function succeeds and
records nothing. `evaluate` records the verdicts that it has and then fails, with one log line for each error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from rdklib import ComplianceType, ConfigRule, Evaluation

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.arns import function_account_id, is_load_balancer_arn, load_balancer_name
from alb_sg.aws.client_errors import AWS_ERRORS, error_text
from alb_sg.aws.log_lines import log_line
from alb_sg.aws.pages import check_list, name_call
from alb_sg.config_rule.affected import affected_load_balancers
from alb_sg.config_rule.allowed_accounts import check_account
from alb_sg.config_rule.client_factory import make_client_factory
from alb_sg.config_rule.evaluations import EvaluationDict, RecordedResult, put_evaluations, recorded_results
from alb_sg.config_rule.notification import ChangedItem, Notification, read_notification
from alb_sg.config_rule.run_log import RunLog
from alb_sg.errors import IncompleteEvaluationError, InvalidInputError, NotReadError, unexpected_error_text
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE, TARGET_GROUP_TYPE
from alb_sg.exemptions.aws_document import MAX_DAYS_VARIABLE, limit_exemptions, parse_max_days, read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import AwsLocation
from alb_sg.findings.annotation import without_escapes
from alb_sg.findings.exemption_application import apply_exemptions, malformed_exemption_error
from alb_sg.findings.finding import EvaluationError, Finding, enumeration_error
from alb_sg.findings.judge import judge_all
from alb_sg.live import LiveClients, LiveSource, LoadResult, Selection
from alb_sg.parameters import Parameters, Source, parse_parameters
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME
from alb_sg.recommendations.recommendation import Recommendation

GONE_ANNOTATION = "deleted, or no longer in this rule's scope"


class AlbSgRule(ConfigRule):  # type: ignore[misc]  # rdklib is untyped
    """One recommendation as rdklib calls it. An instance serves one invocation.

    `errors` collects everything that could not be judged. Exemptions count for the day (UTC) `today`; the
    account `function_account` must own their bucket.
    """

    recommendation: ClassVar[Recommendation]

    def __init__(self, today: date | None = None) -> None:
        super().__init__()
        self.today = today or datetime.now(UTC).date()
        self.errors: list[EvaluationError] = []
        self.function_account: str | None = None

    def evaluate_parameters(self, rule_parameters: Mapping[str, Any]) -> Parameters:
        """rdklib's method. Raises InvalidInputError, which names the parameter."""
        return parse_parameters(rule_parameters)

    def evaluate_change(
        self,
        event: Mapping[str, Any],
        client_factory: Any,
        configuration_item: Mapping[str, Any],  # noqa: ARG002 (rdklib's signature)
        valid_rule_parameters: Parameters,
    ) -> list[Evaluation]:
        """rdklib's method for a changed item. The event holds the item as well."""
        return self.judge(read_notification(event), client_factory, valid_rule_parameters)

    def evaluate_periodic(
        self, event: Mapping[str, Any], client_factory: Any, valid_rule_parameters: Parameters
    ) -> list[Evaluation]:
        """rdklib's method for a scheduled run."""
        return self.judge(read_notification(event), client_factory, valid_rule_parameters)

    def judge(self, notification: Notification, client_factory: Any, parameters: Parameters) -> list[Evaluation]:
        """The evaluations of the load balancers that an item affects or, for a scheduled run, of all."""
        self._notification, self._client_factory, self._parameters = notification, client_factory, parameters
        return self._judge_all() if notification.item is None else self._judge_affected(notification.item)

    def _judge_affected(self, item: ChangedItem) -> list[Evaluation]:
        if item.is_summary and item.resource_type == TARGET_GROUP_TYPE:
            item = self._with_history(item)
        selection = affected_load_balancers(item, self.recommendation, self._parameters)
        item_is_judged = item.resource_type == LOAD_BALANCER_TYPE and item.resource_id in selection.load_balancers
        if item_is_judged and not item.exists:
            evaluations = [_not_applicable(item.resource_type, item.resource_id)]
            # Others may have shared its security groups.
            others = Selection(security_groups=selection.security_groups)
            if others != Selection():
                evaluations += self._evaluations(self._load(others))
            return evaluations
        if selection == Selection():
            # PutEvaluations accepts a call without evaluations, and AWS Config charges for each evaluation.
            return []
        loaded = self._load(selection)
        evaluations = self._evaluations(loaded)
        if item_is_judged and item.resource_id in loaded.not_found:
            evaluations.append(_not_applicable(item.resource_type, item.resource_id))
        return evaluations

    def _judge_all(self) -> list[Evaluation]:
        loaded = self._load(Selection(everything=True))
        evaluations = self._evaluations(loaded)
        from_recordings = bool(loaded.item_times)
        if loaded.enumeration_failure is not None and not from_recordings:
            return evaluations
        recorded = self._recorded_results()
        unconfirmed = frozenset() if recorded is None else _unconfirmed(evaluations, recorded)
        evaluations = [evaluation for evaluation in evaluations if evaluation.complianceResourceId not in unconfirmed]
        unlisted: frozenset[str] = frozenset()
        if loaded.enumeration_failure is None:
            stale, unlisted = self._stale_results(loaded, recorded or ())
            evaluations += stale
        if unconfirmed or unlisted:
            # Without everything selected, all is read live.
            loaded = self._load(Selection(load_balancers=unconfirmed | unlisted))
            evaluations += self._evaluations(loaded)
            evaluations += [_not_applicable(LOAD_BALANCER_TYPE, arn) for arn in loaded.not_found]
        return evaluations

    def _recorded_results(self) -> list[RecordedResult] | None:
        """The results that AWS Config has of this rule; None, with an error, if they cannot be read."""
        config, rule_name = self._client_factory.build_client("config"), self._notification.rule_name
        try:
            return recorded_results(config, rule_name)
        except AWS_ERRORS as error:
            self._add_error(config, f"verdicts of {rule_name} that no longer apply", error)
            return None

    def _with_history(self, item: ChangedItem) -> ChangedItem:
        """An oversized target group with its current and its previous recorded configuration.

        Only these name load balancers that used the target group before the change. If they cannot be read, the load
        balancers in live state are still judged.
        """
        config = self._client_factory.build_client("config")
        try:
            with name_call("GetResourceConfigHistory"):
                history = config.get_resource_config_history(
                    resourceType=item.resource_type, resourceId=item.resource_id, limit=2
                )
                check_list(history, "configurationItems", "GetResourceConfigHistory")
                configurations = [recorded.get("configuration") for recorded in history["configurationItems"]]
        except AWS_ERRORS as error:
            self._add_error(config, f"load balancers that {item.resource_id} named before", error)
            return item
        return item.with_history(configurations)

    def _load(self, selection: Selection) -> LoadResult:
        build_client, item = self._client_factory.build_client, self._notification.item
        # Right after a change, a query may still return the state before it.
        from_config = self._parameters.source is Source.CONFIG and selection.everything and item is None
        clients = LiveClients(
            elbv2=build_client("elbv2"), ec2=build_client("ec2"), config=build_client("config") if from_config else None
        )
        account_id = self._notification.account_id or _caller_account_id(self._client_factory)
        self._source = LiveSource(clients, account_id, clients.elbv2.meta.region_name)
        loaded = self._source.load_for_rules(selection, {self.recommendation: self._parameters})
        if loaded.enumeration_failure is not None:
            rule = self.recommendation.name
            self.errors.append(enumeration_error(loaded.estate, loaded.enumeration_failure, rule))
        for text in loaded.not_followed:
            log_line(
                "WARNING",
                rule=self.recommendation.name,
                accountId=account_id,
                loadBalancerArn=None,
                what="this change",
                cause=text,
            )
        return loaded

    def _evaluations(self, loaded: LoadResult) -> list[Evaluation]:
        load_balancers = [found for found in loaded.selected if found.may_be_application]
        exemptions = None
        if self._parameters.exemptions is not None and load_balancers:
            exemptions = self._read_exemptions(self._parameters.exemptions, loaded.estate.account_region)
        port_exemptions = {} if exemptions is None else exemptions.of_ports(self.today)
        rules = {self.recommendation: self._parameters}
        findings, errors = judge_all(loaded.estate, load_balancers, rules, port_exemptions)
        if exemptions is not None:
            findings, errors = apply_exemptions(exemptions, findings, errors, self.today)
        self.errors.extend(errors)
        item_times = {found.arn: loaded.oldest_item_time(found) for found in load_balancers}
        return [_evaluation(finding, item_times.get(finding.load_balancer_arn)) for finding in findings]

    def _read_exemptions(self, location: AwsLocation, account_region: AccountRegion) -> Exemptions:
        """The exemptions, or none with an error if they cannot be read.

        The function's own role reads them: the judged account must not exempt itself.
        """
        rule = self.recommendation.name
        try:
            max_days = parse_max_days(os.environ.get(MAX_DAYS_VARIABLE))
            exemptions = read_exemptions(
                location,
                lambda service: self._client_factory.build_client(service, assume_role_mode=False),
                RECOMMENDATIONS_BY_NAME,
                bucket_owner=self.function_account,
            )
        except (InvalidInputError, NotReadError) as error:
            what, cause = f"exemptions in {location}", f"{error}; no exemption applies"
            self.errors.append(EvaluationError(*account_region, None, rule, what, cause))
            return Exemptions(str(location))
        exemptions = limit_exemptions(exemptions, self.today, max_days)
        self.errors.extend(
            malformed_exemption_error(malformed, exemptions.document_name)
            for malformed in exemptions.malformed
            if malformed.may_apply_to(rule, account_region)
        )
        return exemptions

    def _stale_results(
        self, loaded: LoadResult, recorded: Iterable[RecordedResult]
    ) -> tuple[list[Evaluation], frozenset[str]]:
        """NOT_APPLICABLE for every resource with a recorded result that is no longer a load balancer of the account.

        Also the ARNs of load balancers with such a result that exist although they were not listed: a list may lack one
        by mistake, so a second call names each ARN.
        """
        config = self._client_factory.build_client("config")
        enumerated = {load_balancer.arn for load_balancer in loaded.selected}
        unlisted = [
            (result.resource_type, result.resource_id) for result in recorded if result.resource_id not in enumerated
        ]
        confirmation = self._source.confirm_load_balancers(
            resource_id
            for _, resource_id in unlisted
            if is_load_balancer_arn(resource_id) and resource_id not in loaded.not_found
        )
        for arn, cause in confirmation.failures.items():
            self.errors.append(self._error(config, arn, f"whether {load_balancer_name(arn)} exists", cause))
        stale = [
            _not_applicable(resource_type, resource_id)
            for resource_type, resource_id in unlisted
            if resource_id not in confirmation.found and resource_id not in confirmation.failures
        ]
        return stale, frozenset(confirmation.found)

    def _add_error(self, client: Any, what: str, error: Exception) -> None:
        """Adds an error that concerns no single load balancer and does not stop the invocation."""
        self.errors.append(self._error(client, None, what, error_text(error)))

    def _error(self, client: Any, arn: str | None, what: str, cause: str) -> EvaluationError:
        account_id, region = str(self._notification.account_id), client.meta.region_name
        return EvaluationError(account_id, region, arn, self.recommendation.name, what, cause)


def evaluate(rule: AlbSgRule, event: Mapping[str, Any], context: Any) -> list[EvaluationDict]:
    """The body of a rule's `lambda_handler`: judges, records, and fails if anything could not be judged.

    Logs each evaluation and each error, and the metrics of the invocation. Returns the recorded evaluations, ready for
    JSON. Raises IncompleteEvaluationError after recording what could be judged; InvalidInputError or one of AWS_ERRORS
    if nothing could.
    """
    account_id = event.get("accountId") if isinstance(event, Mapping) else None
    run_log = RunLog(rule.recommendation.name, account_id)
    rule.function_account = function_account_id(context)
    try:
        return _evaluate(rule, event, run_log)
    finally:
        run_log.close()


def _evaluate(rule: AlbSgRule, event: Mapping[str, Any], run_log: RunLog) -> list[EvaluationDict]:
    try:
        notification = read_notification(event)
        check_account(notification)
        parameters = rule.evaluate_parameters(notification.parameters)
        client_factory = make_client_factory(notification, run_log.count_call)
        evaluations = _evaluation_dicts(
            rule.judge(notification, client_factory, parameters), notification.ordering_time
        )
        failed = put_evaluations(client_factory.build_client("config"), evaluations, notification.result_token)
    except (InvalidInputError, *AWS_ERRORS) as error:
        run_log.error(None, what="this invocation", cause=error_text(error))
        raise
    except Exception as error:
        run_log.error(None, what="this invocation", cause=unexpected_error_text(error))
        raise
    not_recorded = {failure.resource_id for failure in failed}
    for evaluation in evaluations:
        if evaluation["ComplianceResourceId"] not in not_recorded:
            run_log.evaluation(evaluation)
    errors = [(error.load_balancer_arn, error.what, error.cause) for error in rule.errors]
    errors += [(failure.resource_id, f"evaluation of {failure.resource_id}", failure.cause) for failure in failed]
    for arn, what, cause in errors:
        run_log.error(arn, what=what, cause=cause)
    if errors:
        _, what, cause = errors[0]
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors, the first"
        raise IncompleteEvaluationError(f"{rule.recommendation.name}: {count}: {what}: {cause}")
    return evaluations


def _evaluation_dicts(evaluations: Iterable[Evaluation], ordering_time: str) -> list[EvaluationDict]:
    """Evaluations as PutEvaluations accepts them, one per resource."""
    by_resource: dict[tuple[str, str], EvaluationDict] = {}
    for evaluation in evaluations:
        # A verdict from recordings has the time of its oldest item.
        evaluation.orderingTimestamp = evaluation.orderingTimestamp or ordering_time
        evaluation.is_valid()
        by_resource[evaluation.complianceResourceType, evaluation.complianceResourceId] = evaluation.get_json()
    return list(by_resource.values())


def _evaluation(finding: Finding, item_time: datetime | None) -> Evaluation:
    """The evaluation of a finding, ordered by the oldest recorded item that it rests on, if there is one."""
    evaluation = Evaluation(
        finding.compliance.value,
        resourceId=finding.load_balancer_arn,
        resourceType=LOAD_BALANCER_TYPE,
        annotation=without_escapes(finding.annotation),
    )
    if item_time is not None:
        evaluation.orderingTimestamp = item_time.astimezone(UTC).isoformat(timespec="milliseconds")
    return evaluation


def _unconfirmed(evaluations: Iterable[Evaluation], recorded: Iterable[RecordedResult]) -> frozenset[str]:
    """The ARNs of load balancers on which a verdict from recordings differs from a result that is not older.

    That result may be from after a fix that the recordings do not hold yet; or the recordings are right, and AWS Config
    would drop their verdict because it is older. A load balancer without a result counts as well: AWS Config does not
    tell whether it became NOT_APPLICABLE later.
    """
    results = {result.resource_id: result for result in recorded}
    unconfirmed = set()
    for evaluation in evaluations:
        if evaluation.orderingTimestamp is None:
            continue
        item_time = datetime.fromisoformat(evaluation.orderingTimestamp)
        result = results.get(evaluation.complianceResourceId)
        if result is None:
            is_unconfirmed = evaluation.complianceType != ComplianceType.NOT_APPLICABLE
        else:
            is_older = result.ordering_time is not None and result.ordering_time < item_time
            verdict = (evaluation.complianceType, evaluation.annotation)
            is_unconfirmed = not is_older and (result.compliance, result.annotation) != verdict
        if is_unconfirmed:
            unconfirmed.add(evaluation.complianceResourceId)
    return frozenset(unconfirmed)


def _not_applicable(resource_type: str, resource_id: str) -> Evaluation:
    """The evaluation of a resource that the rule no longer concerns. Messages quote its annotation."""
    return Evaluation(
        ComplianceType.NOT_APPLICABLE, resourceId=resource_id, resourceType=resource_type, annotation=GONE_ANNOTATION
    )


def _caller_account_id(client_factory: Any) -> str:
    """The account of the clients, for an event without an account."""
    with name_call("GetCallerIdentity"):
        account_id: str = client_factory.build_client("sts").get_caller_identity()["Account"]
    return account_id
