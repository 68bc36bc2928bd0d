"""`alb-sg verdicts`: what AWS Config has recorded in all accounts of an organization."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from alb_sg.command_line.aggregator_source import HELP, observed
from alb_sg.command_line.arguments import Commands, add_command, add_exemptions_option, add_output_option
from alb_sg.command_line.choice import choose
from alb_sg.command_line.exemption_source import given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import output
from alb_sg.command_line.result_format import add_format_options, is_exact, write
from alb_sg.command_line.sources import add_live_options
from alb_sg.dashboard.observation import Coverage
from alb_sg.report import words

DESCRIPTION = """\
Print the verdicts that AWS Config has recorded in every account and region of an organization, as its aggregator has
them, in any format of `alb-sg check`. Nothing is judged here: the verdicts are as old, and the parameters and
exemptions those, as when the deployed rules last ran; what they did not look at is said on standard error. To judge
the load balancers themselves, as the aggregator has recorded them, use `alb-sg check --aggregator NAME`.
"""
EXAMPLES = """\
  alb-sg verdicts --aggregator alb-sg
  alb-sg verdicts --aggregator alb-sg --region eu-central-1 --format asff --output findings.jsonl
  alb-sg verdicts --aggregator alb-sg --rule listener_ingress --format csv
"""
# How many accounts and regions a remark names.
MOST_NAMED = 5


def add_verdicts(commands: Commands) -> None:
    parser = add_command(
        commands,
        "verdicts",
        run,
        summary="print what AWS Config has recorded in all accounts",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.epilog = f"{parser.epilog}\n{HELP}"
    parser.add_argument("--aggregator", metavar="NAME", required=True, help="the name of the configuration aggregator")
    add_live_options(parser)
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="NAME",
        help="this rule only, with or without ALB_SG_; repeatable (default: all four)",
    )
    add_exemptions_option(parser)
    add_format_options(parser)
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    rules = choose(arguments.rule, ()).names
    arguments.as_of = arguments.as_of or datetime.now(UTC)
    with output(arguments.output, exact=is_exact(arguments)) as stream:
        exemptions = given_exemptions(arguments)
        observation = observed(arguments, rules, arguments.as_of, exemptions, names=False)
        write(observation.results, arguments, stream)
    for remark in _remarks(observation.coverage):
        sys.stderr.write(words.printable(f"alb-sg: {remark}") + "\n")
    return exit_code(observation.results.findings, observation.results.errors)


def _remarks(coverage: Coverage) -> Iterator[str]:
    """What nobody looked at."""
    silent = [] if coverage.expected is None else [home for home in coverage.expected if home not in coverage.heard]
    if coverage.expected and silent:
        yield (
            f"The aggregator collects from {len(coverage.expected):,} accounts and regions, and has nothing of "
            f"{len(silent):,} of them: {words.some([str(home) for home in silent], MOST_NAMED)}."
        )
    for home, rules in (coverage.rules_deployed or {}).items():
        lacking = sorted(set(coverage.rules_expected) - rules)
        if lacking:
            yield f"{home} has load balancers and no verdict of {', '.join(lacking)}."
    yield from coverage.gaps
