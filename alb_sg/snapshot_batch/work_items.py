"""The work items of a batch: the account and region that one call judges, and the others that it sees.

`alb-sg check` has all estates of a run in memory. A batch judges each account and region alone first; its result names
the resources that were missing and those that it holds. An account and region is judged again with those that hold
missing resources, until no result names a missing resource that another one holds. The verdicts are those of one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alb_sg.aws.account_region import AccountRegion
from alb_sg.estate.other_accounts import ResourceKey, widen_views


@dataclass(frozen=True, slots=True)
class WorkItem:
    """An account and region to judge, and the others whose resources its verdicts depend on."""

    account_region: AccountRegion
    others: tuple[AccountRegion, ...] = ()

    def to_object(self) -> dict[str, Any]:
        return {
            "accountId": self.account_region.account_id,
            "region": self.account_region.region,
            "others": [list(other) for other in self.others],
        }


def parse_item(document: Mapping[str, Any]) -> WorkItem:
    others = tuple(AccountRegion(account_id, region) for account_id, region in document["others"])
    return WorkItem(AccountRegion(document["accountId"], document["region"]), others)


def items_to_judge_again(
    items: Iterable[WorkItem],
    misses: Mapping[AccountRegion, Iterable[ResourceKey]],
    holders: Mapping[ResourceKey, Iterable[AccountRegion]],
) -> list[WorkItem]:
    """The items whose missing resources others hold that they did not see yet, with all that they see then."""
    views = {item.account_region: (item.account_region, *item.others) for item in items}
    widened = widen_views(views, misses, holders)
    return [
        WorkItem(account_region, tuple(sorted(view - {account_region}))) for account_region, view in widened.items()
    ]
