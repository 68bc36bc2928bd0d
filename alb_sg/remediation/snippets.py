"""The rules to add, arranged for the snippets of those who keep security groups in code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from alb_sg.estate.model import LoadBalancer
from alb_sg.estate.planned.resources import DocumentResources
from alb_sg.remediation.placement import dedicated_group_name
from alb_sg.remediation.plan import Addition, Plan, RuleKey


@dataclass(frozen=True, slots=True)
class Snippet:
    """The rules for one load balancer, each once.

    `name` is unique among the snippets of a run. `group_name` names the security group to create for the rules that
    have no group yet. `document` has where planned resources are written.
    """

    name: str
    load_balancer: LoadBalancer
    additions: tuple[Addition, ...]
    group_name: str | None
    document: DocumentResources = field(default_factory=DocumentResources)

    def is_inline(self, addition: Addition) -> bool:
        """Whether the rule belongs into the resource of its security group, which lists its rules itself."""
        rules = self.document.inline_rules.get(addition.group_id or "")
        return rules is not None and addition.direction.value in rules.directions

    @property
    def comments(self) -> tuple[str, ...]:
        """The lines that the snippet shows above its rules."""
        lines = [f"Load balancer {self.load_balancer.name} ({self.load_balancer.arn})"]
        if self.group_name is not None:
            groups = ", ".join(self.load_balancer.security_groups)
            lines.append(f"Add the security group {self.group_name} to those of the load balancer ({groups}).")
        changed = {addition.group_id for addition in self.additions if addition.group_id is not None}
        lines += [
            f"Put these rules beside the security group {self.document.name_of(group_id)} "
            f"({self.document.places[group_id]})."
            for group_id in sorted(changed & self.document.places.keys())
        ]
        wide = sorted({addition.peer for addition in self.additions if addition.is_wide})
        if wide:
            lines.append(f"This opens it further than is recommended ({', '.join(wide)}): a person must approve it.")
        everyone = sorted({one.peer for one in self.additions if one.open_to_everyone and not one.is_wide})
        if everyone:
            lines.append(f"This opens it to everyone ({', '.join(everyone)}), as is recommended for its clients.")
        return tuple("".join(character if character.isprintable() else "?" for character in line) for line in lines)


def make_snippets(plans: Iterable[Plan], document: DocumentResources | None = None) -> tuple[Snippet, ...]:
    """A snippet for each plan that has a rule to add or knows one that would fix a refused finding.

    `document` is the plan or template that the rules are for.
    """
    snippets: list[Snippet] = []
    uses: dict[str, int] = {}
    for plan in plans:
        unique: dict[RuleKey, Addition] = {}
        for addition in (*plan.additions, *(one for refusal in plan.refusals for one in refusal.additions)):
            unique.setdefault(addition.key, addition)
        if not unique:
            continue
        name = re.sub(r"[^a-z0-9]+", "_", plan.load_balancer.name.lower()).strip("_")
        uses[name] = uses.get(name, 0) + 1
        additions = tuple(unique.values())
        needs_group = any(addition.group_id is None for addition in additions)
        snippets.append(
            Snippet(
                name if uses[name] == 1 else f"{name}_{uses[name]}",
                plan.load_balancer,
                additions,
                dedicated_group_name(plan.load_balancer) if needs_group else None,
                document or DocumentResources(),
            )
        )
    return tuple(snippets)
