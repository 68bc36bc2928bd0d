"""The command `alb-sg`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from alb_sg import __version__
from alb_sg.command_line.arguments import HelpFormatter, Parser, add_command
from alb_sg.command_line.exit_code import EXIT_CODES, ExitCode
from alb_sg.command_line.output import write_note
from alb_sg.command_line.settings_option import apply_settings
from alb_sg.errors import InvalidInputError, NotReadError, unexpected_error_text
from alb_sg.findings.phrasing import cut_middle, printable

# In the order of `alb-sg --help`. Each has a module of its name in `commands` (see `add_command`).
COMMANDS = (
    "check",
    "explain",
    "export",
    "what-if",
    "fix",
    "rules",
    "exemptions",
    "dashboard",
    "verdicts",
    "doctor",
    "completion",
)
MAX_ERROR_LENGTH = 1000
# argcomplete sets it where the shell asks for completions.
COMPLETION_VARIABLE = "_ARGCOMPLETE"
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
    words = list(sys.argv[1:] if argv is None else argv)
    if COMPLETION_VARIABLE in os.environ:
        _complete()
    try:
        code = _run(words)
        sys.stdout.flush()
    except InvalidInputError as error:
        _show_traceback(words)
        return _print_error(str(error), ExitCode.INVALID_INPUT)
    except NotReadError as error:
        _show_traceback(words)
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
    except Exception as error:  # noqa: BLE001 (Python would exit with 1, which means NON_COMPLIANT)
        return _print_error(f"{unexpected_error_text(error)}; the output is incomplete", ExitCode.INCOMPLETE_EVALUATION)
    return code


def _run(words: Sequence[str]) -> int:
    if words[:1] == ["help"]:
        # As with the AWS CLI.
        words = [*words[1:], "--help"]
    parser = build_parser(words[0] if words else "")
    if not words:
        parser.print_help()
        return ExitCode.SUCCESS
    command = words[0]
    notes: list[str] = []
    if command in COMMANDS and not {"-h", "--help"} & set(words):
        # Help must not depend on a file, and imports nothing for one.
        from alb_sg.command_line.configuration import configured_words, options_of_the_command_line  # noqa: PLC0415 (see above)

        added, notes, applied = configured_words(command, COMMANDS, parser.commands[command], words[1:])
        arguments = parser.parse_args([command, *added, *words[1:]])
        applied += options_of_the_command_line(parser.commands[command], words[1:], arguments)
        arguments.applied_options = applied
    else:
        arguments = parser.parse_args(words)
    if not hasattr(arguments, "run"):
        parser.error(f"give a command: {', '.join(COMMANDS)}")
    if arguments.debug:
        _log_calls()
    if arguments.verbose:
        for note in notes:
            write_note(note)
    apply_settings(arguments)
    code: int = arguments.run(arguments)
    return code


def _complete() -> None:
    """Answers the shell, which asks with the line so far in an environment variable, and ends the process."""
    import argcomplete  # noqa: PLC0415 (only a shell asks for it)

    command = os.environ.get("COMP_LINE", "").split()[1:2]
    argcomplete.autocomplete(build_parser(command[0] if command else ""))


def _log_calls() -> None:
    """Log each call to AWS by its address. botocore's own log also has headers, and with them session tokens."""
    import logging  # noqa: PLC0415 (most runs log nothing)

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("alb-sg: %(message)s"))
    logger = logging.getLogger("urllib3.connectionpool")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)


def _show_traceback(words: Sequence[str]) -> None:
    """The traceback of the current error, with `--debug`."""
    if "--debug" in words:
        import traceback  # noqa: PLC0415 (as above)

        sys.stderr.write(traceback.format_exc())


def build_parser(command: str = "") -> Parser:
    """The parser of all commands, or of one command, which then imports only that command's modules."""
    whole = Parser(
        prog="alb-sg",
        description=DESCRIPTION,
        epilog=EXAMPLES + EXIT_CODES,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("-V", "--version", action="version", version=f"alb-sg {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND")
    for name in [command] if command in COMMANDS else COMMANDS:
        add_command(commands, name, import_module(f"alb_sg.command_line.commands.{name.replace('-', '_')}"))
    whole.commands = commands.choices
    return whole


def _print_error(message: str, code: ExitCode) -> int:
    # A refusal quotes its input, which may be long. The fault and the remedy stand before and after it.
    sys.stderr.write(cut_middle(printable(f"alb-sg: {message}"), MAX_ERROR_LENGTH) + "\n")
    return code
