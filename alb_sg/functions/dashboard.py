"""The Lambda function that publishes the dashboard of an organization's aggregator on a schedule.

The time of the run is that of the event, so that a retry of the same event writes the same objects.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from alb_sg.aggregator.exemptions import apply_exemptions
from alb_sg.aggregator.observe import observe
from alb_sg.aggregator.requests import AggregatorClients
from alb_sg.aws.arns import function_account_id
from alb_sg.aws.clients import make_client
from alb_sg.aws.log_lines import log_line, logged_failure
from alb_sg.dashboard.audit import InputSource, Provenance
from alb_sg.dashboard.bucket import PAGE_KEY, publish
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.exemptions.aws_document import MAX_DAYS_VARIABLE, limit_exemptions, parse_max_days, read_exemptions
from alb_sg.exemptions.exemption import Exemptions
from alb_sg.exemptions.location import parse_location
from alb_sg.findings.loaded_exemptions import LoadedExemptions, load_exemptions
from alb_sg.observations.severities import parse_severities
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME, override_severities

# The function's environment. The exemptions are their location in AWS, the severities those that differ from the rules'
# own; both are empty where there are none.
AGGREGATOR_VARIABLE = "ALB_SG_AGGREGATOR"
BUCKET_VARIABLE = "ALB_SG_BUCKET"
EXEMPTIONS_VARIABLE = "ALB_SG_EXEMPTIONS"
SEVERITIES_VARIABLE = "ALB_SG_SEVERITIES"


def lambda_handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Publishes the page for the time of an EventBridge event, and returns its counts.

    The page shows what could not be read. Where that is more than single verdicts, the function raises NotReadError
    after the page is written, so that its alarm rings. Logs each error, and what it published.
    """
    with logged_failure(function="dashboard"):
        return _publish(event, context)


def _publish(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    aggregator, bucket = os.environ[AGGREGATOR_VARIABLE], os.environ[BUCKET_VARIABLE]
    location = os.environ[EXEMPTIONS_VARIABLE]
    override_severities(parse_severities(os.environ.get(SEVERITIES_VARIABLE, "")))
    as_of = _event_time(event)
    clients = AggregatorClients(config=make_client("config"), organizations=make_client("organizations"))
    observation = observe(clients, aggregator, None, as_of)
    sources = [InputSource("AWS Config aggregator", aggregator)]
    if location:
        exemptions = _load_exemptions(location, as_of.date(), function_account_id(context))
        observation = apply_exemptions(observation, exemptions)
        sources.append(InputSource("exemptions", location))
    publish(observation, make_client("s3"), bucket, Provenance(sources, recorded=True))
    results = observation.results
    for error in results.errors:
        log_line(
            "ERROR",
            function="dashboard",
            rule=error.rule,
            accountId=error.account_id,
            region=error.region,
            loadBalancerArn=error.load_balancer_arn,
            what=error.what,
            cause=error.cause,
        )
    published = {
        "page": f"s3://{bucket}/{PAGE_KEY}",
        "findings": len(results.findings),
        "errors": len(results.errors),
    }
    log_line("INFO", function="dashboard", **published)
    unread = next((error for error in results.errors if not error.account_id), None)
    if unread is not None:
        raise NotReadError(unread.what, unread.cause)
    return published


def _load_exemptions(text: str, today: date, owner: str | None) -> LoadedExemptions:
    """Raises InvalidInputError where the text is not a location in AWS."""
    location = parse_location(text)

    def read() -> Exemptions:
        try:
            exemptions = read_exemptions(location, make_client, RECOMMENDATIONS_BY_NAME, bucket_owner=owner)
            return limit_exemptions(exemptions, today, parse_max_days(os.environ.get(MAX_DAYS_VARIABLE)))
        except InvalidInputError as error:
            # A page without exemptions, which says why, is more use than no page.
            raise NotReadError(f"exemptions in {location}", error.message) from error

    return load_exemptions(read, text, today)


def _event_time(event: Mapping[str, Any]) -> datetime:
    """The time that the schedule was due. Raises InvalidInputError."""
    try:
        time = datetime.fromisoformat(str(event["time"])).astimezone(UTC)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "no time such as 2027-01-31T06:00:00Z; invoke the function through its schedule"
        ) from error
    return time.replace(microsecond=0)
