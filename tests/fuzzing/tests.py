"""The property tests of this folder by name."""

from __future__ import annotations

from tests.fuzzing import test_fuzzing, test_fuzzing_inputs

MODULES = (test_fuzzing, test_fuzzing_inputs)
TESTS = {name: test for module in MODULES for name, test in sorted(vars(module).items()) if name.startswith("test_")}
