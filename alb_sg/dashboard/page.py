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
    count_without_verdict,
    is_compliance_known,
    open_findings,
)
from alb_sg.findings.phrasing import pluralize
from alb_sg.observations.filter_patterns import ROOT_UNIT

MAX_FINDINGS = 50
SCRIPTS = (
    "elements.js",
    "data.js",
    "filters.js",
    "tables.js",
    "counts.js",
    "first_changes.js",
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
SQUARE, CIRCLE, RING = "\N{BLACK SQUARE}", "\N{BLACK CIRCLE}", "\N{WHITE CIRCLE}"
# More sources than these are folded.
MAX_LISTED_SOURCES = 20
# The coverage section lists so many gaps of a kind, and counts the rest.
MAX_LISTED_GAPS = 20
VERDICT_SOURCES = {
    "judged": "judged by alb-sg when this page was made",
    "recorded": "as AWS Config has recorded them",
}


def render_page(page_data: PageData, text: str) -> str:
    """The HTML of the page's data; `text` is the same data as JSON."""
    style, script = read_asset("page.css"), "".join(map(read_asset, SCRIPTS))
    as_of = page_data["asOf"]
    html = Template(read_asset("page.html")).substitute(
        policy=content_security_policy(style, script),
        style=style,
        script=script,
        data=base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii"),
        as_of=f"{format_time(as_of)} UTC",
        as_of_iso=as_of,
        coverage="".join(_coverage(page_data)),
        summary="".join(_summary(count_compliance(page_data), page_data)),
        worst="".join(_findings_table(page_data)),
        about=_about(page_data),
        audit="".join(_audit(page_data)),
        version=__version__,
    )
    return replace_lone_surrogates(html)


def read_asset(name: str) -> str:
    return (files("alb_sg.dashboard") / "assets" / name).read_text(encoding="utf-8")


def content_security_policy(style: str, script: str) -> str:
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


def format_time(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]}"


def _about(page_data: PageData) -> str:
    """Whose verdicts the page shows, and of what it is, where that is not all load balancers."""
    part = page_data["part"]
    recorded = " Verdicts are as AWS Config has recorded them." if page_data["audit"]["verdicts"] == "recorded" else ""
    return (
        recorded
        if part is None
        else recorded + f" Only the load balancers of {part['by']} {isolated_text(part['title'])}."
    )


def isolated_text(text: str) -> str:
    """A name or text from the data, isolated so that its writing direction does not change that of the page."""
    return f"<bdi>{escape(text)}</bdi>"


def _coverage(page_data: PageData) -> Iterator[str]:
    """One line that unfolds to everything that is not covered."""
    coverage = page_data["coverage"]
    account_regions = coverage["homes"]
    unobserved = [account_region for account_region in account_regions if not account_region["heard"]]
    observed = [account_region for account_region in account_regions if account_region["heard"]]
    without_rules = [account_region for account_region in observed if account_region["missingRules"]]
    gaps = list(coverage["gaps"])
    if without_verdict := count_without_verdict(page_data):
        gaps.append(f"{pluralize(without_verdict, 'load balancer')} without any verdict.")
    items = [
        *_list_accounts_and_regions("No data, and not counted", unobserved, page_data),
        *_list_accounts_and_regions("Not all rules deployed", without_rules, page_data),
        *(f"Not covered: {isolated_text(gap)}" for gap in gaps[:MAX_LISTED_GAPS]),
    ]
    if len(gaps) > MAX_LISTED_GAPS:
        items.append(f"Not covered: {len(gaps) - MAX_LISTED_GAPS:,} more, listed in the JSON")
    parts = [_observed_part(page_data, len(account_regions), observed, unobserved)]
    partly_read = _count_partly_read(observed, page_data)
    if partly_read:
        parts.append(f"{partly_read:,} partly read")
    if without_rules:
        parts.append(f"{len(without_rules):,} without all {pluralize(len(coverage['rulesExpected']), 'rule')}")
    if gaps:
        parts.append(f"{pluralize(len(gaps), 'other gap')}")
    parts.append(_oldest_evaluation_part(coverage, observed))
    kind, shape = (
        ("warning", DIAMOND) if unobserved or without_rules or gaps or partly_read or not observed else ("good", CIRCLE)
    )
    yield f'<summary><span class="{kind}" aria-hidden="true">{shape}</span> Coverage: {"; ".join(parts)}</summary>'
    rows = "".join(f"<li>{item}</li>" for item in items or ["Everything that is known of was read."])
    yield f'<ul class="gaps">{rows}</ul>'


