"""The calls to AWS Config: its recorders, and the items of a resource type by advanced query."""

from __future__ import annotations

from typing import Any

from botocore.client import BaseClient

from alb_sg.aws.calls import ApiRequest

# The limit of SelectResourceConfig, SelectAggregateResourceConfig and
# DescribeConfigurationAggregatorSourcesStatus.
PAGE_SIZE = 100
# The fields that `alb_sg.estate.config_item` reads. `SELECT *` leaves the configuration out.
ITEM_FIELDS = (
    "accountId",
    "awsRegion",
    "resourceType",
    "resourceId",
    "arn",
    "configurationItemCaptureTime",
    "configurationItemStatus",
    "configurationStateId",
    "configuration",
    "tags",
)


def item_query(type_name: str) -> str:
    """The query for every item of a type. Its results hold no deleted resources."""
    return f"SELECT {', '.join(ITEM_FIELDS)} WHERE resourceType = '{type_name}'"


class ConfigRequests:
    """Builds the requests of one account and region, or of all accounts and regions of an aggregator."""

    def __init__(self, client: BaseClient, aggregator: str | None = None) -> None:
        self._client = client
        self._aggregator = aggregator

    def items(self, type_name: str) -> ApiRequest:
        """Every item of a type."""
        return self.query(item_query(type_name))

    def query(self, expression: str) -> ApiRequest:
        """An advanced query. Each result is JSON text."""
        parameters: dict[str, Any] = {"Expression": expression}
        if self._aggregator is None:
            return ApiRequest(self._client, "select_resource_config", "Results", parameters, PAGE_SIZE)
        parameters["ConfigurationAggregatorName"] = self._aggregator
        return ApiRequest(self._client, "select_aggregate_resource_config", "Results", parameters, PAGE_SIZE)

    def recorders(self) -> ApiRequest:
        return ApiRequest(self._client, "describe_configuration_recorders", "ConfigurationRecorders", {})

    def recorder_status(self) -> ApiRequest:
        return ApiRequest(self._client, "describe_configuration_recorder_status", "ConfigurationRecordersStatus", {})

    def source_statuses(self) -> ApiRequest:
        """The accounts and regions of the aggregator, with the status of each last update."""
        return ApiRequest(
            self._client,
            "describe_configuration_aggregator_sources_status",
            "AggregatedSourceStatusList",
            {"ConfigurationAggregatorName": self._aggregator},
            PAGE_SIZE,
        )
