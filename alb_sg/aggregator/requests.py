"""The requests to an aggregator and to Organizations. None uses a summary, because summaries stop counting at a limit.

A query cannot select the verdict of one rule: conditions on the elements of a list match across all elements (AWS
Config developer guide, "Multiple properties within an array behavior"). So it selects all verdicts of a load balancer.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.client import BaseClient

from alb_sg.aggregator.responses import ConfigRule
from alb_sg.aws.calls import ApiRequest
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.live.config_requests import PAGE_SIZE, ConfigRequests

# The actions that reading an aggregator needs. Without the last of AWS Config's, the page shows the expected accounts
# and regions as unknown; without those of Organizations, accounts have no names and units.
IAM_ACTIONS = (
    "config:DescribeAggregateComplianceByConfigRules",
    "config:GetAggregateComplianceDetailsByConfigRule",
    "config:SelectAggregateResourceConfig",
    "config:DescribeConfigurationAggregatorSourcesStatus",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
)

# The largest page of DescribeAggregateComplianceByConfigRules (GroupByAPILimit).
CONFIG_RULES_PAGE = 1000
# API reference of Organizations: the largest page.
ORGANIZATIONS_PAGE = 20

VERDICTS_QUERY = (
    "SELECT accountId, awsRegion, configurationItemCaptureTime, configuration.targetResourceId, "
    "configuration.configRuleList "
    "WHERE resourceType = 'AWS::Config::ResourceCompliance' "
    f"AND configuration.targetResourceType = '{LOAD_BALANCER_TYPE}'"
)
RECORDED_ACCOUNT_REGIONS_QUERY = (
    "SELECT accountId, awsRegion, COUNT(*) WHERE resourceType LIKE 'AWS::%' GROUP BY accountId, awsRegion"
)


@dataclass(frozen=True)
class AggregatorClients:
    """The boto3 clients of the aggregator's account and region, made with `client_config`.

    Without `organizations`, names and organizational units are not read.
    """

    config: BaseClient
    organizations: BaseClient | None = None


class AggregatorRequests:
    """Builds the requests to one aggregator."""

    def __init__(self, clients: AggregatorClients, aggregator: str) -> None:
        self._client = clients.config
        self._queries = ConfigRequests(clients.config, aggregator)
        self._aggregator = {"ConfigurationAggregatorName": aggregator}

    @property
    def region(self) -> str:
        """The aggregator's region."""
        return str(self._client.meta.region_name)

    def config_rules(self) -> ApiRequest:
        """The Config rules of all accounts and regions that have results, with their compliance.

        The API has no filter for a part of a name.
        """
        return ApiRequest(
            self._client,
            "describe_aggregate_compliance_by_config_rules",
            "AggregateComplianceByConfigRules",
            self._aggregator,
            page_size=CONFIG_RULES_PAGE,
        )

    def verdicts(self) -> ApiRequest:
        """All verdicts of all rules on load balancers, as AWS Config records them as resources of their own.

        A recorder that excludes AWS::Config::ResourceCompliance leaves none, or old ones.
        """
        return self._query(VERDICTS_QUERY)

    def recorded_account_regions(self) -> ApiRequest:
        """The accounts and regions that have an item of any type."""
        return self._query(RECORDED_ACCOUNT_REGIONS_QUERY)

    def load_balancers(self) -> ApiRequest:
        return self._queries.items(LOAD_BALANCER_TYPE)

    def source_statuses(self) -> ApiRequest:
        return self._queries.source_statuses()

    def evaluations(self, config_rule: ConfigRule) -> ApiRequest:
        """The evaluations of a Config rule. The API returns COMPLIANT and NON_COMPLIANT only."""
        parameters = {
            **self._aggregator,
            "ConfigRuleName": config_rule.name,
            "AccountId": config_rule.account_region.account_id,
            "AwsRegion": config_rule.account_region.region,
        }
        return ApiRequest(
            self._client,
            "get_aggregate_compliance_details_by_config_rule",
            "AggregateEvaluationResults",
            parameters,
            page_size=PAGE_SIZE,
        )

    def _query(self, expression: str) -> ApiRequest:
        parameters = {**self._aggregator, "Expression": expression}
        return ApiRequest(self._client, "select_aggregate_resource_config", "Results", parameters, page_size=PAGE_SIZE)


class OrganizationRequests:
    """Builds the requests to Organizations."""

    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def roots(self) -> ApiRequest:
        return ApiRequest(self._client, "list_roots", "Roots", {})

    def organizational_units(self, parent: str) -> ApiRequest:
        parameters = {"ParentId": parent}
        return ApiRequest(
            self._client,
            "list_organizational_units_for_parent",
            "OrganizationalUnits",
            parameters,
            page_size=ORGANIZATIONS_PAGE,
        )

    def accounts_in(self, parent: str) -> ApiRequest:
        parameters = {"ParentId": parent}
        return ApiRequest(
            self._client, "list_accounts_for_parent", "Accounts", parameters, page_size=ORGANIZATIONS_PAGE
        )

    def accounts(self) -> ApiRequest:
        return ApiRequest(self._client, "list_accounts", "Accounts", {}, page_size=ORGANIZATIONS_PAGE)