def _observed_part(
    page_data: PageData,
    total: int,
    observed: Sequence[Mapping[str, Any]],
    unobserved: Sequence[Mapping[str, Any]],
) -> str:
    accounts = len({account_region["account"] for account_region in observed})
    of_accounts = f"of {pluralize(accounts, 'account')}"
    if not observed:
        return f"no account and region has data, of {total:,} known" if total else "no account and region has data"
    if page_data["coverage"]["expectedKnown"]:
        return f"{len(observed):,} of {total:,} expected accounts and regions {of_accounts}"
    if unobserved:
        return f"{len(observed):,} of {total:,} known accounts and regions {of_accounts}"
    regions = "account and region" if len(observed) == 1 else "accounts and regions"
    return f"{len(observed):,} {regions}; the expected number is unknown"


def _count_partly_read(account_regions: Iterable[Mapping[str, Any]], page_data: PageData) -> int:
    """How many accounts and regions may have load balancers that were not found. An error that names no account may
    concern any."""
    failed = {(error["account"], error["region"]) for error in page_data["errors"] if error["loadBalancer"] is None}
    return sum(
        ("", "") in failed or (account_region["account"], account_region["region"]) in failed
        for account_region in account_regions
    )


def _oldest_evaluation_part(coverage: Mapping[str, Any], observed: Iterable[Mapping[str, Any]]) -> str:
    times = sorted(account_region["oldest"] for account_region in observed if account_region["oldest"] is not None)
    if times:
        return f"oldest evaluation {format_time(times[0])} UTC"
    if coverage["rulesDeployedKnown"]:
        return "time of the evaluations unknown"
    return "evaluated in this run"


def _list_accounts_and_regions(
    title: str, account_regions: Sequence[Mapping[str, Any]], page_data: PageData
) -> Iterator[str]:
    for account_region in account_regions[:MAX_LISTED_GAPS]:
        account = page_data["accounts"].get(account_region["account"], {})
        label = f"{account['name']} ({account_region['account']})" if account.get("name") else account_region["account"]
        unit = f", {isolated_text(account['unit'])}" if account.get("unit") else ""
        missing = f": {', '.join(account_region['missingRules'])} missing" if account_region["heard"] else ""
        yield f"{escape(title)}: {isolated_text(label)}{unit}, {escape(account_region['region'])}{escape(missing)}"
    if len(account_regions) > MAX_LISTED_GAPS:
        yield f"{escape(title)}: {len(account_regions) - MAX_LISTED_GAPS:,} more, listed in the JSON"


