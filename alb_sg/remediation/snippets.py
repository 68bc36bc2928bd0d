"""What both kinds of snippet are made from: the rules to add, for those who keep security groups in code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from alb_sg.estate.model import LoadBalancer
from alb_sg.permissions.allowed_traffic import Direction
from alb_sg.remediation.placement import dedicated_group_name
from alb_sg.remediation.plan import Addition, Plan


@dataclass(frozen=True, slots=True)
class Snippet:
    """The rules for one load balancer, each once. `name` is unique among the snippets of a run; `group_name` is that
    of the security group that has to be made for those rules that have none."""

    name: str
    load_balancer: LoadBalancer
    additions: tuple[Addition, ...]
    group_name: str | None

    @property
    def comments(self) -> tuple[str, ...]:
        """What a reader has to know, a line each."""
        lines = [f"Load balancer {self.load_balancer.name} ({self.load_balancer.arn})"]
        if self.group_name is not None:
            groups = ", ".join(self.load_balancer.security_groups)
            lines.append(f"Add the security group {self.group_name} to those of the load balancer ({groups}).")
        everyone = sorted({addition.peer for addition in self.additions if addition.open_to_everyone})
        if everyone:
            lines.append(f"This opens it to everyone ({', '.join(everyone)}), as is recommended for its clients.")
        return tuple("".join(character if character.isprintable() else "?" for character in line) for line in lines)


def make_snippets(plans: Iterable[Plan]) -> tuple[Snippet, ...]:
    """A snippet for each plan that knows of a rule to add, also where adding it is refused here."""
    found: list[Snippet] = []
    names: dict[str, int] = {}
    for plan in plans:
        rules: dict[tuple[Direction, object], Addition] = {}
        for addition in (*plan.additions, *(one for refusal in plan.refusals for one in refusal.additions)):
            rules.setdefault((addition.direction, addition.permission), addition)
        if not rules:
            continue
        base = re.sub(r"[^a-z0-9]+", "_", plan.load_balancer.name.lower()).strip("_")
        names[base] = names.get(base, 0) + 1
        additions = tuple(rules.values())
        new = any(addition.group_id is None for addition in additions)
        found.append(
            Snippet(
                base if names[base] == 1 else f"{base}_{names[base]}",
                plan.load_balancer,
                additions,
                dedicated_group_name(plan.load_balancer) if new else None,
            )
        )
    return tuple(found)
