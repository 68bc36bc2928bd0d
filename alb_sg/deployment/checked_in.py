"""`python -m alb_sg.deployment.checked_in deploy`: the templates and queries that are in the repository as they are."""

from __future__ import annotations

import sys
from pathlib import Path

from alb_sg.deployment.athena import queries, table_statement
from alb_sg.deployment.compliance_events import member_events_template
from alb_sg.deployment.dashboard_stack import dashboard_template
from alb_sg.deployment.jobs import text_of
from alb_sg.deployment.sweep_stack import sweep_template


def checked_in() -> dict[str, str]:
    """The files' texts by their paths below the folder."""
    return {
        "dashboard.yaml": text_of(dashboard_template()),
        "member-events.yaml": text_of(member_events_template()),
        "sweep.yaml": text_of(sweep_template()),
        "queries/table.sql": table_statement(),
        **{f"queries/{name}.sql": text for name, text in queries().items()},
    }


def main(folder: Path) -> None:
    for name, text in checked_in().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
