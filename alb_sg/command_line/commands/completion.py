"""`alb-sg completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import argparse

from alb_sg.command_line.arguments import Parser
from alb_sg.command_line.exit_code import ExitCode
from alb_sg.command_line.output import open_output

PROGRAM = "alb-sg"
SHELLS = ("bash", "zsh", "fish")
SUMMARY = "print what a shell needs to complete commands and options"
DESCRIPTION = """\
Print the lines that make a shell complete commands, options and their values with the Tab key.
"""
EXAMPLES = """\
  eval "$(alb-sg completion bash)"                                      in ~/.bashrc
  eval "$(alb-sg completion zsh)"                                       in ~/.zshrc, after compinit
  alb-sg completion fish > ~/.config/fish/completions/alb-sg.fish
"""
EXIT_CODES = """\
exit codes:
  0  success
  2  the command line is invalid
"""


def add_options(parser: Parser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(arguments: argparse.Namespace) -> int:
    # No other command needs it.
    from argcomplete.shell_integration import shellcode  # noqa: PLC0415 (slow, and not always needed)

    with open_output(None) as stream:
        stream.write(shellcode([PROGRAM], shell=arguments.shell))
    return ExitCode.SUCCESS
