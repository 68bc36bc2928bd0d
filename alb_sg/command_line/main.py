"""The command `alb-sg`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from alb_sg import __version__
from alb_sg.command_line.arguments import Parser
from alb_sg.command_line.check import add_check
from alb_sg.command_line.dashboard import add_dashboard
from alb_sg.command_line.exemptions import add_exemptions
from alb_sg.command_line.exit_code import EXIT_CODES, ExitCode
from alb_sg.command_line.explain import add_explain
from alb_sg.command_line.export import add_export
from alb_sg.command_line.fix import add_fix
from alb_sg.command_line.rules import add_rules
from alb_sg.command_line.verdicts import add_verdicts
from alb_sg.command_line.what_if import add_what_if
from alb_sg.errors import Unread, UnusableInput
from alb_sg.report.words import printable

DESCRIPTION = """\
Hold the security groups of Application Load Balancers against what Elastic Load Balancing recommends: from a live
account, a saved estate, or AWS Config's snapshots.
"""
EXAMPLES = """\
start with:
  alb-sg check                   judge every load balancer of this account and region
  alb-sg explain NAME            see what a verdict rests on
  alb-sg COMMAND --help          options, sources and examples of a command

"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code (see `exit_code.ExitCode`)."""
    try:
        arguments = parser().parse_args(argv)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except UnusableInput as error:
        return _say(str(error), ExitCode.UNUSABLE)
    except Unread as error:
        return _say(str(error), ExitCode.NOT_JUDGED)
    except KeyboardInterrupt:
        return _say("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read has enough. What is still buffered must not fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except SystemExit as done:
        # argparse leaves this way after --help and --version.
        return int(done.code or 0)
    return code


def parser() -> Parser:
    """The parser of the whole command line."""
    whole = Parser(
        prog="alb-sg",
        description=DESCRIPTION,
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"alb-sg {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        add_check,
        add_explain,
        add_export,
        add_what_if,
        add_fix,
        add_rules,
        add_exemptions,
        add_dashboard,
        add_verdicts,
    ):
        add(commands)
    return whole


def _say(sentence: str, code: ExitCode) -> int:
    sys.stderr.write(printable(f"alb-sg: {sentence}") + "\n")
    return code
