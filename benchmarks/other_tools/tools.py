"""The tools: how each is run, what it flags, and which planted defect a policy or check of it is about."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.other_tools.account import PLANTED_CASES
from embedded_aws.account import REGION

HERE = Path(__file__).parent
# Asks two services that the simulation does not have.
UNSIMULATED_CHECK = "elbv2_waf_acl_attached"
# The simulation gives load balancers no network interfaces, so their groups look unused.
UNUSED_GROUP_CHECK = "ec2_securitygroup_not_used"


@dataclass(frozen=True, slots=True)
class Flag:
    """A policy, check or rule that flagged something: a load balancer's name, or a security group's id."""

    check: str
    resource: str


class Tool:
    """One way to look at the account. Results go into `folder`."""

    name: str
    check_by_case: Mapping[str, str]
    expected_exit_codes: tuple[int, ...]

    def __init__(self, environment: Path, folder: Path) -> None:
        self.environment, self.folder = environment, folder

    def version(self) -> str:
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def flags(self) -> Iterator[Flag]:
        raise NotImplementedError


class AlbSg(Tool):
    name = "alb-sg check"
    codes = (1,)
    about = {planted.name: planted.rule for planted in PLANTED_CASES if planted.rule is not None}  # noqa: RUF012 (never changed)

    def version(self) -> str:
        return _run_python(self.environment, "from alb_sg import __version__; print('alb-sg', __version__)")

    def command(self) -> Sequence[str]:
        output = str(self.folder / "findings.jsonl")
        program = str(self.environment / "bin" / "alb-sg")
        return (program, "check", "--region", REGION, "--format", "jsonl", "--output", output)

    def flags(self) -> Iterator[Flag]:
        for line in (self.folder / "findings.jsonl").read_text(encoding="utf-8").splitlines():
            finding = json.loads(line)
            if finding["compliance"] == "NON_COMPLIANT":
                yield Flag(finding["rule"], finding["loadBalancerName"])


class Custodian(Tool):
    name = "Cloud Custodian"
    codes = (0,)
    about = {  # noqa: RUF012 (never changed)
        "shut-port": "listener-443-not-open",
        "no-ipv6": "dualstack-443-not-open",
        "no-egress": "nothing-let-out",
        "no-health": "health-check-8081-not-let-out",
        "no-pmtud": "no-path-mtu-discovery",
        "wide-open": "open-to-the-world",
    }

    def version(self) -> str:
        return _run_python(self.environment, _VERSION_PROGRAM.format("c7n"))

    def command(self) -> Sequence[str]:
        # One cache for all policies, as it is used: what one of them has listed the next does not list again.
        cache, output = str(self.folder / "cache"), str(self.folder / "output")
        program = str(self.environment / "bin" / "custodian")
        policies = str(HERE / "custodian.yml")
        return (program, "run", "--region", REGION, "--cache", cache, "--output-dir", output, policies)

    def flags(self) -> Iterator[Flag]:
        for path in sorted((self.folder / "output").glob("*/resources.json")):
            for resource in json.loads(path.read_text(encoding="utf-8")):
                yield Flag(path.parent.name, resource["LoadBalancerName"])


class Prowler(Tool):
    name = "Prowler"
    # 3: some checks failed.
    codes = (3,)
    about = {"wide-open": "ec2_securitygroup_allow_ingress_from_internet_to_all_ports"}  # noqa: RUF012 (never changed)

    def version(self) -> str:
        return _run_python(self.environment, _VERSION_PROGRAM.format("prowler"))

    def checks(self) -> list[str]:
        """All of elbv2 and of security groups, but for those that a simulation cannot be asked."""
        services = next(self.environment.glob("lib/python3*/site-packages/prowler/providers/aws/services"))
        found = [path.name for kind in ("elbv2/elbv2_*/", "ec2/ec2_securitygroup_*/") for path in services.glob(kind)]
        return sorted(set(found) - {UNSIMULATED_CHECK, UNUSED_GROUP_CHECK})

    def command(self) -> Sequence[str]:
        program = str(self.environment / "bin" / "prowler")
        output = ("--output-formats", "csv", "--output-directory", str(self.folder), "--output-filename", "findings")
        # Else it passes over groups that no network interface has.
        scope = ("--region", REGION, "--scan-unused-services")
        return (program, "aws", *scope, "--no-banner", *output, "--checks", *self.checks())

    def flags(self) -> Iterator[Flag]:
        with (self.folder / "findings.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file, delimiter=";"):
                if line["STATUS"] == "FAIL":
                    yield Flag(line["CHECK_ID"], _resource_name(line["RESOURCE_UID"]))


_VERSION_PROGRAM = "from importlib.metadata import version; print('{0}', version('{0}'))"


def _run_python(environment: Path, program: str) -> str:
    """What a line of Python prints in an environment, and under which Python."""
    both = f"{program}\nimport platform; print('Python', platform.python_version())"
    done = subprocess.run([str(environment / "bin" / "python"), "-c", both], capture_output=True, text=True, check=True)
    return ", ".join(done.stdout.split("\n")[:2])


def _resource_name(arn: str) -> str:
    """A load balancer's name or a security group's id."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    return rest.split("/")[1] if kind == "loadbalancer" else rest


def make_tools(environments: Path, folder: Path) -> list[Tool]:
    """All of them; `peers` holds an environment each for those that are not this project."""
    made: list[Tool] = []
    kinds = ((AlbSg, Path(sys.prefix)), (Custodian, environments / "custodian"), (Prowler, environments / "prowler"))
    for kind, environment in kinds:
        results = folder / kind.__name__
        results.mkdir()
        made.append(kind(environment, results))
    return made
