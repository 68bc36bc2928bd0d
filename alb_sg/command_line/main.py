"""The command `alb-sg`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from alb_sg import __version__
from alb_sg.command_line.arguments import Parser
from alb_sg.command_line.exit_code import EXIT_CODES, ExitCode
from alb_sg.command_line.settings_option import apply_settings
from alb_sg.errors import InvalidInputError, NotReadError
from alb_sg.findings.phrasing import cut_middle, printable

# In the order of `alb-sg --help`. Each has a module of its name in `commands`, with a function `add_<command>`.
COMMANDS = ("check", "explain", "export", "what-if", "fix", "rules", "exemptions", "dashboard", "verdicts", "doctor")
MAX_ERROR_LENGTH = 1000
DESCRIPTION = """\
Check the security groups of Application Load Balancers against the recommendations of Elastic Load Balancing, in a
live account, a saved estate, or AWS Config's snapshots.
"""
EXAMPLES = """\
start with:
  alb-sg check                   judge every load balancer of this account and region
  alb-sg explain NAME            see the reasons for a verdict
  alb-sg COMMAND --help          options, sources and examples of a command

"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code (`exit_code.ExitCode`)."""
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = build_parser(words[0] if words else "").parse_args(words)
        apply_settings(arguments)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except InvalidInputError as error:
        return _print_error(str(error), ExitCode.INVALID_INPUT)
    except NotReadError as error:
        return _print_error(str(error), ExitCode.INCOMPLETE_EVALUATION)
    except KeyboardInterrupt:
        return _print_error("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader has closed the pipe. Buffered output must not fail again when the interpreter exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except OSError as error:
        # For example a full disk: the output so far is incomplete.
        where = error.filename or "the output"
        return _print_error(f"{where}: {error.strerror or error}; the output is incomplete", ExitCode.INVALID_INPUT)
    except SystemExit as done:
        # argparse exits this way after --help and --version.
        return int(done.code or 0)
    return code


def build_parser(command: str = "") -> Parser:
    """The parser of all commands, or of one command, which then imports only that command's modules."""
    whole = Parser(
        prog="alb-sg",
        description=DESCRIPTION,
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"alb-sg {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in [command] if command in COMMANDS else COMMANDS:
        module = name.replace("-", "_")
        getattr(import_module(f"alb_sg.command_line.commands.{module}"), f"add_{module}")(commands)
    return whole


def _print_error(message: str, code: ExitCode) -> int:
    # A refusal quotes its input, which may be long. What is wrong and what to do stand before and after it.
    sys.stderr.write(cut_middle(printable(f"alb-sg: {message}"), MAX_ERROR_LENGTH) + "\n")
    return code
