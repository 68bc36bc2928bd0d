"""The page: one self-contained HTML file, which opens from a disk or a bucket.

Its content security policy allows its own script and style, by hash, and nothing else. The data is compressed and
encoded, so that no name in it can end a script. The markup has the summary and the worst findings, for readers without
JavaScript.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from alb_sg import __version__
from alb_sg.dashboard.history import replace_lone_surrogates
from alb_sg.dashboard.summary import (
    ComplianceCounts,
    PageData,
    count_compliance,
    count_open_findings,
    count_without_verdict,
    is_compliance_known,
    worst_findings,
)
from alb_sg.findings.phrasing import pluralize

MAX_FINDINGS = 50
SCRIPTS = (
    "elements.js",
    "data.js",
    "filters.js",
    "tables.js",
    "counts.js",
    "matrix.js",
    "findings.js",
    "causes.js",
    "changes.js",
    "exemptions.js",
    "diagram.js",
    "detail.js",
    "export.js",
    "page.js",
)
MINUS, PLUS_MINUS, DASH = "\N{MINUS SIGN}", "\N{PLUS-MINUS SIGN}", "\N{EN DASH}"
UP, DIAMOND = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DIAMOND}"
SQUARE, CIRCLE = "\N{BLACK SQUARE}", "\N{BLACK CIRCLE}"
# The coverage section lists so many gaps of a kind, and counts the rest.
MAX_LISTED_GAPS = 20


def render_page(page_data: PageData, text: str) -> str:
    """The HTML of the page's data; `text` is the same data as JSON."""
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
    """A name or text from the data, isolated so that its writing direction does not change that of the page."""
    return f"<bdi>{escape(text)}</bdi>"


def _tile(kind: str, title: str, number: str, note: str, key: str = "") -> str:
    kind = f"{kind} zero" if number == "0" and key else kind
    attribute = f' data-number="{key}"' if key else ""
    return (
        f'<div class="tile {kind}"><dt>{escape(title)}</dt><dd><span class="number"{attribute}>{escape(number)}</span> '
        f'<span class="of">{note}</span></dd></div>'
    )


# --- coverage


def _coverage_section(page_data: PageData) -> Iterator[str]:
    coverage = page_data["coverage"]
    account_regions = coverage["homes"]
    unobserved = [account_region for account_region in account_regions if not account_region["heard"]]
    observed = [account_region for account_region in account_regions if account_region["heard"]]
    without_rules = [account_region for account_region in observed if account_region["missingRules"]]
    gaps = [*coverage["gaps"], *_missing_verdicts(page_data)]
    yield '<dl class="tiles compact">'
    yield _account_regions_tile(page_data, len(account_regions), observed, unobserved)
    accounts = {account_region["account"] for account_region in observed}
    yield _tile("", "Accounts", f"{len(accounts):,}", f"with {pluralize(coverage['loadBalancers'], 'load balancer')}")
    rules = coverage["rulesExpected"]
    if coverage["rulesDeployedKnown"]:
        yield _tile(
            "good" if observed and not without_rules else "warning",
            "Rules deployed",
            f"{len(observed) - len(without_rules):,}",
            f"of {len(observed):,} have all {pluralize(len(rules), 'rule')}"
            if observed
            else "no account and region has data",
        )
    else:
        yield _tile("good", "Rules", f"{len(rules):,}", "evaluated for this page, without AWS Config")
    yield _oldest_evaluation_tile(coverage, observed)
    yield _tile("warning" if gaps else "good", "Other gaps", f"{len(gaps):,}", "listed below" if gaps else "known")
    yield "</dl>"
    items = [
        *_list_accounts_and_regions("No data, and not counted", unobserved, page_data),
        *_list_accounts_and_regions("Not all rules deployed", without_rules, page_data),
        *(f"Not covered: {_isolated_text(gap)}" for gap in gaps[:MAX_LISTED_GAPS]),
    ]
    if len(gaps) > MAX_LISTED_GAPS:
        items.append(f"Not covered: {len(gaps) - MAX_LISTED_GAPS:,} more, listed in the JSON")
    if items:
        rows = "".join(f'<li><span aria-hidden="true">{DIAMOND}</span> {item}</li>' for item in items)
        yield f'<ul class="gaps">{rows}</ul>'


