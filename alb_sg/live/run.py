"""What the stages of one load share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alb_sg.estate.estate import Estate
from alb_sg.estate.model import TargetGroup
from alb_sg.live.calls import Answer, Calls, Request
from alb_sg.live.need import Question
from alb_sg.live.reading import Reading
from alb_sg.live.requests import Requests
from alb_sg.live.selection import Selection

# What a request is for: a section, and what is asked of it (nothing where all of it is).
Key = tuple[str, tuple[str, ...]]
Wanted = dict[Key, Request]


@dataclass(frozen=True)
class Run:
    """One load: how calls are made, what has been read so far, and what for."""

    calls: Calls
    ask: Requests
    reading: Reading
    selection: Selection
    question: Question

    def asks(self, section: str) -> bool:
        return section in self.question.sections

    @property
    def needs_target_groups(self) -> bool:
        """Whether target groups have to be listed: for themselves, or for what leads to load balancers."""
        return self.selection.through_target_groups or self.asks("TargetGroups") or self.asks("AlbRegistrations")

    def settled(self, section: str) -> bool:
        """Whether AWS Config was asked for a section, so that it is not to be read as a whole again."""
        return section in self.reading.settled

    def request(self, wanted: Wanted) -> None:
        """Makes the calls at the same time and takes their answers."""
        self.take(self.calls.answers(wanted))

    def take(self, answers: Mapping[Key, Answer]) -> None:
        for (section, keys), answer in answers.items():
            self.reading.take(section, keys, answer)

    def estate(self) -> Estate:
        return self.reading.estate(all_groups=self.selection.everything)

    def target_health(self, group: TargetGroup) -> Wanted:
        """The call for a target group's registrations, unless it was made already."""
        reading = self.reading
        failed = {failure.key for failure in reading.failed("TargetHealthDescriptions")}
        if group.arn in failed or group.arn in reading.targets:
            return {}
        return {("TargetHealthDescriptions", (group.arn,)): self.ask.target_health(group.arn)}
