"""An organization in memory, of any size and always the same: accounts in units, regions, load balancers that are in
order or fail in the ways that people make them fail, runs before this one, exemptions, and names that try to harm.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from alb_sg.aws.account_region import AccountRegion
from alb_sg.dashboard.history import make_run
from alb_sg.dashboard.page_data import EarlierRuns
from alb_sg.estate.cidr import Family
from alb_sg.estate.estate import Estate
from alb_sg.estate.model import (
    Instance,
    Listener,
    LoadBalancer,
    Permission,
    SecurityGroup,
    SecurityGroupReference,
    Target,
    TargetGroup,
    Vpc,
)
from alb_sg.estate.other_accounts import link_estates
from alb_sg.exemptions.exemption import Exemption, Exemptions, MalformedExemption
from alb_sg.findings.exemption_application import apply_exemptions
from alb_sg.findings.exemption_review import ReviewScope, review
from alb_sg.findings.finding import Compliance, EvaluationError, Finding
from alb_sg.findings.judge import judge_all
from alb_sg.observations.accounts import AccountName
from alb_sg.observations.exemptions_report import ExemptionsReport
from alb_sg.observations.from_estates import load_balancer_details, observe_results
from alb_sg.observations.observation import Observation
from alb_sg.observations.results import Results
from alb_sg.parameters import parse_parameters
from alb_sg.recommendations.catalogue import DISPLAY_ORDER
from alb_sg.remediation.estate_planning import EstatePlanner
from alb_sg.remediation.fix_request import FixRequest
from alb_sg.remediation.plan import Plan

AS_OF = datetime(2027, 1, 31, 6, 0, tzinfo=UTC)
RULES = {rule: parse_parameters({}) for rule in DISPLAY_ORDER if rule.deployed_by_default}
EVERYONE = ("0.0.0.0/0", "::/0")

ACCOUNTS = (
    ("shop-production", "Production/Shops"),
    ("shop-staging", "Staging/Shops"),
    ("payments-production", "Production/Payments"),
    ("payments-staging", "Staging/Payments"),
    ("search-production", "Production/Discovery"),
    ("identity-production", "Production/Platform"),
    ("observability", "Production/Platform"),
    ("sandbox", "Sandbox"),
    ("data-production", "Production/Data"),
    ("mobile-staging", "Staging/Mobile"),
)
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
APPLICATIONS = ("checkout", "basket", "catalogue", "images", "login", "profile", "search", "reports", "intranet", "api")
TEAMS = ("edge", "checkout", "platform", "identity", "data")
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    '=HYPERLINK("https://example.com","x")',
    "\u202eevil\u202c \U0001f525 \u05e9\u05dc\u05d5\u05dd",
    "@SUM(1+1)'|cmd",
    "-2+3\t\r\nnext",
)


@dataclass(frozen=True)
class Organization:
    """An observation with the runs before it, and the plans for its load balancers."""

    observation: Observation
    earlier: EarlierRuns
    plans: Mapping[str, Plan] = field(default_factory=dict)
    estates: Sequence[Estate] = ()


@cache
def organization(
    load_balancers: int = 240,
    *,
    runs: int = 8,
    pictures: int = 2500,
    seed: int = 7,
    accounts: int = len(ACCOUNTS),
    varied: bool = False,
    owner_tags: tuple[str, ...] = (),
) -> Organization:
    """So many load balancers (five findings each) in so many accounts and three regions.

    `varied`: every load balancer has its own name, tags and security groups, as in an organization that grew. Without
    it, those of an account and region share a few. The same arguments return the same object, so no test changes it.
    """
    estates = _estates(load_balancers, seed, accounts, varied=varied)
    last = replace(_observed(estates, AS_OF, pictures), owner_tags=owner_tags)
    earlier = []
    for back in range(runs, 0, -1):
        found = _before(last, back, seed)
        earlier.append(make_run(found))
    planner = EstatePlanner(estates, FixRequest(RULES, AS_OF.date()), {})
    explained = {arn for arn, detail in last.details.items() if detail.explanation is not None}
    plans = planner.plan_findings(
        [finding for finding in last.results.findings if finding.load_balancer_arn in explained]
    )
    return Organization(last, EarlierRuns(earlier, 3 if runs else 0), plans, estates)


def hostile() -> Organization:
    """Names, tags and reasons that try to harm, one of each."""
    made = organization(12, runs=1)
    arns = sorted(made.observation.details)
    names = dict(zip(arns, HOSTILE, strict=False))
    findings = [
        finding._replace(
            load_balancer_name=names.get(finding.load_balancer_arn, finding.load_balancer_name),
            annotation=f"{names.get(finding.load_balancer_arn, '')} {finding.annotation}",
        )
        for finding in made.observation.results.findings
    ]
    details = {
        arn: replace(detail, tags={names[arn]: names[arn]} if arn in names else detail.tags)
        for arn, detail in made.observation.details.items()
    }
    accounts = {key: AccountName(HOSTILE[0], HOSTILE[1]) for key in made.observation.accounts}
    observation = replace(
        made.observation,
        results=replace(made.observation.results, findings=findings),
        details=details,
        accounts=accounts,
        completeness=replace(made.observation.completeness, gaps=HOSTILE),
    )
    return Organization(observation, made.earlier, made.plans)


def _account_id(number: int) -> str:
    return f"{111122223333 + number * 1_000_003:012d}"


def _hex(chance: random.Random, digits: int = 17) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def _account(number: int) -> tuple[str, str]:
    """An account's name and unit; those after the first ten are of many teams."""
    if number < len(ACCOUNTS):
        return ACCOUNTS[number]
    application, stage = APPLICATIONS[number % len(APPLICATIONS)], ("production", "staging")[number % 2]
    return f"{application}-{stage}-{number}", f"{stage.capitalize()}/{application.capitalize()}"


