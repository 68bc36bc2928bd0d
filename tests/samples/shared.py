"""Public plans and templates in `shared/samples/iac` beside the repository, which is no part of it."""

from __future__ import annotations

from pathlib import Path


def shared_samples(language: str) -> Path | None:
    """The folder of a language beside the repository, also for a work tree further down; None where it is absent."""
    for parent in Path(__file__).resolve().parents[2:5]:
        folder = parent.parent / "shared" / "samples" / "iac" / language
        if folder.is_dir():
            return folder
    return None
