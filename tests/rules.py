"""The handlers under rules/, loaded from their files as Lambda and rdk load them: by the module's bare name."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

RULES_FOLDER = Path(__file__).parents[1] / "rules"
RULE_NAMES = tuple(sorted(path.name for path in RULES_FOLDER.iterdir() if (path / "parameters.json").exists()))
# The rules of the shipped rdk-config.json: one that is deployed only on request is in no template.
DEPLOYED_RULE_NAMES = tuple(name for name in RULE_NAMES if RECOMMENDATIONS_BY_NAME[name].deployed_by_default)


@cache
def rule_module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, RULES_FOLDER / name / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
