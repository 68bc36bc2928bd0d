"""A case of a table: an estate, what one rule must say of it, and the sentence of the semantics that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from alb_sg.findings.finding import Finding, Missing
from tests.builders import EGRESS, INGRESS, Saved, Shape, estate, group, interface, judge, listener, target_group

COMPLIANT = "COMPLIANT"
NON_COMPLIANT = "NON_COMPLIANT"
NOT_APPLICABLE = "NOT_APPLICABLE"
ERROR = "ERROR"


@dataclass(frozen=True)
class Lacks:
    """One entry of `missing`: the port (or ICMP type and code), the whole peer, the part not allowed yet, and the
    security groups a reference to which would do, and the targets' groups that lack it. What is None is of no interest
    to the case."""

    port: int | tuple[int, int]
    required: tuple[str, ...] | None = None
    peers: tuple[str, ...] | None = None
    or_groups: tuple[str, ...] = ()
    in_groups: tuple[str, ...] | None = None

    def matches(self, entry: Missing) -> bool:
        ports = self.port if isinstance(self.port, tuple) else (self.port, self.port)
        return (
            (entry.from_port, entry.to_port) == ports
            and (self.required is None or sorted(self.required) == sorted(entry.required))
            and self.peers in (None, entry.peers)
            and entry.or_security_groups == self.or_groups
            and self.in_groups in (None, entry.security_groups)
        )


@dataclass(frozen=True)
class Case:
    """`says`: texts that the annotation must hold, or the error; `lacks`: every entry of `missing`."""

    name: str
    why: str
    estate: Saved
    expected: str
    rule: str = INGRESS
    parameters: Mapping[str, str] = field(default_factory=dict)
    of: str = "web"
    says: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    lacks: tuple[Lacks, ...] | None = None
    unresolved: bool | None = False


def table(*cases: Case) -> pytest.MarkDecorator:
    """A test once per case, under the case's name."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "every case has a name of its own"
    return pytest.mark.parametrize("case", cases, ids=names)


def check(case: Case) -> None:
    result = judge(case.estate, case.rule, case.of, **case.parameters)
    if not isinstance(result, Finding):
        said = str(result)
        assert case.expected == ERROR, f"{said} — {case.why}"
        assert result.what
        assert result.cause
    else:
        said = result.annotation
        assert result.compliance.value == case.expected, f"{said} — {case.why}"
        assert 0 < len(said) <= 256
        assert bool(result.missing) == (case.expected == NON_COMPLIANT)
        assert case.unresolved in (None, result.unresolved), f"{said} — {case.why}"
        if case.lacks is not None:
            assert len(result.missing) == len(case.lacks), f"{result.missing} — {case.why}"
            for expected in case.lacks:
                assert any(expected.matches(entry) for entry in result.missing), f"{result.missing} — {case.why}"
    for text in case.says:
        assert text in said, case.why
    for text in case.silent:
        assert text not in said, case.why


def open_to(*ingress: Shape) -> Saved:
    """A load balancer listening on 443 whose one group has these inbound rules."""
    return estate(listener(443), group("sg-1", ingress=ingress))


def reaching(*egress: Shape, parts: tuple[Shape, ...] = ()) -> Saved:
    """A load balancer with one target, 10.0.1.5:80 with the group sg-app, whose one group has these outbound rules."""
    return estate(
        listener(443),
        group("sg-1", egress=egress),
        target_group("web", targets=["10.0.1.5"]),
        interface("10.0.1.5", groups=["sg-app"]),
        *parts,
    )


def reaches(name: str, why: str, expected: str, *egress: Shape, parts: tuple[Shape, ...] = ()) -> Case:
    """A case of `reaching`."""
    return Case(name, why, reaching(*egress, parts=parts), expected, rule=EGRESS)