def _estates(count: int, seed: int, accounts: int, *, varied: bool) -> Sequence[Estate]:
    chance = random.Random(seed)  # noqa: S311 (no secret)
    account_regions = [(number, region) for number in range(accounts) for region in REGIONS]
    share = [
        count // len(account_regions) + (place < count % len(account_regions)) for place in range(len(account_regions))
    ]
    return link_estates(
        _Home(chance, AccountRegion(_account_id(number), region), number, varied=varied).build(many)
        for (number, region), many in zip(account_regions, share, strict=True)
    )


def _permission(protocol: str, first: int | None, last: int | None, *peers: str) -> Permission:
    groups = tuple(SecurityGroupReference(peer, None, None, None, None) for peer in peers if peer.startswith("sg-"))
    return Permission(
        protocol, first, last, tuple(peer for peer in peers if not peer.startswith(("sg-", "pl-"))), (), groups
    )


class _Home:
    """One account and region: shared security groups, and load balancers that carry them."""

    def __init__(
        self, chance: random.Random, account_region: AccountRegion, number: int, *, varied: bool = False
    ) -> None:
        self.varied = varied
        self.chance = chance
        self.account_region = account_region
        self.number = number
        self.vpc = f"vpc-{_hex(chance)}"
        self.app = f"sg-{_hex(chance)}"
        # Open to the subnets of every load balancer, wherever they are.
        open_to_nodes = (_permission("tcp", 8080, 8081, *EVERYONE),)
        self.groups = [SecurityGroup(self.app, "app", self.vpc, open_to_nodes, (), account_region.account_id)]

    def arn(self, kind: str, name: str) -> str:
        where = f"{self.account_region.region}:{self.account_region.account_id}"
        return f"arn:aws:elasticloadbalancing:{where}:{kind}/{name}/{_hex(self.chance, 16)}"

    def group(self, name: str, ingress: Sequence[Permission], egress: Sequence[Permission]) -> str:
        owner = self.account_region.account_id
        found = SecurityGroup(f"sg-{_hex(self.chance)}", name, self.vpc, tuple(ingress), tuple(egress), owner)
        self.groups.append(found)
        return found.id

    def kinds(self, app: str) -> list[tuple[str, list[Permission], list[Permission]]]:
        """Kinds of groups: in order, without a default egress, without ICMP, IPv4 alone, and open to an office only."""
        web = [_permission("tcp", 443, 443, *EVERYONE), _permission("tcp", 80, 80, *EVERYONE)]
        icmp = [_permission("icmp", 3, 4, "0.0.0.0/0"), _permission("icmpv6", 2, 0, "::/0")]
        everything = [_permission("-1", None, None, *EVERYONE)]
        default_egress = [_permission("-1", None, None, "0.0.0.0/0")]
        to_app = [_permission("tcp", 8080, 8081, app)]
        ipv4 = [_permission("tcp", 443, 443, "0.0.0.0/0"), _permission("tcp", 80, 80, "0.0.0.0/0"), icmp[0]]
        office = [_permission("tcp", 443, 443, "198.51.100.0/24"), *icmp]
        return [
            ("web", [*web, *icmp], everything),
            ("web", [*web, *icmp], to_app),
            ("web-closed", [*web, *icmp], []),
            ("web-no-icmp", web, default_egress),
            ("web-ipv4", ipv4, to_app),
            ("office", office, to_app),
            ("web-traffic-only", [*web, *icmp], [_permission("tcp", 8080, 8080, app)]),
        ]

    def groups_of(self, name: str, shared: Sequence[str], weights: Sequence[float]) -> tuple[str, str]:
        """The group of a load balancer and that of its targets."""
        if not self.varied:
            return self.chance.choices(shared, weights)[0], self.app
        app = self.group(f"{name}-app", [_permission("tcp", 8080, 8081, *EVERYONE)], ())
        kind, ingress, egress = self.chance.choices(self.kinds(app), weights)[0]
        return self.group(f"{name}-{kind}", ingress, egress), app

    def name(self, place: int) -> str:
        application = APPLICATIONS[(place + self.number) % len(APPLICATIONS)]
        return f"{application}-{_hex(self.chance, 8)}" if self.varied else f"{application}-{place + 1}"

    def tags(self, name: str) -> dict[str, str]:
        tags = {"team": self.chance.choice(TEAMS), "stage": _account(self.number)[1].split("/")[0].lower()}
        if self.varied:
            tags |= {"Name": name, "cost-center": str(self.chance.randrange(10_000)), "commit": _hex(self.chance, 12)}
        return tags

    def build(self, count: int) -> Estate:
        chance, account_region = self.chance, self.account_region
        shared = [self.group(*kind) for kind in self.kinds(self.app)]
        # Most are in order; production more so than a sandbox.
        weights = (9, 9, 1, 2, 1, 1, 1) if self.number % 3 else (14, 12, 0.3, 1, 0.4, 0.3, 0.4)
        found: list[LoadBalancer] = []
        listeners: dict[str, tuple[Listener, ...]] = {}
        target_groups: dict[str, TargetGroup] = {}
        targets: dict[str, tuple[Target, ...]] = {}
        instances: dict[str, Instance] = {}
        tags: dict[str, dict[str, str]] = {}
        for place in range(count):
            name = self.name(place)
            arn = self.arn("loadbalancer/app", name)
            facing = chance.random() < 0.6
            group_id, app = self.groups_of(name, shared, weights)
            found.append(
                LoadBalancer(
                    arn,
                    name,
                    "application",
                    "internet-facing" if facing else "internal",
                    "active",
                    self.vpc,
                    "dualstack" if facing and chance.random() < 0.3 else "ipv4",
                    (group_id,),
                )
            )
            target_group = self.arn("targetgroup", name)
            ports = (443, 80) if chance.random() < 0.5 else (443,)
            listeners[arn] = tuple(
                Listener(
                    f"{arn.replace(':loadbalancer/', ':listener/')}/{_hex(chance, 16)}",
                    arn,
                    "HTTPS" if port == 443 else "HTTP",
                    port,
                    (target_group,) if port == 443 else (),
                )
                for port in ports
            )
            target_groups[target_group] = TargetGroup(
                target_group, name, "instance", 8080, self.vpc, Family.IPV4, (arn,), True, 8081
            )
            ids = [f"i-{_hex(chance)}" for _ in range(chance.randint(1, 3))]
            targets[target_group] = tuple(Target(one, None, "healthy") for one in ids)
            for one in ids:
                address = f"10.{self.number % 256}.{chance.randrange(256)}.{chance.randrange(4, 250)}"
                instances[one] = Instance(one, address, None, (app,))
            tags[arn] = self.tags(name)
        return Estate(
            account_id=account_region.account_id,
            region=account_region.region,
            load_balancers={one.arn: one for one in found},
            listeners=listeners,
            target_groups=target_groups,
            # One target group in a hundred could not be read.
            targets={
                arn: one for number, (arn, one) in enumerate(targets.items()) if (number + self.number) % 97 != 16
            },
            security_groups={one.id: one for one in self.groups},
            has_all_security_groups=True,
            vpcs={self.vpc: Vpc(self.vpc, {Family.IPV4: (f"10.{self.number % 256}.0.0/16",), Family.IPV6: ()})},
            instances=instances,
            network_interfaces={},
            prefix_lists={},
            tags=tags,
        )


