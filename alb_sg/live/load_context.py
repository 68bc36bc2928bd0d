"""The state that the stages of one load share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import TargetGroup
from alb_sg.estate.sections import Section
from alb_sg.live.confirmation import confirm_load_balancers, confirm_target_groups
from alb_sg.live.lookups import ReadRequest
from alb_sg.live.partial_estate import NOT_FOUND_CODES, PartialEstate
from alb_sg.live.requests import FILTER_VALUES, DescribeRequests, batches
from alb_sg.live.selection import Selection

# The section that a request fills, and the ids that it asks for (none: the whole section).
RequestKey = tuple[str, tuple[str, ...]]
RequestsByKey = dict[RequestKey, ApiRequest]


def requests_in_batches(
    section: Section, ids: Iterable[str], request: Callable[[tuple[str, ...]], ApiRequest]
) -> RequestsByKey:
    """The calls of EC2 that read the resources of a section by ID, as many at once as a filter takes."""
    return {(section, batch): request(batch) for batch in batches(ids, FILTER_VALUES)}


@dataclass(frozen=True)
class LoadContext:
    """One load: how to make calls, the result so far, and the question."""

    calls: CallPool
    requests: DescribeRequests
    partial_estate: PartialEstate
    selection: Selection
    read_request: ReadRequest

    def needs_section(self, section: str) -> bool:
        return section in self.read_request.sections

    @property
    def judges_targets(self) -> bool:
        """Whether the security groups of targets are judged: only then does a verdict depend on subnets."""
        return self.needs_section(Section.SUBNETS)

    @property
    def needs_target_groups(self) -> bool:
        """Whether to list target groups: as a section of their own, or to find load balancers."""
        return (
            self.selection.follows_target_groups
            or self.needs_section(Section.TARGET_GROUPS)
            or self.needs_section(Section.ALB_REGISTRATIONS)
        )

    @property
    def followed_target_groups(self) -> list[TargetGroup]:
        """The target groups whose registrations the selection follows."""
        return self.selection.followed_alb_target_groups(self.partial_estate.target_groups.values())

    def is_from_config(self, section: str) -> bool:
        """Whether AWS Config was read for a section. No call may list such a section again."""
        return section in self.partial_estate.config_sections

    def has_listed(self, section: Section) -> bool:
        """Whether a call has listed a section that is included only once it is read."""
        return section in self.partial_estate.included_sections

    def read(self, requests: RequestsByKey) -> None:
        """Makes the calls at the same time and adds their responses."""
        self.add_responses(self.calls.send_all(requests))

    def add_responses(self, responses: Mapping[RequestKey, ApiResponse]) -> None:
        """Adds responses. Asks again, by ARN, for what they call "not found"."""
        doubted: dict[RequestKey, ApiResponse] = {}
        for (section, keys), response in responses.items():
            if response.error_code is not None and response.error_code == NOT_FOUND_CODES.get(section):
                doubted |= {(section, (key,)): response for key in keys}
            else:
                self.partial_estate.add_response(section, keys, response)
        if doubted:
            self._confirm(doubted)

    def _confirm(self, doubted: Mapping[RequestKey, ApiResponse]) -> None:
        partial_estate = self.partial_estate
        of_target_groups = {key for section, (key,) in doubted if section == Section.TARGET_HEALTH_DESCRIPTIONS}
        of_load_balancers = {key for section, (key,) in doubted if section != Section.TARGET_HEALTH_DESCRIPTIONS}
        groups = confirm_target_groups(self.calls, self.requests, of_target_groups)
        load_balancers = confirm_load_balancers(self.calls, self.requests, of_load_balancers)
        for arn in groups.gone:
            partial_estate.remove_target_group(arn)
        for arn in load_balancers.gone:
            partial_estate.remove_load_balancer(arn)
        again: RequestsByKey = {}
        for section, (arn,) in doubted:
            confirmation = groups if section == Section.TARGET_HEALTH_DESCRIPTIONS else load_balancers
            if arn in confirmation.found:
                again[section, (arn,)] = self.requests.detail(section, arn)
            elif arn in confirmation.failures:
                partial_estate.add_failure(section, arn, confirmation.failures[arn])
        for (section, keys), response in self.calls.send_all(again).items():
            # A second "not found" contradicts the answer for the ARN: the response is a failure as it stands.
            partial_estate.add_response(section, keys, response)

    def estate(self) -> Estate:
        return self.partial_estate.estate(all_groups=self.selection.everything)

    def target_health_requests(self, groups: Iterable[TargetGroup]) -> RequestsByKey:
        """The calls for the registrations in target groups, except those that have been made."""
        section = Section.TARGET_HEALTH_DESCRIPTIONS
        made = {
            failure.key for failure in self.partial_estate.failures_of(section)
        } | self.partial_estate.targets.keys()
        return {
            (section, (group.arn,)): self.requests.target_health(group.arn) for group in groups if group.arn not in made
        }
