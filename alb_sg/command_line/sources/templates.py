"""The source `--template`: CloudFormation templates."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.json_files import STANDARD_INPUT
from alb_sg.estate.planned.resources import Scenario

if TYPE_CHECKING:
    from alb_sg.estate.planned.template_stacks import TemplateFile

TEMPLATES_HELP = """\
  --template F       the estate that a CloudFormation template would make, in JSON or YAML (- for standard input). F may
                     be the output folder of `cdk synth`. Repeat it for templates that are deployed together: an export
                     of one is an import of another. NAME=F gives the stack's name. Nested stacks are read from local
                     paths, or from --nested-template. A parameter without a value is unknown, or one of its allowed
                     values. A verdict has to hold in every way of deploying the template; else it is an error that
                     says what it depends on. SAM templates need `alb-sg[sam]`, YAML needs `alb-sg[templates]`
"""
STACK_NAME_TAG = "aws:cloudformation:stack-name"
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# What nothing but templates has.
_TEMPLATE_OPTIONS = {
    "template_parameter": "--template-parameter",
    "template_parameter_file": "--template-parameter-file",
    "template_defaults": "--template-defaults",
    "nested_template": "--nested-template",
}


def add_template_arguments(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--template",
        action="append",
        default=[],
        metavar="F",
        help="a CloudFormation template, or the output folder of `cdk synth`; repeatable",
    )
    group.add_argument(
        "--template-parameter",
        action="append",
        default=[],
        metavar="K=V",
        help="the value of a template's parameter or pseudo parameter (AWS::Region); repeatable",
    )
    group.add_argument(
        "--template-parameter-file",
        action="append",
        default=[],
        metavar="F",
        help="values of parameters, as `aws cloudformation` and AWS CodePipeline take them; repeatable",
    )
    group.add_argument(
        "--nested-template",
        action="append",
        default=[],
        metavar="STACK=F",
        help="the template of the nested stack with this logical ID, whose TemplateURL is no local path; repeatable",
    )
    group.add_argument(
        "--template-defaults",
        action="store_true",
        help="parameters without a value have their default (else they are not known)",
    )


def reads_templates(arguments: argparse.Namespace) -> bool:
    """Whether the source is templates. Raises InvalidInputError for their options without any."""
    if getattr(arguments, "template", None):
        return True
    for name, option in _TEMPLATE_OPTIONS.items():
        if getattr(arguments, name, None):
            raise InvalidInputError(f"{option} is for templates; give one with --template, or omit it")
    return False


def read_template_scenarios(arguments: argparse.Namespace, *, over_estate: bool) -> list[Scenario]:
    """Every way of deploying the given templates. Raises InvalidInputError."""
    # Most runs judge no template.
    from alb_sg.estate.planned.cloudformation import read_templates  # noqa: PLC0415 (see above)
    from alb_sg.estate.planned.template_parameters import parse_assignments, read_parameter_file  # noqa: PLC0415 (slow, and not always needed)
    from alb_sg.estate.planned.template_stacks import GivenValues  # noqa: PLC0415 (slow, and not always needed)

    values: dict[str, str] = {}
    for path in arguments.template_parameter_file:
        values |= read_parameter_file(path)
    # What stands in the command goes before what stands in a file.
    values |= parse_assignments(arguments.template_parameter)
    nested = parse_assignments(arguments.nested_template, what="a nested template", form="STACK=F")
    given = GivenValues(values, take_defaults=arguments.template_defaults, nested_templates=nested)
    return read_templates(_template_files(arguments.template), given, over_estate=over_estate)


def refuse_existing_stacks(arguments: argparse.Namespace, base: Sequence[Estate]) -> None:
    """Raises InvalidInputError for a template of a stack that the base has: what an update changes is not known."""
    names = {file.stack_name for file in _template_files(arguments.template)} - {None}
    for estate in base:
        for group in (estate.security_groups or {}).values():
            name = group.tags.get(STACK_NAME_TAG)
            if name in names:
                raise InvalidInputError(
                    f"the stack {name} exists already ({group.id}), and over an estate a template is judged as a new "
                    "stack; judge it alone: omit --estate, --profile and --region"
                )


def _template_files(given: Sequence[str]) -> list[TemplateFile]:
    from alb_sg.estate.planned.cdk_output import read_cdk_output  # noqa: PLC0415 (most runs judge no template)
    from alb_sg.estate.planned.template_stacks import TemplateFile  # noqa: PLC0415 (slow, and not always needed)

    found: list[TemplateFile] = []
    for text in given:
        name, separator, path = text.partition("=")
        if not separator or not STACK_NAME.fullmatch(name) or Path(text).exists():
            name, path = "", text
        if path != STANDARD_INPUT and Path(path).is_dir():
            found += read_cdk_output(path)
        else:
            found.append(TemplateFile(path, name or None))
    if sum(file.path == STANDARD_INPUT for file in found) > 1:
        raise InvalidInputError("standard input holds one template; give the others as files")
    repeated = [file.path for index, file in enumerate(found) if file in found[:index]]
    if repeated:
        raise InvalidInputError(f"--template names {repeated[0]} twice; give it once, or with two stack names (NAME=F)")
    return found
