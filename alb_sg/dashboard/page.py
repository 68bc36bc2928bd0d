"""The page: one HTML file that needs nothing else, opened from a disk or a bucket.

Its content security policy lets run and apply what it holds itself, by hash, and nothing more; the data is compressed
and encoded, so that no name in it can end a script. What stands in the markup is what is read without JavaScript.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from alb_sg import __version__
from alb_sg.dashboard.summary import Document, Standing, count_to_do, standing, worst
from alb_sg.dashboard.text import encodable
from alb_sg.report.words import counted

WORST = 50
SCRIPTS = (
    "elements.js",
    "data.js",
    "filters.js",
    "tables.js",
    "widgets.js",
    "picture.js",
    "detail.js",
    "export.js",
    "page.js",
)
MINUS, PLUS_MINUS, DASH = "\N{MINUS SIGN}", "\N{PLUS-MINUS SIGN}", "\N{EN DASH}"
UP, DIAMOND = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DIAMOND}"
# Beyond so many, places that are not as they should be are counted; filters and the JSON have all.
MOST_PLACES = 20


def page(document: Document, text: str) -> str:
    """The HTML of a document, which `text` is as JSON."""
    style, script = _asset("page.css"), "".join(map(_asset, SCRIPTS))
    as_of = document["asOf"]
    html = Template(_asset("page.html")).substitute(
        policy=_policy(style, script),
        style=style,
        script=script,
        data=base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii"),
        as_of=f"{_time(as_of)} UTC",
        as_of_iso=as_of,
        coverage="".join(_coverage(document)),
        summary="".join(_summary(standing(document), document)),
        worst="".join(_worst(document)),
        version=__version__,
    )
    return encodable(html)


def _asset(name: str) -> str:
    return (files("alb_sg.dashboard") / "assets" / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def _time(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]}"


def _name(text: str) -> str:
    """A text that somebody else wrote, kept from turning the text around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _tile(kind: str, title: str, number: str, of: str, key: str = "") -> str:
    kind = f"{kind} zero" if number == "0" and key else kind
    attribute = f' data-number="{key}"' if key else ""
    return (
        f'<div class="tile {kind}"><dt>{escape(title)}</dt><dd><span class="number"{attribute}>{escape(number)}</span> '
        f'<span class="of">{of}</span></dd></div>'
    )


# --- what was looked at


def _coverage(document: Document) -> Iterator[str]:
    coverage = document["coverage"]
    homes = coverage["homes"]
    silent = [home for home in homes if not home["heard"]]
    heard = [home for home in homes if home["heard"]]
    without = [home for home in heard if home["missingRules"]]
    gaps = [*coverage["gaps"], *_unjudged(document)]
    yield '<dl class="tiles compact">'
    of = f"of {len(homes):,} expected" if coverage["expectedKnown"] else f"of {len(homes):,} known of"
    if not coverage["expectedKnown"] and not silent:
        of = "heard from; nobody says which to expect"
    partly = _partly_read(heard, document)
    if partly:
        of += f"; {partly:,} not read whole"
    yield _tile("doubt" if silent or partly or not heard else "good", "Accounts and regions", f"{len(heard):,}", of)
    accounts = {home["account"] for home in heard}
    yield _tile("", "Accounts", f"{len(accounts):,}", f"with {counted(coverage['loadBalancers'], 'load balancer')}")
    rules = coverage["rulesExpected"]
    if coverage["rulesDeployedKnown"]:
        whole = len(heard) - len(without)
        yield _tile(
            "doubt" if without else "good",
            "Rules deployed",
            f"{whole:,}",
            f"of {len(heard):,} have all {counted(len(rules), 'rule')}",
        )
    else:
        yield _tile("good", "Rules", f"{len(rules):,}", "judged for this page, without AWS Config")
    yield _oldest(coverage, heard)
    yield _tile(
        "doubt" if gaps else "good",
        "Other gaps",
        f"{len(gaps):,}",
        "named below" if gaps else "known of",
    )
    yield "</dl>"
    said = [*_places("Not heard from, and shown as nothing", silent, document)]
    said += _places("Without all rules", without, document)
    said += [f"Not looked at: {_name(gap)}" for gap in gaps[:MOST_PLACES]]
    if len(gaps) > MOST_PLACES:
        said.append(f"Not looked at: {len(gaps) - MOST_PLACES:,} more, which the JSON has")
    if said:
        items = "".join(f'<li><span aria-hidden="true">{DIAMOND}</span> {one}</li>' for one in said)
        yield f'<ul class="gaps">{items}</ul>'


def _partly_read(heard: Iterable[Mapping[str, Any]], document: Document) -> int:
    """How many accounts and regions may have load balancers that were not found; what failed and is of no account may
    be of any."""
    failed = {(one["account"], one["region"]) for one in document["errors"] if one["loadBalancer"] is None}
    return sum(("", "") in failed or (home["account"], home["region"]) in failed for home in heard)


