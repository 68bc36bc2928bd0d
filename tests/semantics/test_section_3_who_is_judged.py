"""Semantics §3: types, states, and the families of clients."""

from __future__ import annotations

import pytest

from tests.builders import (
    ANYWHERE,
    ANYWHERE_IPV6,
    EGRESS,
    HEALTH,
    ICMP,
    INGRESS,
    RULES,
    all_traffic,
    estate,
    group,
    icmp,
    icmpv6,
    interface,
    listener,
    load_balancer,
    target_group,
    tcp,
)
from tests.semantics.cases import COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, Case, Lacks, check, table

OTHER_TYPES = "Network and gateway load balancers: NOT_APPLICABLE."
STATES = {
    "active": NON_COMPLIANT,
    "active_impaired": NON_COMPLIANT,
    "provisioning": NOT_APPLICABLE,
    "failed": NOT_APPLICABLE,
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("state", STATES)
def test_states(rule: str, state: str) -> None:
    """ "State `active` and `active_impaired` are judged; `provisioning` and `failed`: NOT_APPLICABLE." """
    target = target_group(targets=["10.0.1.5"])
    saved = estate(load_balancer(state=state), listener(443), group(), target, interface("10.0.1.5"))
    says = () if STATES[state] == NON_COMPLIANT else (state,)
    check(Case(state, "§3", saved, STATES[state], rule=rule, says=says))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("type_", ["network", "gateway"])
def test_types(rule: str, type_: str) -> None:
    saved = estate(load_balancer("other", type=type_), group(), target_group(targets=["10.0.1.5"]))
    check(Case(type_, OTHER_TYPES, saved, NOT_APPLICABLE, rule=rule, of="other", says=(type_,)))


def test_a_gateway_load_balancer_with_its_listener() -> None:
    """A Gateway Load Balancer's listener has neither port nor protocol (CreateListener: "You can't specify a protocol
    or port for a Gateway Load Balancer"); it must not stand in the way of any verdict."""
    inspection = load_balancer("inspection", type="gateway", groups=[])
    of_gateway = listener(None, of=inspection["LoadBalancerArn"])
    del of_gateway["Protocol"]
    saved = estate(load_balancer(), inspection, listener(443), of_gateway, group(ingress=[tcp(443, ANYWHERE)]))
    check(Case("gateway", OTHER_TYPES, saved, NOT_APPLICABLE, of="inspection"))
    check(Case("beside it", "Every other load balancer is judged.", saved, COMPLIANT))


FAMILIES = "Scheme and address type decide the client families."
BOTH = (ANYWHERE, ANYWHERE_IPV6)
PMTUD = (icmp(3, 4, ANYWHERE), icmpv6(2, 0, ANYWHERE_IPV6))


def _clients(name: str, why: str, expected: str, address_type: str | None, *cidrs: str, lacks: str = "") -> Case:
    saved = estate(
        load_balancer(ip_address_type=address_type), listener(443), group(ingress=[tcp(443, *cidrs)] if cidrs else [])
    )
    return Case(name, why, saved, expected, lacks=(Lacks(443, (lacks,), (lacks,)),) if lacks else None)


@table(
    _clients("ipv4", "`ipv4`: IPv4.", COMPLIANT, "ipv4", ANYWHERE),
    _clients("ipv4 open to IPv6 alone", "`ipv4`: IPv4.", NON_COMPLIANT, "ipv4", ANYWHERE_IPV6, lacks=ANYWHERE),
    _clients("absent", "`ipv4` (also when the field is absent): IPv4.", COMPLIANT, None, ANYWHERE),
    _clients("absent and closed", "Also when the field is absent.", NON_COMPLIANT, None, lacks=ANYWHERE),
    _clients("dualstack", "`dualstack`: IPv4 and IPv6.", COMPLIANT, "dualstack", *BOTH),
    _clients("dualstack missing ::/0", "IPv4 and IPv6.", NON_COMPLIANT, "dualstack", ANYWHERE, lacks=ANYWHERE_IPV6),
    _clients("dualstack missing 0.0.0.0/0", "Both.", NON_COMPLIANT, "dualstack", ANYWHERE_IPV6, lacks=ANYWHERE),
    _clients(
        "without public IPv4",
        "`dualstack-without-public-ipv4`: IPv6 only, for clients.",
        COMPLIANT,
        "dualstack-without-public-ipv4",
        ANYWHERE_IPV6,
    ),
    _clients(
        "without public IPv4, open to IPv4 alone",
        "IPv6 only, for clients.",
        NON_COMPLIANT,
        "dualstack-without-public-ipv4",
        ANYWHERE,
        lacks=ANYWHERE_IPV6,
    ),
    Case(
        "without public IPv4 it still reaches IPv4 targets",
        "IPv6 only, *for clients*.",
        estate(
            load_balancer(ip_address_type="dualstack-without-public-ipv4"),
            target_group(targets=["10.0.1.5"]),
            group(egress=[all_traffic(ANYWHERE_IPV6)]),
        ),
        NON_COMPLIANT,
        rule=EGRESS,
        lacks=(Lacks(80, ("10.0.1.5/32",), ("10.0.1.5/32",)),),
    ),
    Case(
        "the families of ICMP: dualstack",
        FAMILIES,
        estate(load_balancer(ip_address_type="dualstack"), group(ingress=PMTUD)),
        COMPLIANT,
        rule=ICMP,
    ),
    Case(
        "the families of ICMP: without public IPv4",
        FAMILIES,
        estate(load_balancer(ip_address_type="dualstack-without-public-ipv4"), group(ingress=PMTUD[1:])),
        COMPLIANT,
        rule=ICMP,
    ),
    Case(
        "an upper-case spelling is no other type",
        "Names are the API's; their case carries no meaning.",
        estate(load_balancer(state="ACTIVE"), listener(443), group(ingress=[tcp(443, ANYWHERE)])),
        COMPLIANT,
    ),
)
def test_client_families(case: Case) -> None:
    check(case)


def test_a_load_balancer_without_a_state_is_judged() -> None:
    """An answer that tells no state is not `provisioning` and not `failed`: only those are left out."""
    saved = estate(load_balancer(), listener(443), group())
    del saved["LoadBalancers"][0]["State"]
    for rule, expected in ((INGRESS, NON_COMPLIANT), (ICMP, NON_COMPLIANT), (HEALTH, NOT_APPLICABLE)):
        check(Case("no state", "§3", saved, expected, rule=rule))
