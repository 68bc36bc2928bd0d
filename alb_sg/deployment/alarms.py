"""The alarms of a rule's function: failed, throttled and lost events, and silence."""

from __future__ import annotations

from dataclasses import dataclass

from alb_sg.aws.rule_frequencies import FREQUENCY_SECONDS
from alb_sg.deployment.intrinsics import Template, ref, sub
from alb_sg.deployment.role_policies import queue_name
from alb_sg.deployment.settings import DeployedRule, Settings

FIVE_MINUTES = 300
# Seconds: half of what the queue keeps, which leaves a week to replay the events.
MAX_QUEUE_AGE = 604_800


@dataclass(frozen=True, slots=True)
class _Alarm:
    """An alarm on one metric of the function or its queue. It rings when `threshold` is reached in each of `periods`
    periods of `period` seconds."""

    logical_suffix: str
    name_suffix: str
    description: str
    metric: str
    on_queue: bool = False
    statistic: str = "Sum"
    comparison: str = "GreaterThanOrEqualToThreshold"
    threshold: int = 1
    period: int = FIVE_MINUTES
    periods: int = 1
    missing: str = "notBreaching"


def alarms(settings: Settings, rule: DeployedRule) -> Template:
    """The alarms by logical id. All of them notify `alarmTopic`."""
    camel = rule.definition.camel_name
    return {f"{camel}{alarm.logical_suffix}": _resource(settings, rule, alarm) for alarm in _alarms(rule)}


def _alarms(rule: DeployedRule) -> tuple[_Alarm, ...]:
    replay = "replay it with python -m alb_sg.deployment replay"
    return (
        _Alarm(
            "Alarm",
            "failed",
            f"{rule.name} could not judge or record everything; the function's log says why",
            "Errors",
        ),
        _Alarm(
            "ThrottlesAlarm",
            "throttled",
            f"{rule.name} has been throttled for 15 minutes; raise reservedConcurrency or the account's quota",
            "Throttles",
            # Lambda tries throttled events again, so that a short peak loses nothing.
            periods=3,
        ),
        _Alarm(
            "DroppedAlarm",
            "dropped",
            f"Lambda gave up an event of {rule.name}: it failed, or became too old; {replay}",
            "AsyncEventsDropped",
        ),
        _Alarm(
            "QueueAlarm",
            "queued",
            f"The failed-event queue of {rule.name} holds an event; {replay}",
            "ApproximateNumberOfMessagesVisible",
            on_queue=True,
            statistic="Maximum",
        ),
        _Alarm(
            "QueueAgeAlarm",
            "queue-age",
            f"The failed-event queue of {rule.name} loses an event in less than a week; {replay}",
            "ApproximateAgeOfOldestMessage",
            on_queue=True,
            statistic="Maximum",
            threshold=MAX_QUEUE_AGE,
        ),
        _Alarm(
            "SilenceAlarm",
            "silent",
            f"{rule.name} has not run for two periods; check that AWS Config records, and may invoke the function",
            "Invocations",
            comparison="LessThanThreshold",
            period=FREQUENCY_SECONDS[rule.frequency],
            periods=2,
            # Lambda reports no value for a period without an invocation.
            missing="breaching",
        ),
    )


def _resource(settings: Settings, rule: DeployedRule, alarm: _Alarm) -> Template:
    function = {"Name": "FunctionName", "Value": ref(f"{rule.definition.camel_name}Function")}
    queue = {"Name": "QueueName", "Value": queue_name(settings, rule)}
    properties: Template = {
        "AlarmName": f"{settings.function_name(rule)}-{alarm.name_suffix}",
        "AlarmDescription": alarm.description,
        "Namespace": "AWS/SQS" if alarm.on_queue else "AWS/Lambda",
        "MetricName": alarm.metric,
        "Dimensions": [queue if alarm.on_queue else function],
        "Statistic": alarm.statistic,
        "Period": alarm.period,
        "EvaluationPeriods": alarm.periods,
        "ComparisonOperator": alarm.comparison,
        "Threshold": alarm.threshold,
        "TreatMissingData": alarm.missing,
    }
    if settings.alarm_topic is not None:
        topic = sub(f"arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{settings.alarm_topic}")
        properties["AlarmActions"] = [topic]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