def _account_regions_tile(
    page_data: PageData,
    total: int,
    observed: Sequence[Mapping[str, Any]],
    unobserved: Sequence[Mapping[str, Any]],
) -> str:
    if page_data["coverage"]["expectedKnown"]:
        note = f"of {total:,} expected"
    elif unobserved:
        note = f"of {total:,} known"
    else:
        note = "with data; the expected number is unknown"
    partly_read = _count_partly_read(observed, page_data)
    if partly_read:
        note += f"; {partly_read:,} partly read"
    kind = "warning" if unobserved or partly_read or not observed else "good"
    return _tile(kind, "Accounts and regions", f"{len(observed):,}", note)


def _count_partly_read(account_regions: Iterable[Mapping[str, Any]], page_data: PageData) -> int:
    """How many accounts and regions may have load balancers that were not found. An error that names no account may
    concern any."""
    failed = {(error["account"], error["region"]) for error in page_data["errors"] if error["loadBalancer"] is None}
    return sum(
        ("", "") in failed or (account_region["account"], account_region["region"]) in failed
        for account_region in account_regions
    )


def _oldest_evaluation_tile(coverage: Mapping[str, Any], observed: Iterable[Mapping[str, Any]]) -> str:
    times = sorted(account_region["oldest"] for account_region in observed if account_region["oldest"] is not None)
    if times:
        return _tile("", "Oldest evaluation", times[0][:10], f"{times[0][11:16]} UTC")
    if coverage["rulesDeployedKnown"]:
        return _tile("", "Oldest evaluation", "unknown", "")
    return _tile("", "Oldest evaluation", "now", "evaluated in this run")


def _missing_verdicts(page_data: PageData) -> Iterator[str]:
    without = count_without_verdict(page_data)
    if without:
        yield f"{pluralize(without, 'load balancer')} without any verdict."


def _list_accounts_and_regions(
    title: str, account_regions: Sequence[Mapping[str, Any]], page_data: PageData
) -> Iterator[str]:
    for account_region in account_regions[:MAX_LISTED_GAPS]:
        account = page_data["accounts"].get(account_region["account"], {})
        label = f"{account['name']} ({account_region['account']})" if account.get("name") else account_region["account"]
        unit = f", {_isolated_text(account['unit'])}" if account.get("unit") else ""
        missing = f": {', '.join(account_region['missingRules'])} missing" if account_region["heard"] else ""
        yield f"{escape(title)}: {_isolated_text(label)}{unit}, {escape(account_region['region'])}{escape(missing)}"
    if len(account_regions) > MAX_LISTED_GAPS:
        yield f"{escape(title)}: {len(account_regions) - MAX_LISTED_GAPS:,} more, listed in the JSON"


# --- compliance


def _summary_tiles(counts: ComplianceCounts, page_data: PageData) -> Iterator[str]:
    share = _share(counts, page_data)
    # Zero would be a claim about load balancers that the page knows nothing of.
    known = is_compliance_known(page_data)
    kind = "bad" if known else "warning"
    unknown = f"; the scheme of {counts.unknown_scheme:,} more is unknown" if counts.unknown_scheme else ""
    last_run = page_data["lastRun"]
    since = f"since {_format_time(last_run)} UTC" if last_run else "no earlier run to compare with"
    yield '<dl class="tiles">'
    yield _tile(
        kind,
        f"{UP} Non-compliant",
        f"{counts.non_compliant:,}" if known else DASH,
        f'<span data-number="share">{escape(share)}</span>',
        "nonCompliant",
    )
    yield _tile(
        kind,
        f"{UP} Internet-facing",
        f"{counts.internet_facing:,}" if known else DASH,
        f'of the non-compliant<span data-number="unknownScheme">{escape(unknown)}</span>',
        "internetFacing",
    )
    yield _tile("", "Change", _signed(counts.change), escape(since), "change")
    yield _tile("warning", f"{DIAMOND} Not judged", f"{counts.not_judged:,}", "partly or completely", "notJudged")
    yield _tile("exempt", f"{SQUARE} Exempt", f"{counts.exempt:,}", "from at least one rule", "exempt")
    total = f'of <span data-number="total">{counts.total:,}</span>'
    yield _tile("good", f"{CIRCLE} Compliant", f"{counts.compliant:,}", total, "compliant")
    yield "</dl>"


