"""The languages that rules can be written in as code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from alb_sg.remediation.cloudformation import render_cloudformation
from alb_sg.remediation.snippets import Snippet
from alb_sg.remediation.terraform import render_terraform

SNIPPET_WRITERS: Mapping[str, Callable[[Iterable[Snippet]], str]] = {
    "cloudformation": render_cloudformation,
    "terraform": render_terraform,
}