def _summary(counts: ComplianceCounts, page_data: PageData) -> Iterator[str]:
    """The sentence, and every other number once. The page's script makes the numbers links to their findings."""
    last_run = page_data["lastRun"]
    percent = counts.compliant_percent
    share = DASH if percent is None else f"{percent} %"
    # Zero would be a claim about load balancers that the page knows nothing of.
    known = is_compliance_known(page_data)
    without = count_without_verdict(page_data)
    more = f" Without a verdict: {without:,} more." if without else "" if known else " Nothing could be read."
    first_seen = f"; {counts.first_seen:,} more first seen" if counts.first_seen else ""
    since = (
        f'<strong data-number="change">{_signed(counts.change)}</strong> since {format_time(last_run)} UTC'
        f'<span data-number="firstSeen">{first_seen}</span>'
        if last_run
        else '<span data-number="change"></span><span data-number="firstSeen"></span>no earlier run to compare with'
    )
    unknown = f" (the scheme of {counts.unknown_scheme:,} more is unknown)" if counts.unknown_scheme else ""
    if_any = _hidden(unless=counts.non_compliant)
    unjudged = "No load balancer was judged" if counts.not_judged or not known else "No load balancers"
    yield (
        f'<div class="headline"><p class="sentence"><span data-when="judged"{_hidden(unless=counts.judged)}>'
        f'<strong data-number="percent">{share}</strong> of {_number("judged", counts.judged)} judged '
        f"{_verb('judged', counts.judged, 'load balancer is', 'load balancers are')} compliant, and "
        f'<span class="bad" aria-hidden="true" data-when="nonCompliant"{if_any}>{UP}\N{NO-BREAK SPACE}</span>'
        f"{_number('nonCompliant', counts.non_compliant if known else None)} "
        f"{_verb('nonCompliant', counts.non_compliant, 'is non-compliant', 'are non-compliant')} "
        f'<span class="of">({since})</span><span data-when="nonCompliant"{if_any}>: '
        f"{_number('internetFacing', counts.internet_facing if known else None)} of these "
        f"{_verb('internetFacing', counts.internet_facing, 'faces', 'face')} the internet"
        f'<span data-number="unknownScheme">{unknown}</span>, and '
        f"{_number('unreachable', counts.unreachable if known else None)} of those "
        f"{_verb('unreachable', counts.unreachable, 'is', 'are')} unreachable</span>.</span>"
        f'<span data-when="unjudged"{_hidden(unless=not counts.judged)}>{unjudged}.</span>{more}</p>'
        '<div id="sparkline"></div></div>'
    )
    yield '<dl class="counts">'
    yield _count("good", f"{CIRCLE} Compliant", "compliant", counts.compliant, "")
    yield _count("exempt", f"{SQUARE} Exempt", "exempt", counts.exempt, "from at least one rule")
    yield _count("warning", f"{DIAMOND} Not judged", "notJudged", counts.not_judged, "partly or completely")
    yield _count("", f"{RING} Not applicable", "notApplicable", counts.not_applicable, "no rule applies; in no total")
    yield "</dl>"


def _number(key: str, number: int | None) -> str:
    return f'<a class="count" data-number="{key}">{DASH if number is None else f"{number:,}"}</a>'


def _hidden(*, unless: int) -> str:
    return "" if unless else " hidden"


def _verb(key: str, number: int, one: str, many: str) -> str:
    """Words that agree with a number. The page's script keeps them so."""
    return f'<span data-verb="{key}" data-one="{one}" data-many="{many}">{one if number == 1 else many}</span>'


def _count(kind: str, title: str, key: str, number: int, note: str) -> str:
    aside = f' <span class="of">{note}</span>' if note else ""
    return f'<div class="{kind}"><dt>{title}</dt><dd>{_number(key, number)}{aside}</dd></div>'


def _signed(change: int | None) -> str:
    if change is None:
        return DASH
    if change == 0:
        return f"{PLUS_MINUS}0"
    return f"+{change:,}" if change > 0 else f"{MINUS}{-change:,}"


