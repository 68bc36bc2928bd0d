"""The index of a page's parts: one row for each owner, account or unit, those with most to do first."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template
from urllib.parse import quote

from alb_sg import __version__
from alb_sg.dashboard.history import replace_lone_surrogates
from alb_sg.dashboard.page import content_security_policy, format_time, isolated_text, read_asset
from alb_sg.dashboard.split import Part, SplitBy
from alb_sg.dashboard.summary import ComplianceCounts, PageData, count_compliance

HEADS = ("Compliant", "Judged", "Non-compliant", "Internet-facing", "Unreachable", "Not judged")
TITLES = {SplitBy.OWNER: "Owner", SplitBy.ACCOUNT: "Account", SplitBy.UNIT: "Unit"}


def render_index(page_data: PageData, by: SplitBy, parts: Sequence[Part], whole: str) -> str:
    """The HTML of the index; `whole` is the address of the page of all load balancers."""
    style = read_asset("page.css")
    counted = [(part, count_compliance(part.page_data)) for part in parts]
    counted.sort(key=lambda pair: (-pair[1].non_compliant, -pair[1].not_judged, pair[0].title))
    html = Template(read_asset("index.html")).substitute(
        policy=content_security_policy(style, ""),
        style=style,
        by=by.value,
        title=f"By {by.value}",
        as_of=f"{format_time(page_data['asOf'])} UTC",
        as_of_iso=page_data["asOf"],
        whole=escape(quote(whole)),
        table=_table(TITLES[by], counted),
        version=__version__,
    )
    return replace_lone_surrogates(html)


def _table(title: str, counted: Sequence[tuple[Part, ComplianceCounts]]) -> str:
    if not counted:
        return "<p>No load balancers.</p>"
    heads = "".join(f'<th scope="col" class="number">{head}</th>' for head in HEADS)
    rows = "".join(_row(part, counts) for part, counts in counted)
    return (
        '<div class="scroll" role="region" aria-label="Parts" tabindex="0"><table><caption>Load balancers, those with '
        f'most to do first</caption><thead><tr><th scope="col">{title}</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(part: Part, counts: ComplianceCounts) -> str:
    share = "\N{EN DASH}" if counts.compliant_percent is None else f"{counts.compliant_percent} %"
    numbers = (counts.judged, counts.non_compliant, counts.internet_facing, counts.unreachable, counts.not_judged)
    texts = (share, *(f"{number:,}" for number in numbers))
    # A narrow screen has no room for the head: each number says what it is.
    cells = "".join(
        f'<td class="number" data-label="{head}">{text}</td>' for head, text in zip(HEADS, texts, strict=True)
    )
    href = escape(quote(f"{part.file_name}.html"))
    return f'<tr><th scope="row"><a href="{href}">{isolated_text(part.title)}</a></th>{cells}</tr>'