def _share(counts: ComplianceCounts, page_data: PageData) -> str:
    """The load balancers that the numbers are of, and those that they are not of."""
    without = count_without_verdict(page_data)
    if not counts.total:
        if without:
            return f"no verdict on any of {pluralize(without, 'load balancer')}"
        return "there is no load balancer" if is_compliance_known(page_data) else "nothing could be read"
    share = f"of {pluralize(counts.total, 'load balancer')}"
    return f"{share}; {without:,} more without a verdict" if without else share


def _signed(change: int | None) -> str:
    if change is None:
        return DASH
    if change == 0:
        return f"{PLUS_MINUS}0"
    return f"+{change:,}" if change > 0 else f"{MINUS}{-change:,}"


# --- the worst findings


def _findings_table(page_data: PageData) -> Iterator[str]:
    total = count_open_findings(page_data)
    findings = worst_findings(page_data, MAX_FINDINGS)
    omitted = f"; the {len(findings)} worst are in this table" if total > len(findings) else ""
    yield f'<p class="note">{pluralize(total, "finding")}{omitted}.</p>'
    if not findings:
        return
    rules = {rule["name"]: rule for rule in page_data["rules"]}
    yield '<div class="scroll" role="region" aria-label="Findings, the worst first" tabindex="0"><table>'
    yield "<caption>Findings, the worst first</caption><thead><tr>"
    yield "".join(f'<th scope="col">{title}</th>' for title in ("Status", "Load balancer", "Account", "What is wrong"))
    yield "</tr></thead><tbody>"
    for load_balancer, verdict in findings:
        yield _finding_row(load_balancer, verdict, rules, page_data["accounts"].get(load_balancer["account"], {}))
    yield "</tbody></table></div>"


def _finding_row(
    load_balancer: Mapping[str, Any],
    verdict: Mapping[str, Any],
    rules: Mapping[str, Mapping[str, Any]],
    account: Mapping[str, Any],
) -> str:
    shape, label = (UP, "non-compliant") if verdict["status"] == "nonCompliant" else (DIAMOND, "not judged")
    rule = rules.get(verdict["rule"], {"subject": verdict["rule"] or "", "severityLabel": "HIGH"})
    severity = f'<span class="aside">{rule["severityLabel"]}</span>' if verdict["status"] == "nonCompliant" else ""
    scheme = "scheme unknown" if load_balancer["scheme"] == "unknown" else load_balancer["scheme"]
    unit = f" {_isolated_text(account['unit'])}" if account.get("unit") else ""
    return (
        f'<tr><td><span class="status {verdict["status"]}"><span aria-hidden="true">{shape}</span> {label}</span>'
        f"{severity}</td>"
        f'<th scope="row">{_isolated_text(load_balancer["name"])}<span class="aside">{escape(scheme)}, '
        f"{escape(load_balancer['region'])}</span></th>"
        f"<td>{_isolated_text(account.get('name') or load_balancer['account'])}"
        f'<span class="aside">{load_balancer["account"]}{unit}</span></td>'
        f'<td class="text"><span class="aside">{escape(rule["subject"])}</span>'
        f"{_isolated_text(verdict['annotation'])}</td></tr>"
    )
