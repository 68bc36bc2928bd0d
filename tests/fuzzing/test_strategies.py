"""The documents that the fuzzing changes: no change reaches the next one."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings

from tests.fuzzing.strategies import ODD_COLLECTIONS, mutated

DOCUMENT = {"lists": [[1], [2, 3]], "texts": {"a": "b", "c": []}}
BEFORE = copy.deepcopy((DOCUMENT, ODD_COLLECTIONS))


@given(mutated(DOCUMENT))
@settings(max_examples=500, derandomize=True, database=None, deadline=None)
def test_no_change_reaches_the_next_document(changed: Any) -> None:
    """A list that one document got and that its next change fills would be given to the others as it is then, and some
    day to itself."""
    del changed
    assert (DOCUMENT, ODD_COLLECTIONS) == BEFORE
