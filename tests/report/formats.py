"""Results with one of everything, and names that try to be more than names."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from alb_sg.exemptions.exemption import Exemption
from alb_sg.findings.finding import AppliedExemption, Compliance, EvaluationError, Finding, Missing, Unused
from alb_sg.observations.results import Results
from alb_sg.permissions.unused_traffic import PortRange
from alb_sg.recommendations.requirement import Origin
from alb_sg.report.formats import FormatOptions
from alb_sg.report.writing import write_results
from tests.builders import (
    ACCOUNT,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    REGION,
    RULES,
    UNUSED,
    listener_arn,
    load_balancer_arn,
)

AS_OF = datetime(2027, 1, 31, 8, 0, tzinfo=UTC)
ACCOUNT_REGION = (ACCOUNT, REGION)

# Markup of HTML, XML, Markdown and SARIF, an order to a terminal, a change of writing direction, and an
# honest emoji.
HOSTILE = (
    "</script>]]><img src=x onerror=alert(1)>&amp;|\\|`code`*b*_i_ [click](https://evil.example) www.evil.example "
    "@octocat #1 :smile: $x$ \"q\" 's' {0} {{1}} \x00\x1b[31m\x0b\r\n## \u202egnol\u2066 \ufffe \U0001f600 é"
)
EMOJI = "\U0001f600"


def finding(
    name: str = "web", rule: str = INGRESS, compliance: Compliance = Compliance.COMPLIANT, **more: object
) -> Finding:
    said: dict[str, object] = {"annotation": f"{rule} of {name}", "load_balancer_name": name, **more}
    return Finding(ACCOUNT, REGION, load_balancer_arn(name), rule=rule, compliance=compliance, **said)  # type: ignore[arg-type]  # fields by name


def missing(port: int = 443, *peers: str) -> Missing:
    because = Origin("listener", listener_arn(load_balancer_arn(), f"{port:016x}"), f"HTTPS:{port}")
    return Missing("ingress", "tcp", port, port, ("0.0.0.0/0",), peers or ("0.0.0.0/0",), (), because)


def error(
    name: str | None = "web", rule: str | None = INGRESS, cause: str = "DescribeListeners: AccessDenied"
) -> EvaluationError:
    arn = None if name is None else load_balancer_arn(name)
    return EvaluationError(ACCOUNT, REGION, arn, rule, f"listeners of {name}", cause)


NOBODYS = EvaluationError("", "", None, None, "exemptions[3] in exemptions.json", "owner is missing")


def exempt(otherwise: Finding | EvaluationError, reason: str = "moves in January") -> Finding:
    arn, rule = otherwise.load_balancer_arn, otherwise.rule
    assert arn is not None
    assert rule is not None
    exemption = Exemption(arn, rule, reason, "team-edge", "SEC-12", date(2027, 1, 31))
    name = arn.split("/")[-2]
    exempted = AppliedExemption(exemption, otherwise)
    return finding(name, rule, Compliance.NOT_APPLICABLE, annotation=f"exempt: {reason}", applied_exemption=exempted)


# What a fix would do about NON_COMPLIANT.
ADVICE = ("allow inbound TCP 443 from 0.0.0.0/0 in sg-1", "allow inbound TCP 80 from 0.0.0.0/0 in sg-1")


def results(
    *found: Finding | EvaluationError, account_regions: tuple[tuple[str, str], ...] = (ACCOUNT_REGION,)
) -> Results:
    findings = [one for one in found if isinstance(one, Finding)]
    errors = [one for one in found if isinstance(one, EvaluationError)]
    return Results(
        account_regions,
        len({one.load_balancer_arn for one in found if one.load_balancer_arn is not None}),
        RULES,
        sorted(findings, key=lambda one: one.sort_key),
        sorted(errors, key=lambda one: one.sort_key),
        exemptions_applied=True,
        advice={(load_balancer_arn("closed"), INGRESS): ADVICE},
    )


# One of everything, by the name of its load balancer.
COMPLIANT = finding("fine")
NON_COMPLIANT = finding(
    "closed", INGRESS, Compliance.NON_COMPLIANT, missing=(missing(443), missing(80, "10.0.0.0/8", "192.168.0.0/16"))
)
HEALTH_CHECK = finding("sick", HEALTH, Compliance.NON_COMPLIANT)
PMTUD = finding("mute", ICMP, Compliance.NON_COMPLIANT)
UNRESOLVED = finding("doubtful", EGRESS, Compliance.NON_COMPLIANT, unresolved=True)
NOT_APPLICABLE = finding("idle", EGRESS, Compliance.NOT_APPLICABLE)
EXEMPT = exempt(finding("special", INGRESS, Compliance.NON_COMPLIANT, missing=(missing(),)))
EXEMPT_UNREAD = exempt(error("hidden", ICMP))
UNREAD = error("broken", EGRESS)
UNENUMERATED = error(None, None)
EVERYTHING = results(
    COMPLIANT,
    NON_COMPLIANT,
    HEALTH_CHECK,
    PMTUD,
    UNRESOLVED,
    NOT_APPLICABLE,
    EXEMPT,
    EXEMPT_UNREAD,
    UNREAD,
    UNENUMERATED,
    NOBODYS,
    account_regions=(ACCOUNT_REGION, ("444455556666", "eu-west-1")),
)
HOSTILE_EVERYWHERE = results(
    finding("one", INGRESS, Compliance.NON_COMPLIANT, annotation=HOSTILE, load_balancer_name=HOSTILE),
    finding("two", EGRESS, Compliance.COMPLIANT, annotation=HOSTILE, load_balancer_name=HOSTILE),
    finding("three", HEALTH, Compliance.NOT_APPLICABLE, annotation=HOSTILE, load_balancer_name=HOSTILE),
    exempt(error("four", ICMP, HOSTILE), HOSTILE),
    error("five", ICMP, HOSTILE),
    EvaluationError(ACCOUNT, REGION, None, None, HOSTILE, HOSTILE),
    EvaluationError("", "", None, None, HOSTILE, HOSTILE),
)
NOTHING = results(account_regions=())
OPEN_AND_UNUSED = finding(
    "open",
    UNUSED,
    Compliance.NON_COMPLIANT,
    unused=(
        Unused("sg-1", "tcp", 444, 65535, ("10.0.0.0/8", "sg-app"), (), ("sgr-1", "sgr-2")),
        Unused("sg-1", "-1", None, None, ("::/0",), (PortRange("tcp", 443, 443), PortRange("icmp"))),
    ),
)
CASES = {
    "everything": EVERYTHING,
    "unused": replace(results(OPEN_AND_UNUSED), rule_names=(*RULES, UNUSED)),
    "hostile": HOSTILE_EVERYWHERE,
    "nothing": NOTHING,
}


def written(found: Results, format_name: str, **options: Any) -> str:
    """The bytes of a format as text: what cannot be written as UTF-8 fails. `options` are those of FormatOptions."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    write_results(found, format_name, stream, FormatOptions(AS_OF, **options))
    stream.flush()
    binary = stream.buffer
    assert isinstance(binary, io.BytesIO)
    return binary.getvalue().decode()
