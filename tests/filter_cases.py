"""The grammar of filters as cases, for the command and for the page: `docs/command-line.md`, "Narrowing"."""

from __future__ import annotations

from typing import Any, NamedTuple


class FilterCase(NamedTuple):
    """Whether one of `patterns` fits `value`: a text; for `tag` an object of tags; None is unknown or absent."""

    key: str
    patterns: tuple[str, ...]
    value: Any
    fits: bool


FILTER_CASES = (
    FilterCase("name", ("shop-web",), "shop-web", True),
    # The whole text, not a part of it.
    FilterCase("name", ("shop",), "shop-web", False),
    FilterCase("name", ("shop-*",), "shop-web", True),
    FilterCase("name", ("*web",), "shop-web", True),
    FilterCase("name", ("*",), "shop-web", True),
    FilterCase("name", ("shop-web*",), "shop-web", True),
    FilterCase("name", ("shop?web",), "shop-web", True),
    FilterCase("name", ("shop-web?",), "shop-web", False),
    # In any letter case, on both sides.
    FilterCase("name", ("SHOP-*",), "shop-web", True),
    FilterCase("name", ("shop-*",), "Shop-Web", True),
    # One of several is enough.
    FilterCase("name", ("api", "shop-*"), "shop-web", True),
    # Only * and ? are special.
    FilterCase("name", ("shop-[vw]eb",), "shop-web", False),
    FilterCase("owner", ("[team] edge",), "[Team] Edge", True),
    FilterCase("owner", ("a.c",), "abc", False),
    FilterCase("owner", ("a^$(c)+|{}\\d",), "a^$(c)+|{}\\d", True),
    # A star reaches over line breaks, which a tag may hold.
    FilterCase("owner", ("a*b",), "a\nb", True),
    FilterCase("owner", ("edge",), "edge", True),
    FilterCase("owner", ("edge",), None, False),
    FilterCase("owner", ("(no owner)",), None, True),
    FilterCase("owner", ("(no owner)",), "edge", False),
    FilterCase("owner", ("*",), None, True),
    FilterCase("unit", ("Production/Shops",), "Production/Shops", True),
    # A unit holds the units below it, and no other that begins alike.
    FilterCase("unit", ("Production",), "Production/Shops", True),
    FilterCase("unit", ("Prod",), "Production/Shops", False),
    FilterCase("unit", ("production/",), "Production", True),
    FilterCase("unit", ("/Production/",), "Production/Shops/Web", True),
    FilterCase("unit", ("*/Shops",), "Production/Shops/Web", True),
    FilterCase("unit", ("Shops",), "Production/Shops", False),
    # Accounts directly below the root of the organization.
    FilterCase("unit", ("Root",), "", True),
    FilterCase("unit", ("Root",), "Production", False),
    FilterCase("unit", ("Production",), "", False),
    FilterCase("unit", ("(unit unknown)",), None, True),
    FilterCase("unit", ("Production",), None, False),
    FilterCase("tag", ("team=edge",), {"team": "edge", "stage": "prod"}, True),
    FilterCase("tag", ("team=edge",), {"team": "edges"}, False),
    FilterCase("tag", ("Team=EDGE",), {"team": "edge"}, True),
    # Without a value: the key, whatever its value.
    FilterCase("tag", ("team",), {"team": "edge"}, True),
    FilterCase("tag", ("tea",), {"team": "edge"}, False),
    FilterCase("tag", ("team=",), {"team": "edge"}, False),
    FilterCase("tag", ("team=",), {"team": ""}, True),
    FilterCase("tag", ("team=e*",), {"team": "edge"}, True),
    # Any key with this value; a part of either.
    FilterCase("tag", ("*=edge",), {"team": "edge"}, True),
    FilterCase("tag", ("*edg*",), {"team": "edge"}, True),
    FilterCase("tag", ("*ea*=*dg*",), {"team": "edge"}, True),
    # Key and value are of one tag.
    FilterCase("tag", ("team=prod",), {"team": "edge", "stage": "prod"}, False),
    # AWS takes = in keys and values.
    FilterCase("tag", ("a=b=c",), {"a=b": "c"}, True),
    FilterCase("tag", ("a=b",), {"a=b": "c"}, True),
    FilterCase("tag", ("team",), {}, False),
)
