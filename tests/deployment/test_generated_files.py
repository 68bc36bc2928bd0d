"""The checked-in files that are generated from the catalogue of rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from alb_sg.deployment.generated_files import generated_files, main
from tests.deployment.deployments import ROOT

FILES = generated_files()


@pytest.mark.parametrize("path", FILES)
def test_no_file_is_stale(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path], "stale: run `make generate`"


def test_generating_writes_every_file(tmp_path: Path) -> None:
    for path in FILES:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    main(tmp_path)
    assert {path: (tmp_path / path).read_text(encoding="utf-8") for path in FILES} == FILES
