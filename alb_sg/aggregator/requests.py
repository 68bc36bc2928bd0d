"""The requests to an aggregator. None uses a summary, because summaries stop counting at a limit.

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


class AggregatorRequests(ConfigRequests):
    """Builds the requests to one aggregator."""

    def __init__(self, client: BaseClient, aggregator: str) -> None:
        super().__init__(client, aggregator)
        self._parameters = {"ConfigurationAggregatorName": aggregator}
        self.region: str = client.meta.region_name

    def config_rules(self) -> ApiRequest:
        """The Config rules of all accounts and regions that have results, with their compliance.

        The API has no filter for a part of a name.
        """
        return ApiRequest(
            self._client,
            "describe_aggregate_compliance_by_config_rules",
            "AggregateComplianceByConfigRules",
            self._parameters,
            page_size=CONFIG_RULES_PAGE,
        )

    def verdicts(self) -> ApiRequest:
        """All verdicts of all rules on load balancers, as AWS Config records them as resources of their own.

        A recorder that excludes AWS::Config::ResourceCompliance leaves none, or old ones.
        """
        return self.query(VERDICTS_QUERY)

    def recorded_account_regions(self) -> ApiRequest:
        """The accounts and regions that have an item of any type."""
        return self.query(RECORDED_ACCOUNT_REGIONS_QUERY)

    def evaluations(self, config_rule: ConfigRule) -> ApiRequest:
        """The evaluations of a Config rule. The API returns COMPLIANT and NON_COMPLIANT only."""
        parameters = {
            **self._parameters,
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
