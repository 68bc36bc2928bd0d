"""What holds for every format: what has no place in it is said, and the same data gives the same bytes."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest

from alb_sg.findings.finding import Compliance
from alb_sg.report.formats import ASFF, FORMATS, JUNIT, OCSF, FormatOptions
from alb_sg.report.writing import write_results
from tests.command_line.calling import Command, closed
from tests.report.formats import AS_OF, CASES, COMPLIANT, EVERYTHING, NOBODYS, UNREAD, finding, results, written

TIMELESS = [name for name in FORMATS if name not in (JUNIT, ASFF, OCSF)]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_the_same_data_gives_the_same_bytes(format_name: str, case: str) -> None:
    assert written(CASES[case], format_name) == written(CASES[case], format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_only_formats_that_must_name_a_time_do(format_name: str) -> None:
    texts = []
    for as_of in (AS_OF, AS_OF + timedelta(days=1)):
        stream = io.StringIO()
        write_results(EVERYTHING, format_name, stream, FormatOptions(as_of))
        texts.append(stream.getvalue())
    assert (texts[0] == texts[1]) == (format_name in TIMELESS)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_error_is_in_the_format_or_returned(format_name: str) -> None:
    stream = io.StringIO()
    returned = write_results(results(COMPLIANT, UNREAD, NOBODYS), format_name, stream, FormatOptions(AS_OF))
    for error in (UNREAD, NOBODYS):
        assert (error in returned) != (error.cause.split(": ")[-1] in stream.getvalue())


def test_only_asff_returns_errors() -> None:
    """A finding must name its account."""
    returned = {name: write_results(EVERYTHING, name, io.StringIO(), FormatOptions(AS_OF)) for name in FORMATS}
    assert {name: list(errors) for name, errors in returned.items() if errors} == {
        ASFF: [NOBODYS],
    }


@pytest.mark.parametrize("format_name", ["text", "sarif", "junit", "markdown", ASFF, "ocsf"])
def test_half_of_a_character_is_replaced(format_name: str) -> None:
    half = finding(annotation="half \ud83d", load_balancer_name="half \ud83d", compliance=Compliance.NON_COMPLIANT)
    assert "half \N{REPLACEMENT CHARACTER}" in written(results(half), format_name)


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


@pytest.mark.parametrize("format_name", FORMATS)
def test_check_writes_every_format(command: Command, format_name: str) -> None:
    answer = command.on(closed(), "check", "--format", format_name, "--as-of", "2027-01-31T09:00:00+01:00")
    assert (answer.code, answer.err) == (1, "")
    assert "HTTPS:443 not open to" in answer.out.replace("&#58;", ":")


def test_the_time_is_the_one_given(command: Command) -> None:
    answer = command.on(closed(), "check", "--format", "asff", "--as-of", "2027-01-31T09:00:00+01:00")
    assert '"UpdatedAt": "2027-01-31T08:00:00Z"' in answer.out


def test_a_time_without_its_zone_is_refused(command: Command) -> None:
    assert "2027-01-31T08:00:00Z" in command.refused("check", "--as-of", "2027-01-31T09:00:00")
