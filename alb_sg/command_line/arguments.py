"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any, NoReturn, TypeAlias

from alb_sg.command_line.argument_types import add_repeatable
from alb_sg.command_line.exemption_options import add_date_option
from alb_sg.command_line.exit_code import EXIT_CODES
from alb_sg.command_line.suggestions import did_you_mean
from alb_sg.errors import InvalidInputError
from alb_sg.recommendations.catalogue import RECOMMENDATIONS_BY_NAME

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001 (argparse gives the type no public name)
HELP_WIDTH = 120
# Where the explanations of options begin.
HELP_COLUMN = 28
DEBUG_HELP = "log calls to AWS to standard error, and show the traceback of an error"


class Parser(argparse.ArgumentParser):
    """A parser that reports a wrong option as any other invalid input, with the help of the command that it is for.

    `commands` are the parsers of the commands, by name.
    """

    commands: Mapping[str, Parser] = MappingProxyType({})

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(f"{message} (see {self.prog} --help)")

    # argparse hands what a command does not know up to the whole parser, whose help lacks the command's options.
    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 (as argparse has it)
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            name = unknown[0].partition("=")[0]
            hint = did_you_mean(name, options) if name.startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return parsed, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            hint = did_you_mean(str(value), map(str, action.choices or ()))
            raise argparse.ArgumentError(action, f"{error.message}{hint}") from error


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help in one width, whatever the terminal's: its examples and tables are laid out for it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=HELP_COLUMN, width=HELP_WIDTH)
        # One column for all of it. argparse's own is that of the longest option, and forgets the indent of commands.
        self._action_max_length = HELP_COLUMN


def add_command(commands: Commands, name: str, module: ModuleType) -> None:
    """Adds the command of a module, whose help ends with examples and exit codes.

    The module has SUMMARY, DESCRIPTION, EXAMPLES, its own EXIT_CODES if it has any, `add_options` for the parser, and
    `run`, which takes the parsed arguments and returns the exit code.
    """
    parser = commands.add_parser(
        name,
        help=module.SUMMARY,
        description=module.DESCRIPTION,
        epilog=f"examples:\n{module.EXAMPLES}\n{getattr(module, 'EXIT_CODES', EXIT_CODES)}",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=module.run, applied_options=())
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say which options come from the environment or a configuration file",
    )
    parser.add_argument("--debug", action="store_true", help=DEBUG_HELP)
    module.add_options(parser)


def add_rule_option(parser: Parser, explanation: str) -> None:
    action = add_repeatable(parser, "--rule", metavar="NAME", help=explanation)
    action.completer = _complete_rules  # type: ignore[attr-defined]  # argcomplete's


def _complete_rules(**_: object) -> list[str]:
    return sorted(RECOMMENDATIONS_BY_NAME)


def add_rule_options(parser: Parser) -> None:
    add_rule_option(
        parser, "judge this rule only, with or without ALB_SG_; repeatable (default: all that are deployed by default)"
    )
    add_repeatable(
        parser,
        "--parameter",
        metavar="RULE:Key=Value",
        help="a rule parameter, for one rule or for every rule that takes it; repeatable; see `alb-sg rules`",
    )


def add_exemptions_option(parser: Parser) -> None:
    parser.add_argument(
        "--exemptions",
        metavar="SOURCE",
        help="apply the exemptions in this file, s3://bucket/key or ssm:/parameter/name, as the rule parameter "
        "Exemptions does; a malformed entry is an error",
    )
    add_date_option(parser)


def add_text_or_json_option(parser: Parser) -> None:
    parser.add_argument(
        "-f", "--format", choices=("text", "json"), default="text", help="text for people (default), or json"
    )


def add_output_option(parser: Parser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="F",
        help="write to this file, compressed if it ends in .gz; on failure an existing file stays as it was",
    )


def add_history_option(parser: argparse.ArgumentParser, note: str = "") -> None:
    """Adds the option; `note` begins its help, such as the formats that it is for."""
    parser.add_argument(
        "--history",
        metavar="DIR",
        help=f"{note}compare with the runs in this folder and add this run to them; a missing folder is created",
    )
