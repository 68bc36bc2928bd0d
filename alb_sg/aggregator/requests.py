"""The calls that an aggregator takes: three queries, where it collects, the reasons of each rule, and who the accounts
are. None of them is a summary, which stops counting at some number.

A query cannot ask for one rule's verdict: conditions on the elements of a list match across all elements (AWS Config
developer guide, "Multiple properties within an array behavior"). So all of a load balancer's verdicts are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.client import BaseClient

from alb_sg.aws.account_region import AccountRegion
from alb_sg.aws.calls import ApiRequest
from alb_sg.estate.resource_types import LOAD_BALANCER_TYPE
from alb_sg.live.config_requests import PAGE_SIZE, ConfigRequests

# What the role of whoever reads an aggregator needs. The first three are required; without the others coverage, or
# names and organizational units, are said to be unknown.
IAM_ACTIONS = (
    "config:GetAggregateComplianceDetailsByConfigRule",
    "config:SelectAggregateResourceConfig",
    "config:DescribeConfigurationAggregatorSourcesStatus",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
)

# API reference of Organizations: the largest page.
ORGANIZATIONS_PAGE = 20

VERDICTS_QUERY = (
    "SELECT accountId, awsRegion, configuration.targetResourceId, configuration.configRuleList "
    "WHERE resourceType = 'AWS::Config::ResourceCompliance' "
    f"AND configuration.targetResourceType = '{LOAD_BALANCER_TYPE}'"
)
RECORDED_ACCOUNT_REGIONS_QUERY = (
    "SELECT accountId, awsRegion, COUNT(*) WHERE resourceType LIKE 'AWS::%' GROUP BY accountId, awsRegion"
)


@dataclass(frozen=True)
class AggregatorClients:
    """The boto3 clients of the aggregator's account and region, made with `live.client_config`. `organizations` None:
    names and organizational units are not asked for."""

    config: BaseClient
    organizations: BaseClient | None = None


class AggregatorRequests:
    """Builds the requests to one aggregator."""

    def __init__(self, clients: AggregatorClients, aggregator: str) -> None:
        self._client = clients.config
        self._queries = ConfigRequests(clients.config, aggregator)
        self._aggregator = {"ConfigurationAggregatorName": aggregator}

    def verdicts(self) -> ApiRequest:
        """All verdicts of all rules on load balancers."""
        return self._query(VERDICTS_QUERY)

    def recorded_account_regions(self) -> ApiRequest:
        """The accounts and regions of which there is an item of any type."""
        return self._query(RECORDED_ACCOUNT_REGIONS_QUERY)

    def load_balancers(self) -> ApiRequest:
        return self._queries.items(LOAD_BALANCER_TYPE)

    def source_statuses(self) -> ApiRequest:
        """Where the aggregator collects, and whether it could."""
        return self._queries.source_statuses()

    def evaluations(self, account_region: AccountRegion, config_rule_name: str) -> ApiRequest:
        """What a Config rule of an account and region says of each resource: COMPLIANT and NON_COMPLIANT alone, for
        the API knows no others."""
        parameters = {
            **self._aggregator,
            "ConfigRuleName": config_rule_name,
            "AccountId": account_region.account_id,
            "AwsRegion": account_region.region,
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
