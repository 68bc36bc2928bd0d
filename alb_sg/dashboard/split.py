"""The page's data in parts: one for each owner, account or organizational unit."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from alb_sg.dashboard.summary import PageData
from alb_sg.observations.filter_patterns import NO_OWNER, unit_name

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
UNSAFE_CHARACTER = re.compile(r"[^A-Za-z0-9._-]+")
MAX_NAME_LENGTH = 60
# The name of the parts' index.
INDEX_NAME = "index"


class SplitBy(Enum):
    """What each part of a page is about."""

    OWNER = "owner"
    ACCOUNT = "account"
    UNIT = "unit"


@dataclass(frozen=True)
class Part:
    """A part of a page: what it is about, the name of its file without a suffix, and its data."""

    title: str
    file_name: str
    page_data: PageData


@dataclass(frozen=True)
class PartHistory:
    """The trend of a part, as in the page's data, and the last run that covered any of it."""

    trend: Mapping[str, Any]
    last_run: str | None


def split_page_data(
    page_data: PageData, by: SplitBy, history_of: Callable[[str], PartHistory] | None = None
) -> Iterator[Part]:
    """The parts of a page, by title. Together they have every load balancer once.

    `history_of` gives the history of the part with a title; None: no history is kept. Exemptions and errors that
    concern no known part stay on the page of all load balancers.
    """
    key = _key_function(page_data, by)
    by_title: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for load_balancer in page_data["loadBalancers"]:
        by_title[key(load_balancer)].append(load_balancer)
    titles = set(by_title)
    if by is not SplitBy.OWNER:
        # Accounts and units without a load balancer, too: theirs may be unread.
        titles |= set(map(key, page_data["coverage"]["homes"]))
    names = _file_names(titles)
    for title in sorted(titles):
        history = None if history_of is None else history_of(title)
        yield Part(
            _display_title(page_data, by, title),
            names[title],
            _part(page_data, by, title, key, by_title[title], history),
        )


def _key_function(page_data: PageData, by: SplitBy) -> Callable[[Mapping[str, Any]], str]:
    if by is SplitBy.OWNER:
        return lambda entry: owner_title(entry.get("owner"))
    if by is SplitBy.ACCOUNT:
        return lambda entry: str(entry["account"])
    return lambda entry: unit_name(page_data["accounts"].get(entry["account"], {}).get("unit"))


def owner_title(owner: str | None) -> str:
    return owner or NO_OWNER


def _display_title(page_data: PageData, by: SplitBy, title: str) -> str:
    name = page_data["accounts"].get(title, {}).get("name") if by is SplitBy.ACCOUNT else None
    return f"{name} ({title})" if name else title


def _file_names(titles: set[str]) -> dict[str, str]:
    """The file name of each title. No two are the same, nor that of the index, where letter case makes no difference
    either: many file systems ignore it."""
    taken = Counter(title.casefold() for title in titles) + Counter([INDEX_NAME])
    return {title: _file_name(title, is_unique=taken[title.casefold()] == 1) for title in titles}


def _file_name(title: str, *, is_unique: bool) -> str:
    """A name that every file system takes, with a hash where the title alone would be no unique and safe name."""
    if is_unique and SAFE_NAME.fullmatch(title):
        return title
    readable = UNSAFE_CHARACTER.sub("-", title).strip("-.")[:MAX_NAME_LENGTH]
    return f"{readable}-{hashlib.sha256(title.encode('utf-8', 'replace')).hexdigest()[:8]}".lstrip("-")


def _part(
    page_data: PageData,
    by: SplitBy,
    title: str,
    key: Callable[[Mapping[str, Any]], str],
    load_balancers: Sequence[Mapping[str, Any]],
    history: PartHistory | None,
) -> PageData:
    arns = {one["arn"] for one in load_balancers}
    account_regions = {(one["account"], one["region"]) for one in load_balancers}

    def is_of_part(entry: Mapping[str, Any]) -> bool:
        # An error without an account may concern any.
        if not entry["account"]:
            return True
        return (entry["account"], entry["region"]) in account_regions if by is SplitBy.OWNER else key(entry) == title

    coverage = page_data["coverage"]
    kept = list(filter(is_of_part, coverage["homes"]))
    accounts = {entry["account"] for entry in [*kept, *load_balancers]}
    exemptions = page_data["exemptions"]
    return {
        **page_data,
        "part": {"by": by.value, "title": _display_title(page_data, by, title)},
        "coverage": {**coverage, "homes": kept, "loadBalancers": len(load_balancers)},
        "accounts": {account: name for account, name in page_data["accounts"].items() if account in accounts},
        "loadBalancers": load_balancers,
        "errors": [error for error in page_data["errors"] if is_of_part(error)],
        "gone": [entry for entry in page_data["gone"] if key(entry) == title],
        "exemptions": exemptions
        and {
            **exemptions,
            "entries": [
                entry
                for entry in exemptions["entries"]
                if entry["arn"] in arns or (by is not SplitBy.OWNER and key(entry) == title)
            ],
        },
        "lastRun": None if history is None else history.last_run,
        "trend": None if history is None else history.trend,
    }