def _audit(page_data: PageData) -> Iterator[str]:
    """The sources of the page, and the exemptions: for the record, on paper too."""
    audit = page_data["audit"]
    account_regions = [one for one in page_data["coverage"]["homes"] if one["heard"]]
    parameters = "; ".join(f"{key}={value}" for key, value in audit["parameters"].items())
    accounts, regions = ({one[key] for one in account_regions} for key in ("account", "region"))
    scope = (
        f"{pluralize(len(page_data['loadBalancers']), 'load balancer')} with verdicts, in "
        f"{pluralize(len(accounts), 'account')} and {pluralize(len(regions), 'region')}"
    )
    facts = [
        ("Scope", scope),
        ("Verdicts", VERDICT_SOURCES[audit["verdicts"]]),
        ("Rules", ", ".join(rule["name"] for rule in page_data["rules"])),
        ("Rule parameters", parameters or "none given: the rules' own defaults"),
        ("Version", f"alb-sg {audit['version']}"),
    ]
    yield '<dl class="facts">'
    yield from (f"<div><dt>{title}</dt><dd>{isolated_text(text)}</dd></div>" for title, text in facts)
    yield "</dl>"
    if audit["sources"]:
        sources = [(one["kind"], one["name"], one["sha256"] or DASH) for one in audit["sources"]]
        table = _static_table("Sources", ("Source", "Name", "SHA-256"), sources)
        # Unfolded on paper, as all is.
        fold = f"<details><summary>{len(sources):,} sources and their hashes</summary>{table}</details>"
        yield table if len(sources) <= MAX_LISTED_SOURCES else fold
    exemptions = page_data["exemptions"]
    if exemptions is not None:
        problems = [*exemptions["malformed"], *exemptions["errors"]]
        # With JavaScript, the section of exemptions says so.
        alarms = "".join(f'<p class="alarm">Has no effect: {isolated_text(text)}</p>' for text in problems)
        yield f"<noscript>{alarms}</noscript>" if alarms else ""
    in_force = [] if exemptions is None else [one for one in exemptions["entries"] if one["status"] != "expired"]
    if in_force:
        rows = [
            (
                one["name"],
                one["account"],
                one["region"],
                one["rule"],
                one["expires"],
                f"{one['owner']} ({one['ticket']})",
            )
            for one in sorted(in_force, key=lambda one: (one["expires"], one["arn"], one["rule"]))
        ]
        heads = ("Load balancer", "Account", "Region", "Exempt from", "Until", "Owner and ticket")
        yield _static_table("Exemptions in force", heads, rows)
    else:
        yield "<p>No exemption is in force.</p>"


def _static_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in heads)
    body = "".join(_static_row(heads, row) for row in rows)
    return (
        f'<div class="scroll" role="region" aria-label="{caption}" tabindex="0"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _static_row(heads: Sequence[str], row: Sequence[str]) -> str:
    first, *rest = row
    cells = "".join(
        f'<td data-label="{head}">{isolated_text(text)}</td>' for head, text in zip(heads[1:], rest, strict=True)
    )
    return f'<tr><th scope="row">{isolated_text(first)}</th>{cells}</tr>'


def _findings_table(page_data: PageData) -> Iterator[str]:
    findings = open_findings(page_data)
    omitted = f"; the {MAX_FINDINGS} worst are in this table" if len(findings) > MAX_FINDINGS else ""
    yield f'<p class="note">{pluralize(len(findings), "finding")}{omitted}.</p>'
    if not findings:
        return
    rules = {rule["name"]: rule for rule in page_data["rules"]}
    yield '<div class="scroll" role="region" aria-label="Findings, the worst first" tabindex="0"><table>'
    yield "<caption>Findings, the worst first</caption><thead><tr>"
    yield "".join(f'<th scope="col">{title}</th>' for title in ("Status", "Load balancer", "Account", "What is wrong"))
    yield "</tr></thead><tbody>"
    for load_balancer, verdict in findings[:MAX_FINDINGS]:
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
    unit = "" if account.get("unit") is None else f" {isolated_text(account['unit'] or ROOT_UNIT)}"
    return (
        f'<tr><td><span class="status {verdict["status"]}"><span aria-hidden="true">{shape}</span> {label}</span>'
        f"{severity}</td>"
        f'<th scope="row">{isolated_text(load_balancer["name"])}<span class="aside">{escape(scheme)}, '
        f"{escape(load_balancer['region'])}</span></th>"
        f"<td>{isolated_text(account.get('name') or load_balancer['account'])}"
        f'<span class="aside">{isolated_text(load_balancer["account"])}{unit}</span></td>'
        f'<td class="text"><span class="aside">{escape(rule["subject"])}</span>'
        f"{isolated_text(verdict['annotation'])}</td></tr>"
    )
