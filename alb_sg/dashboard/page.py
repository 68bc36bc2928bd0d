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
from alb_sg.dashboard.summary import ComplianceCounts, PageData, count_compliance, count_open_findings, worst_findings
from alb_sg.dashboard.text import replace_lone_surrogates
from alb_sg.report.phrasing import pluralize

MAX_FINDINGS = 50
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
MAX_LISTED_PLACES = 20


def render_page(page_data: PageData, text: str) -> str:
    """The HTML of a document, which `text` is as JSON."""
    style, script = _read_asset("page.css"), "".join(map(_read_asset, SCRIPTS))
    as_of = page_data["asOf"]
    html = Template(_read_asset("page.html")).substitute(
        policy=_content_security_policy(style, script),
        style=style,
        script=script,
        data=base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii"),
        as_of=f"{_format_time(as_of)} UTC",
        as_of_iso=as_of,
        coverage="".join(_coverage_section(page_data)),
        summary="".join(_summary_tiles(count_compliance(page_data), page_data)),
        worst="".join(_findings_table(page_data)),
        version=__version__,
    )
    return replace_lone_surrogates(html)


def _read_asset(name: str) -> str:
    return (files("alb_sg.dashboard") / "assets" / name).read_text(encoding="utf-8")


def _content_security_policy(style: str, script: str) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": _csp_hash(script),
        "style-src": _csp_hash(style),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _csp_hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def _format_time(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]}"


def _isolated_text(text: str) -> str:
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


def _coverage_section(document: PageData) -> Iterator[str]:
    coverage = document["coverage"]
    account_regions = coverage["homes"]
    silent = [account_region for account_region in account_regions if not account_region["heard"]]
    heard = [account_region for account_region in account_regions if account_region["heard"]]
    without = [account_region for account_region in heard if account_region["missingRules"]]
    gaps = [*coverage["gaps"], *_missing_verdicts(document)]
    yield '<dl class="tiles compact">'
    of = (
        f"of {len(account_regions):,} expected"
        if coverage["expectedKnown"]
        else f"of {len(account_regions):,} known of"
    )
    if not coverage["expectedKnown"] and not silent:
        of = "heard from; nobody says which to expect"
    partly = _count_partly_read(heard, document)
    if partly:
        of += f"; {partly:,} not read whole"
    yield _tile("doubt" if silent or partly or not heard else "good", "Accounts and regions", f"{len(heard):,}", of)
    accounts = {account_region["account"] for account_region in heard}
    yield _tile("", "Accounts", f"{len(accounts):,}", f"with {pluralize(coverage['loadBalancers'], 'load balancer')}")
    rules = coverage["rulesExpected"]
    if coverage["rulesDeployedKnown"]:
        whole = len(heard) - len(without)
        yield _tile(
            "doubt" if without else "good",
            "Rules deployed",
            f"{whole:,}",
            f"of {len(heard):,} have all {pluralize(len(rules), 'rule')}",
        )
    else:
        yield _tile("good", "Rules", f"{len(rules):,}", "judged for this page, without AWS Config")
    yield _oldest_evaluation_tile(coverage, heard)
    yield _tile(
        "doubt" if gaps else "good",
        "Other gaps",
        f"{len(gaps):,}",
        "named below" if gaps else "known of",
    )
    yield "</dl>"
    said = [*_list_accounts_and_regions("Not heard from, and shown as nothing", silent, document)]
    said += _list_accounts_and_regions("Without all rules", without, document)
    said += [f"Not looked at: {_isolated_text(gap)}" for gap in gaps[:MAX_LISTED_PLACES]]
    if len(gaps) > MAX_LISTED_PLACES:
        said.append(f"Not looked at: {len(gaps) - MAX_LISTED_PLACES:,} more, which the JSON has")
    if said:
        items = "".join(f'<li><span aria-hidden="true">{DIAMOND}</span> {one}</li>' for one in said)
        yield f'<ul class="gaps">{items}</ul>'


def _count_partly_read(heard: Iterable[Mapping[str, Any]], document: PageData) -> int:
    """How many accounts and regions may have load balancers that were not found; what failed and is of no account may
    be of any."""
    failed = {(one["account"], one["region"]) for one in document["errors"] if one["loadBalancer"] is None}
    return sum(
        ("", "") in failed or (account_region["account"], account_region["region"]) in failed
        for account_region in heard
    )


def _oldest_evaluation_tile(coverage: Mapping[str, Any], heard: Iterable[Mapping[str, Any]]) -> str:
    times = sorted(account_region["oldest"] for account_region in heard if account_region["oldest"] is not None)
    if times:
        return _tile("", "Oldest evaluation", times[0][:10], f"{times[0][11:16]} UTC")
    return _tile("", "Oldest evaluation", "not told" if coverage["rulesDeployedKnown"] else "now", "judged in this run")


