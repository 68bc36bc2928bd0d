"""What the stages of one load share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alb_sg.aws.calls import ApiRequest, ApiResponse, CallPool
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import TargetGroup
from alb_sg.live.lookups import ReadRequest
from alb_sg.live.partial_estate import PartialEstate
from alb_sg.live.requests import DescribeRequests
from alb_sg.live.selection import Selection

# What a request is for: a section, and what is asked of it (nothing where all of it is).
RequestKey = tuple[str, tuple[str, ...]]
RequestsByKey = dict[RequestKey, ApiRequest]


@dataclass(frozen=True)
class LoadContext:
    """One load: how calls are made, what has been read so far, and what for."""

    calls: CallPool
    requests: DescribeRequests
    partial_estate: PartialEstate
    selection: Selection
    read_request: ReadRequest

    def needs_section(self, section: str) -> bool:
        return section in self.read_request.sections

    @property
    def needs_target_groups(self) -> bool:
        """Whether target groups have to be listed: for themselves, or for what leads to load balancers."""
        return (
            self.selection.follows_target_groups
            or self.needs_section("TargetGroups")
            or self.needs_section("AlbRegistrations")
        )

    def is_from_config(self, section: str) -> bool:
        """Whether AWS Config was asked for a section, so that it is not to be read as a whole again."""
        return section in self.partial_estate.config_sections

    def read(self, wanted: RequestsByKey) -> None:
        """Makes the calls at the same time and takes their answers."""
        self.add_responses(self.calls.send_all(wanted))

    def add_responses(self, answers: Mapping[RequestKey, ApiResponse]) -> None:
        for (section, keys), answer in answers.items():
            self.partial_estate.add_response(section, keys, answer)

    def estate(self) -> Estate:
        return self.partial_estate.estate(all_groups=self.selection.everything)

    def target_health_requests(self, group: TargetGroup) -> RequestsByKey:
        """The call for a target group's registrations, unless it was made already."""
        reading = self.partial_estate
        failed = {failure.key for failure in reading.failures_of("TargetHealthDescriptions")}
        if group.arn in failed or group.arn in reading.targets:
            return {}
        return {("TargetHealthDescriptions", (group.arn,)): self.requests.target_health(group.arn)}
