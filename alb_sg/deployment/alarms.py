"""The alarms of a rule's function: failed, throttled and lost events, and silence."""

from __future__ import annotations

from functools import partial

from alb_sg.aws.rule_frequencies import FREQUENCY_SECONDS
from alb_sg.deployment.intrinsics import Template, own_arn, ref
from alb_sg.deployment.role_policies import queue_name
from alb_sg.deployment.settings import DeployedRule, Settings

FIVE_MINUTES = 300
# Seconds: half of what the queue keeps, which leaves a week to replay the events.
MAX_QUEUE_AGE = 604_800


def alarms(settings: Settings, rule: DeployedRule) -> Template:
    """The alarms by logical id. All of them notify `alarmTopic`."""
    camel = rule.camel_name
    alarm = partial(_alarm, settings, rule)
    replay = "replay it with python -m alb_sg.deployment replay"
    return {
        f"{camel}Alarm": alarm(
            "failed", f"{rule.name} could not judge or record everything; the function's log says why", "Errors"
        ),
        f"{camel}ThrottlesAlarm": alarm(
            "throttled",
            f"{rule.name} has been throttled for 15 minutes; raise reservedConcurrency or the account's quota",
            "Throttles",
            # Lambda tries throttled events again, so that a short peak loses nothing.
            periods=3,
        ),
        f"{camel}DroppedAlarm": alarm(
            "dropped",
            f"Lambda gave up an event of {rule.name}: it failed, or became too old; {replay}",
            "AsyncEventsDropped",
        ),
        f"{camel}QueueAlarm": alarm(
            "queued",
            f"The failed-event queue of {rule.name} holds an event; {replay}",
            "ApproximateNumberOfMessagesVisible",
            on_queue=True,
        ),
        f"{camel}QueueAgeAlarm": alarm(
            "queue-age",
            f"The failed-event queue of {rule.name} loses an event in less than a week; {replay}",
            "ApproximateAgeOfOldestMessage",
            on_queue=True,
            threshold=MAX_QUEUE_AGE,
        ),
        f"{camel}SilenceAlarm": alarm(
            "silent",
            f"{rule.name} has not run for two periods; check that AWS Config records, and may invoke the function",
            "Invocations",
            comparison="LessThanThreshold",
            period=FREQUENCY_SECONDS[rule.frequency],
            periods=2,
            # Lambda reports no value for a period without an invocation.
            missing="breaching",
        ),
    }


def _alarm(
    settings: Settings,
    rule: DeployedRule,
    name_suffix: str,
    description: str,
    metric: str,
    *,
    on_queue: bool = False,
    comparison: str = "GreaterThanOrEqualToThreshold",
    threshold: int = 1,
    period: int = FIVE_MINUTES,
    periods: int = 1,
    missing: str = "notBreaching",
) -> Template:
    """An alarm on a metric of the function or its queue. It rings when `threshold` is reached in each of `periods`
    periods of `period` seconds."""
    function = {"Name": "FunctionName", "Value": ref(f"{rule.camel_name}Function")}
    queue = {"Name": "QueueName", "Value": queue_name(settings, rule)}
    properties: Template = {
        "AlarmName": f"{settings.function_name(rule)}-{name_suffix}",
        "AlarmDescription": description,
        "Namespace": "AWS/SQS" if on_queue else "AWS/Lambda",
        "MetricName": metric,
        "Dimensions": [queue if on_queue else function],
        "Statistic": "Maximum" if on_queue else "Sum",
        "Period": period,
        "EvaluationPeriods": periods,
        "ComparisonOperator": comparison,
        "Threshold": threshold,
        "TreatMissingData": missing,
    }
    if settings.alarm_topic is not None:
        properties["AlarmActions"] = [own_arn("sns", settings.alarm_topic, "${AWS::Region}")]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
