"""The order of the rooms in `alb_sg`: a module imports from its own room or from rooms below, and without circles."""

from __future__ import annotations

from functools import cache

import grimp
import pytest

# From the bottom up. Rooms of one row may import one another, but in one direction only.
ROWS = (
    ("errors",),
    ("aws",),
    ("estate",),
    ("permissions",),
    ("parameters", "exemptions"),
    ("recommendations",),
    ("findings",),
    ("live",),
    ("observations",),
    ("aggregator",),
    ("remediation",),
    ("report",),
    ("dashboard", "config_rule", "doctor"),
    ("ssm_documents", "snapshot_batch", "functions"),
    ("command_line",),
    ("deployment",),
)
RANKS = {f"alb_sg.{room}": rank for rank, row in enumerate(ROWS) for room in row}
# The package itself and `python -m alb_sg` belong to no room.
ENTRY_POINTS = {"alb_sg", "alb_sg.__main__"}


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("alb_sg")


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def imports() -> list[tuple[str, str]]:
    """Every import inside the package, late ones included, as importer and imported module."""
    found = graph()
    return [
        (importer, imported)
        for importer in sorted(found.modules - ENTRY_POINTS)
        for imported in sorted(found.find_modules_directly_imported_by(importer) - ENTRY_POINTS)
    ]


def test_every_room_has_its_place() -> None:
    rooms = {room_of(module) for module in graph().modules - ENTRY_POINTS}
    assert rooms == set(RANKS)


def test_no_import_runs_up() -> None:
    assert [pair for pair in imports() if RANKS[room_of(pair[0])] < RANKS[room_of(pair[1])]] == []


def test_no_two_rooms_import_each_other() -> None:
    pairs = {(room_of(importer), room_of(imported)) for importer, imported in imports()}
    assert [(one, other) for one, other in pairs if one < other and (other, one) in pairs] == []


def test_no_modules_form_a_circle() -> None:
    found = graph()
    circles = [
        (importer, imported)
        for importer, imported in imports()
        if found.find_shortest_chain(imported, importer) is not None
    ]
    assert circles == []


@pytest.mark.parametrize("module", ["alb_sg.recommendations", "alb_sg.permissions", "alb_sg.findings"])
def test_judging_code_knows_no_aws_client(module: str) -> None:
    """The same code judges in Lambda, on a laptop and over a snapshot: it never calls AWS."""
    found = grimp.build_graph("alb_sg", include_external_packages=True)
    reached = {name for part in found.find_descendants(module) for name in found.find_upstream_modules(part)}
    assert not {name for name in reached if name.split(".")[0] in {"boto3", "botocore", "rdklib"}}
