"""The calls that an aggregator takes: three queries, where it collects, the reasons of each rule, and who the accounts
are. None of them is a summary, which stops counting at some number.

A query cannot ask for one rule's verdict: conditions on the elements of a list match across all elements (AWS Config
developer guide, "Multiple properties within an array behavior"). So all of a load balancer's verdicts are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from botocore.client import BaseClient

from alb_sg.estate.home import Home
from alb_sg.estate.model import LOAD_BALANCER_TYPE
from alb_sg.live.calls import Request
from alb_sg.live.queries import PAGE, Queries

# What the role of whoever reads an aggregator needs. The first three are required; without the others coverage, or
# names and organizational units, are said to be unknown.
ACTIONS = (
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

VERDICTS = (
    "SELECT accountId, awsRegion, configuration.targetResourceId, configuration.configRuleList "
    "WHERE resourceType = 'AWS::Config::ResourceCompliance' "
    f"AND configuration.targetResourceType = '{LOAD_BALANCER_TYPE}'"
)
RECORDED = "SELECT accountId, awsRegion, COUNT(*) WHERE resourceType LIKE 'AWS::%' GROUP BY accountId, awsRegion"


@dataclass(frozen=True)
class AggregatorClients:
    """The boto3 clients of the aggregator's account and region, made with `live.client_config`. `organizations` None:
    names and organizational units are not asked for."""

    config: BaseClient
    organizations: BaseClient | None = None


class Requests:
    """Builds the requests to one aggregator."""

    def __init__(self, clients: AggregatorClients, aggregator: str) -> None:
        self._client = clients.config
        self._queries = Queries(clients.config, aggregator)
        self._aggregator = {"ConfigurationAggregatorName": aggregator}

    def verdicts(self) -> Request:
        """All verdicts of all rules on load balancers."""
        return self._query(VERDICTS)

    def recorded(self) -> Request:
        """The accounts and regions of which there is an item of any type."""
        return self._query(RECORDED)

    def load_balancers(self) -> Request:
        return self._queries.items(LOAD_BALANCER_TYPE)

    def sources(self) -> Request:
        """Where the aggregator collects, and whether it could."""
        return self._queries.sources()

    def evaluations(self, home: Home, config_rule_name: str) -> Request:
        """What a Config rule of an account and region says of each resource: COMPLIANT and NON_COMPLIANT alone, for
        the API knows no others."""
        parameters = {
            **self._aggregator,
            "ConfigRuleName": config_rule_name,
            "AccountId": home.account_id,
            "AwsRegion": home.region,
        }
        return Request(
            self._client,
            "get_aggregate_compliance_details_by_config_rule",
            "AggregateEvaluationResults",
            parameters,
            page_size=PAGE,
        )

    def _query(self, expression: str) -> Request:
        parameters = {**self._aggregator, "Expression": expression}
        return Request(self._client, "select_aggregate_resource_config", "Results", parameters, page_size=PAGE)


class OrganizationRequests:
    """Builds the requests to Organizations."""

    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def roots(self) -> Request:
        return Request(self._client, "list_roots", "Roots", {})

    def units(self, parent: str) -> Request:
        parameters = {"ParentId": parent}
        return Request(
            self._client,
            "list_organizational_units_for_parent",
            "OrganizationalUnits",
            parameters,
            page_size=ORGANIZATIONS_PAGE,
        )

    def accounts_in(self, parent: str) -> Request:
        parameters = {"ParentId": parent}
        return Request(self._client, "list_accounts_for_parent", "Accounts", parameters, page_size=ORGANIZATIONS_PAGE)

    def accounts(self) -> Request:
        return Request(self._client, "list_accounts", "Accounts", {}, page_size=ORGANIZATIONS_PAGE)