def _oldest(coverage: Mapping[str, Any], heard: Iterable[Mapping[str, Any]]) -> str:
    times = sorted(home["oldest"] for home in heard if home["oldest"] is not None)
    if times:
        return _tile("", "Oldest evaluation", times[0][:10], f"{times[0][11:16]} UTC")
    return _tile("", "Oldest evaluation", "not told" if coverage["rulesDeployedKnown"] else "now", "judged in this run")


def _unjudged(document: Document) -> Iterator[str]:
    without = document["coverage"]["loadBalancers"] - len(document["loadBalancers"])
    if without > 0:
        yield f"{counted(without, 'load balancer')} without any verdict."


def _places(title: str, homes: list[Mapping[str, Any]], document: Document) -> Iterator[str]:
    """Accounts and regions that are not as they should be, one in an item."""
    for home in homes[:MOST_PLACES]:
        known = document["accounts"].get(home["account"], {})
        label = f"{known['name']} ({home['account']})" if known.get("name") else home["account"]
        unit = f", {_name(known['unit'])}" if known.get("unit") else ""
        lacks = f": {', '.join(home['missingRules'])} missing" if home["heard"] else ""
        yield f"{escape(title)}: {_name(label)}{unit}, {escape(home['region'])}{escape(lacks)}"
    if len(homes) > MOST_PLACES:
        yield f"{escape(title)}: {len(homes) - MOST_PLACES:,} more, which the JSON has"


# --- how they stand


def _summary(found: Standing, document: Document) -> Iterator[str]:
    share = f"of {counted(found.total, 'load balancer')}" if found.total else "there is no load balancer"
    unknown = f"; of {found.unknown_scheme:,} more the scheme is not known" if found.unknown_scheme else ""
    last = document["lastRun"]
    since = f"since {_time(last)} UTC" if last else "no earlier run to compare with"
    yield '<dl class="tiles">'
    yield _tile(
        "bad",
        f"{UP} Non-compliant",
        f"{found.non_compliant:,}",
        f'<span data-number="share">{escape(share)}</span>',
        "nonCompliant",
    )
    yield _tile(
        "bad",
        f"{UP} Facing the internet",
        f"{found.facing:,}",
        f'of the non-compliant<span data-number="unknownScheme">{escape(unknown)}</span>',
        "facing",
    )
    yield _tile("", "Change", _signed(found.change), escape(since), "change")
    yield _tile("doubt", f"{DIAMOND} Not judged", f"{found.not_judged:,}", "in part or at all", "notJudged")
    yield _tile("exempt", "\N{BLACK SQUARE} Exempt", f"{found.exempt:,}", "from a rule or more, apart", "exempt")
    order = f'of <span data-number="total">{found.total:,}</span>'
    yield _tile("good", "\N{BLACK CIRCLE} In order", f"{found.in_order:,}", order, "inOrder")
    yield "</dl>"


def _signed(change: int | None) -> str:
    if change is None:
        return DASH
    if change == 0:
        return f"{PLUS_MINUS}0"
    return f"+{change:,}" if change > 0 else f"{MINUS}{-change:,}"


# --- the fifty worst


def _worst(document: Document) -> Iterator[str]:
    every = count_to_do(document)
    shown = worst(document, WORST)
    left_out = f"; the {len(shown)} worst are in this table" if every > len(shown) else ""
    yield f'<p class="note">{counted(every, "finding")}{left_out}.</p>'
    if not shown:
        return
    titles = {rule["name"]: rule["subject"] for rule in document["rules"]}
    yield '<div class="scroll" role="region" aria-label="Findings, the worst first" tabindex="0"><table>'
    yield "<caption>Findings, the worst first</caption><thead><tr>"
    yield "".join(f'<th scope="col">{title}</th>' for title in ("Status", "Load balancer", "Account", "What is wrong"))
    yield "</tr></thead><tbody>"
    for one, verdict in shown:
        yield _row(one, verdict, titles, document["accounts"].get(one["account"], {}))
    yield "</tbody></table></div>"


def _row(
    one: Mapping[str, Any], verdict: Mapping[str, Any], titles: Mapping[str, str], account: Mapping[str, Any]
) -> str:
    shape, word = (UP, "non-compliant") if verdict["status"] == "nonCompliant" else (DIAMOND, "not judged")
    scheme = "scheme not known" if one["scheme"] == "unknown" else one["scheme"]
    unit = f" {_name(account['unit'])}" if account.get("unit") else ""
    return (
        f'<tr><td><span class="status {verdict["status"]}"><span aria-hidden="true">{shape}</span> {word}</span></td>'
        f'<th scope="row">{_name(one["name"])}<span class="aside">{escape(scheme)}, {escape(one["region"])}</span></th>'
        f"<td>{_name(account.get('name') or one['account'])}"
        f'<span class="aside">{one["account"]}{unit}</span></td>'
        f'<td class="text"><span class="aside">{escape(titles.get(verdict["rule"], verdict["rule"] or ""))}</span>'
        f"{_name(verdict['annotation'])}</td></tr>"
    )