def _observed(estates: Sequence[Estate], as_of: datetime, pictures: int) -> Observation:
    findings: list[Finding] = []
    errors: list[EvaluationError] = []
    for estate in estates:
        found, failed = judge_all(estate, estate.load_balancers.values(), RULES)
        findings += found
        errors += failed
    exemptions = _exemptions(findings, as_of.date())
    report = _report(exemptions, findings, errors, estates, as_of.date())
    findings, errors = apply_exemptions(exemptions, findings, errors, as_of.date())
    names = tuple(sorted(rule.name for rule in RULES))
    account_regions = [(estate.account_id, estate.region) for estate in estates]
    results = Results(account_regions, sum(len(one.load_balancers) for one in estates), names, findings, errors, True)
    details = load_balancer_details(estates, RULES, results, pictures)
    observation = observe_results(results, details, as_of, report, pictures)
    numbers = range(len({estate.account_id for estate in estates}))
    silent = AccountRegion(_account_id(len(numbers)), REGIONS[0])
    heard = {
        account_region: as_of - timedelta(hours=1 + place)
        for place, account_region in enumerate(sorted(observation.completeness.observed))
    }
    lacking = sorted(heard)[4]
    coverage = replace(
        observation.completeness,
        expected=(*heard, silent),
        observed=heard,
        rules_deployed={
            account_region: frozenset(names) - ({names[1]} if account_region == lacking else set())
            for account_region in heard
        },
    )
    accounts = {_account_id(number): AccountName(*_account(number)) for number in numbers}
    accounts[silent.account_id] = AccountName("acquired-company", "Suspended")
    kept = [
        one
        for one in findings
        if not ((one.account_id, one.region) == (lacking.account_id, lacking.region) and one.rule == names[1])
    ]
    return replace(observation, results=replace(results, findings=kept), completeness=coverage, accounts=accounts)