def _missing_verdicts(document: PageData) -> Iterator[str]:
    without = document["coverage"]["loadBalancers"] - len(document["loadBalancers"])
    if without > 0:
        yield f"{pluralize(without, 'load balancer')} without any verdict."


def _list_accounts_and_regions(
    title: str, account_regions: list[Mapping[str, Any]], document: PageData
) -> Iterator[str]:
    """Accounts and regions that are not as they should be, one in an item."""
    for account_region in account_regions[:MAX_LISTED_PLACES]:
        known = document["accounts"].get(account_region["account"], {})
        label = f"{known['name']} ({account_region['account']})" if known.get("name") else account_region["account"]
        unit = f", {_isolated_text(known['unit'])}" if known.get("unit") else ""
        lacks = f": {', '.join(account_region['missingRules'])} missing" if account_region["heard"] else ""
        yield f"{escape(title)}: {_isolated_text(label)}{unit}, {escape(account_region['region'])}{escape(lacks)}"
    if len(account_regions) > MAX_LISTED_PLACES:
        yield f"{escape(title)}: {len(account_regions) - MAX_LISTED_PLACES:,} more, which the JSON has"


# --- how they stand


def _summary_tiles(found: ComplianceCounts, document: PageData) -> Iterator[str]:
    share = f"of {pluralize(found.total, 'load balancer')}" if found.total else "there is no load balancer"
    unknown = f"; of {found.unknown_scheme:,} more the scheme is not known" if found.unknown_scheme else ""
    last = document["lastRun"]
    since = f"since {_format_time(last)} UTC" if last else "no earlier run to compare with"
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
        f"{found.internet_facing:,}",
        f'of the non-compliant<span data-number="unknownScheme">{escape(unknown)}</span>',
        "facing",
    )
    yield _tile("", "Change", _signed(found.change), escape(since), "change")
    yield _tile("doubt", f"{DIAMOND} Not judged", f"{found.not_judged:,}", "in part or at all", "notJudged")
    yield _tile("exempt", "\N{BLACK SQUARE} Exempt", f"{found.exempt:,}", "from a rule or more, apart", "exempt")
    order = f'of <span data-number="total">{found.total:,}</span>'
    yield _tile("good", "\N{BLACK CIRCLE} In order", f"{found.compliant:,}", order, "inOrder")
    yield "</dl>"


def _signed(change: int | None) -> str:
    if change is None:
        return DASH
    if change == 0:
        return f"{PLUS_MINUS}0"
    return f"+{change:,}" if change > 0 else f"{MINUS}{-change:,}"


# --- the fifty worst


def _findings_table(document: PageData) -> Iterator[str]:
    every = count_open_findings(document)
    shown = worst_findings(document, MAX_FINDINGS)
    left_out = f"; the {len(shown)} worst are in this table" if every > len(shown) else ""
    yield f'<p class="note">{pluralize(every, "finding")}{left_out}.</p>'
    if not shown:
        return
    titles = {rule["name"]: rule["subject"] for rule in document["rules"]}
    yield '<div class="scroll" role="region" aria-label="Findings, the worst first" tabindex="0"><table>'
    yield "<caption>Findings, the worst first</caption><thead><tr>"
    yield "".join(f'<th scope="col">{title}</th>' for title in ("Status", "Load balancer", "Account", "What is wrong"))
    yield "</tr></thead><tbody>"
    for one, verdict in shown:
        yield _finding_row(one, verdict, titles, document["accounts"].get(one["account"], {}))
    yield "</tbody></table></div>"


def _finding_row(
    one: Mapping[str, Any], verdict: Mapping[str, Any], titles: Mapping[str, str], account: Mapping[str, Any]
) -> str:
    shape, word = (UP, "non-compliant") if verdict["status"] == "nonCompliant" else (DIAMOND, "not judged")
    scheme = "scheme not known" if one["scheme"] == "unknown" else one["scheme"]
    unit = f" {_isolated_text(account['unit'])}" if account.get("unit") else ""
    return (
        f'<tr><td><span class="status {verdict["status"]}"><span aria-hidden="true">{shape}</span> {word}</span></td>'
        f'<th scope="row">{_isolated_text(one["name"])}<span class="aside">{escape(scheme)}, '
        f"{escape(one['region'])}</span></th>"
        f"<td>{_isolated_text(account.get('name') or one['account'])}"
        f'<span class="aside">{one["account"]}{unit}</span></td>'
        f'<td class="text"><span class="aside">{escape(titles.get(verdict["rule"], verdict["rule"] or ""))}</span>'
        f"{_isolated_text(verdict['annotation'])}</td></tr>"
    )
