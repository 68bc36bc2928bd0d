"""Which of the rules a Config rule is, whatever its deployment has made of its name."""

from __future__ import annotations

import re

from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

# AWS Config names a rule of a conformance pack NAME-conformance-pack-szsm1uv0w and an organization's rule
# OrgConfigRule-NAME-dbgzf8ba; others put words of their own before or after. The name itself is whole in all of them:
# what follows or comes before it is no letter, digit or underscore.
_NAME = re.compile(rf"(?<![A-Za-z0-9_])({'|'.join(sorted(RECOMMENDATIONS_BY_NAME))})(?![A-Za-z0-9_])")


def find_rule(config_rule_name: str) -> str | None:
    """The rule that a Config rule is a deployment of; None for somebody else's."""
    found = _NAME.search(config_rule_name)
    return None if found is None else found[1]