def _exemptions(findings: Sequence[Finding], today: date) -> Exemptions:
    """Of the findings every fifteenth is exempt, for a while, shortly, or no more; and one that hides nothing."""
    bad = [finding for finding in findings if finding.compliance is Compliance.NON_COMPLIANT][::15]
    good = [finding for finding in findings if finding.compliance is Compliance.COMPLIANT][:1]
    days = (200, 12, -9, 90)
    entries = [
        Exemption(
            finding.load_balancer_arn,
            finding.rule,
            "moves behind the new edge",
            f"team-{TEAMS[place % len(TEAMS)]}",
            f"SEC-{100 + place}",
            today + timedelta(days=days[place % len(days)]),
        )
        for place, finding in enumerate([*bad, *good])
    ]
    malformed = MalformedExemption("exemptions[7]", "'expires' is missing", None, None)
    return Exemptions("s3://governance/alb-sg/exemptions.json", tuple(entries), (malformed,))


def _report(
    exemptions: Exemptions,
    findings: Sequence[Finding],
    errors: Sequence[EvaluationError],
    estates: Sequence[Estate],
    today: date,
) -> ExemptionsReport:
    every: list[Finding | EvaluationError] = [*findings, *errors]
    results = {(one.load_balancer_arn or "", one.rule or ""): one for one in every}
    looked = ReviewScope({AccountRegion(one.account_id, one.region) for one in estates}, results, ())
    return ExemptionsReport(
        exemptions.document_name, today, 30, review(exemptions.entries, looked, today, 30), exemptions.malformed, ()
    )


def _before(last: Observation, back: int, seed: int) -> Observation:
    """A run so many days earlier: some findings were not there yet, some since fixed were, some came and went; a load
    balancer that is gone was there; and one account was not heard from now and then."""
    silent = sorted(last.accounts)[2] if back % 3 == 1 else ""
    fresh = random.Random(seed)  # noqa: S311 (no secret)
    findings = []
    for finding in last.results.findings:
        draw, age = fresh.random(), fresh.randint(1, 12)
        if finding.account_id == silent:
            continue
        if finding.compliance is Compliance.NON_COMPLIANT and (
            (draw < 0.5 and back >= age) or (draw > 0.93 and back <= 3)
        ):
            finding = finding._replace(compliance=Compliance.COMPLIANT, annotation="met", missing=())
        elif finding.compliance is Compliance.COMPLIANT and draw < 0.06 and back >= age:
            finding = finding._replace(compliance=Compliance.NON_COMPLIANT, annotation="not open then")
        findings.append(finding)
    if silent != findings[0].account_id:
        arn = findings[0].load_balancer_arn.replace("/app/", "/app/retired-")
        findings.append(
            findings[0]._replace(
                load_balancer_arn=arn,
                load_balancer_name="retired",
                compliance=Compliance.NON_COMPLIANT,
                annotation="gone since",
            )
        )
    findings.sort(key=lambda finding: finding.sort_key)
    heard = {
        account_region: None for account_region in last.completeness.observed if account_region.account_id != silent
    }
    errors = [error for error in last.results.errors if error.account_id != silent]
    return replace(
        last,
        as_of=last.as_of - timedelta(days=back),
        results=replace(last.results, findings=findings, errors=errors),
        completeness=replace(last.completeness, observed=heard),
        details={arn: replace(one, explanation=None) for arn, one in last.details.items()},
    )
