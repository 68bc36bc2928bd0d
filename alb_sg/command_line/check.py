"""`alb-sg check`: the verdict of every rule on every load balancer."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

from alb_sg.command_line.arguments import (
    Commands,
    add_command,
    add_exemptions_option,
    add_output_option,
    add_rule_options,
    add_source_options,
)
from alb_sg.command_line.choice import Choice, choose
from alb_sg.command_line.exemption_source import Given, given_exemptions
from alb_sg.command_line.exit_code import exit_code
from alb_sg.command_line.output import output
from alb_sg.command_line.progress import Progress
from alb_sg.command_line.sources import Gathered, gather, home
from alb_sg.estate.model import LoadBalancer
from alb_sg.findings.finding import Finding, JudgementError
from alb_sg.findings.judge import judge_all
from alb_sg.report import words
from alb_sg.report.csv_report import write_csv
from alb_sg.report.json_report import write_json, write_json_lines
from alb_sg.report.results import Results
from alb_sg.report.style import Style
from alb_sg.report.text import write_text

DESCRIPTION = """\
Judge the security groups of load balancers against what Elastic Load Balancing recommends for Application Load
Balancers: listener ports open to clients, targets reachable on their ports and health check ports, Path MTU
Discovery. A load balancer is COMPLIANT, NON_COMPLIANT or NOT_APPLICABLE to each rule; what could not be read is an
error that names it, never a verdict.
"""
EXAMPLES = """\
  alb-sg check                                          this account, in the profile's region
  alb-sg check --region eu-west-1 --region us-east-1
  alb-sg check --load-balancer shop --rule listener_ingress
  alb-sg check --estate estate.json --format json       no call is made
  alb-sg check --config-items snapshot.json.gz --format csv --output findings.csv
  alb-sg check --parameter ALB_SG_LISTENER_INGRESS:AcceptedSources=pl-3b927c52,10.0.0.0/8
  alb-sg check --exemptions exemptions.json             see `alb-sg exemptions --help`
"""
FORMATS = ("text", "json", "jsonl", "csv")


def add_check(commands: Commands) -> None:
    parser = add_command(
        commands, "check", run, summary="judge load balancers", description=DESCRIPTION, examples=EXAMPLES
    )
    add_source_options(parser)
    add_rule_options(parser)
    add_exemptions_option(parser)
    parser.add_argument(
        "--load-balancer",
        action="append",
        default=[],
        metavar="ARN|NAME",
        help="judge this load balancer only; repeatable (default: all)",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="text for people (default); json, jsonl (a finding per line) and csv for programs",
    )
    add_output_option(parser)


def run(arguments: argparse.Namespace) -> int:
    choice = choose(arguments.rule, arguments.parameter)
    with output(arguments.output, exact=arguments.format != "text") as stream:
        exemptions = given_exemptions(arguments)
        results = judged(gather(arguments, choice, arguments.load_balancer), choice, exemptions)
        _write(results, arguments.format, stream)
    if arguments.format == "csv":
        for error in results.errors:
            where = f"{error.load_balancer_arn}: " if error.load_balancer_arn else ""
            sys.stderr.write(words.printable(f"alb-sg: {where}{words.what(error)}: {error.cause}") + "\n")
    return exit_code(results.findings, results.errors)


def judged(gathered: Gathered, choice: Choice, exemptions: Given | None = None) -> Results:
    """Every rule chosen on every load balancer selected, and exemptions where some are given."""
    findings: list[Finding] = []
    errors: list[JudgementError] = list(gathered.errors)
    total = len(gathered.load_balancers)
    with Progress("judging load balancers") as progress:
        done = 0

        def counted(load_balancers: Iterable[LoadBalancer]) -> Iterator[LoadBalancer]:
            nonlocal done
            for load_balancer in load_balancers:
                yield load_balancer
                done += 1
                progress(done, total)

        for estate in gathered.estates:
            found, failed = judge_all(estate, counted(gathered.selected[home(estate)]), choice.rules)
            findings.extend(found)
            errors.extend(failed)
    if exemptions is not None:
        findings, errors = exemptions.applied(findings, errors)
    findings.sort(key=lambda finding: finding.sort_key)
    errors.sort(key=lambda error: error.sort_key)
    return Results(
        [home(estate) for estate in gathered.estates], total, choice.names, findings, errors, exemptions is not None
    )


def _write(results: Results, format_name: str, stream: TextIO) -> None:
    if format_name == "json":
        write_json(results, stream)
    elif format_name == "jsonl":
        write_json_lines(results, stream)
    elif format_name == "csv":
        write_csv(results, stream)
    else:
        write_text(results, stream, Style.of(stream))
