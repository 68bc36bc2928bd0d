"""The command, as in its own tests."""

from tests.command_line.conftest import command

__all__ = ["command"]
