"""The source `--template`: CloudFormation templates."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alb_sg.command_line.argument_types import add_repeatable, given_option
from alb_sg.errors import InvalidInputError
from alb_sg.estate.estate import Estate
from alb_sg.estate.json_files import STANDARD_INPUT

if TYPE_CHECKING:
    from alb_sg.estate.planned.resources import Scenario
    from alb_sg.estate.planned.template_stacks import TemplateFile

TEMPLATES_HELP = """\
  --template F       the estate that a CloudFormation template would make, in JSON or YAML (- for standard input). F may
                     be the output folder of `cdk synth`. Repeat it for templates that are deployed together: an export
                     of one is an import of another. NAME=F gives the stack's name. Nested stacks are read from local
                     paths, or from --nested-template. A parameter without a value is unknown, or one of its allowed
                     values. A verdict has to hold in every way of deploying the template; else it is an error that
                     says what it depends on. SAM templates need `alb-sg[sam]`, YAML needs `alb-sg[templates]`. Over an
                     account, a template whose stack is deployed (NAME=F, --stack) is judged as its update
"""
STACK_NAME_TAG = "aws:cloudformation:stack-name"
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
# Options that only templates have.
_TEMPLATE_OPTIONS = (
    "--template-parameter",
    "--template-parameter-file",
    "--template-defaults",
    "--nested-template",
    "--stack",
    "--stack-resources",
    "--previous-parameters",
)


def add_template_arguments(group: argparse._ActionsContainer) -> None:
    add_repeatable(
        group,
        "--template",
        metavar="F",
        help="a CloudFormation template, or the output folder of `cdk synth`; repeatable",
    )
    add_repeatable(
        group,
        "--template-parameter",
        metavar="K=V",
        help="the value of a template's parameter or pseudo parameter (AWS::Region); repeatable",
    )
    add_repeatable(
        group,
        "--template-parameter-file",
        metavar="F",
        help="values of parameters, as `aws cloudformation` and AWS CodePipeline take them; repeatable",
    )
    add_repeatable(
        group,
        "--nested-template",
        metavar="STACK=F",
        help="the template of the nested stack with this logical ID, whose TemplateURL is no local path; repeatable",
    )
    group.add_argument(
        "--template-defaults",
        action="store_true",
        help="parameters without a value have their default (else they are not known)",
    )
    group.add_argument(
        "--stack",
        metavar="NAME",
        help="the deployed stack, by name or ARN, that the one --template updates; needs --profile or --region",
    )
    add_repeatable(
        group,
        "--stack-resources",
        metavar="F",
        help="the resources of the stack that the template updates, as `aws cloudformation describe-stack-resources` "
        "prints them, for --estate; repeatable for nested stacks",
    )
    group.add_argument(
        "--previous-parameters",
        action="store_true",
        help="parameters without a value keep that of the deployed stack (else they are not known)",
    )


def reads_templates(arguments: argparse.Namespace) -> bool:
    """Whether the source is templates. Raises InvalidInputError for their options without any."""
    if getattr(arguments, "template", None):
        return True
    if (option := given_option(arguments, *_TEMPLATE_OPTIONS)) is not None:
        raise InvalidInputError(f"{option} is for templates; give one with --template, or omit it")
    return False


def read_template_scenarios(
    arguments: argparse.Namespace, *, over_estate: bool
) -> tuple[list[Scenario], Sequence[TemplateFile]]:
    """Every way of deploying the given templates, and the templates with the stacks that they update.

    Raises InvalidInputError and NotReadError.
    """
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
    files = _with_deployed_stacks(arguments, _template_files(arguments.template))
    return read_templates(files, given, over_estate=over_estate), files


def _with_deployed_stacks(arguments: argparse.Namespace, files: Sequence[TemplateFile]) -> Sequence[TemplateFile]:
    """The templates, each with the stack that it updates."""
    is_live = bool(arguments.profile or arguments.region)
    if arguments.stack is not None and not is_live:
        raise InvalidInputError("--stack is read from an account; give --profile or --region, or omit it")
    if arguments.stack_resources and not arguments.estate:
        raise InvalidInputError(
            "--stack-resources is for a saved estate; give --estate, or name the stack with --stack"
        )
    if arguments.stack is not None and len(files) > 1:
        raise InvalidInputError("--stack is for one template; with several, name each template's stack (NAME=F)")
    if is_live:
        found = _with_live_stacks(arguments, files)
    elif arguments.stack_resources:
        found = _with_saved_stacks(arguments, files)
    else:
        found = list(files)
    if arguments.previous_parameters:
        if all(one.deployed is None for one in found) or not is_live:
            raise InvalidInputError(
                "--previous-parameters are those of a deployed stack; name it with --stack and give --profile or "
                "--region, or omit it"
            )
        found = [one if one.deployed is None else replace(one, parameters=one.deployed.parameters) for one in found]
    return found


def _with_live_stacks(arguments: argparse.Namespace, files: Sequence[TemplateFile]) -> list[TemplateFile]:
    names = {arguments.stack} if arguments.stack is not None else {one.stack_name for one in files} - {None}
    if not names:
        return list(files)
    from alb_sg.command_line.sources.live import open_regions  # noqa: PLC0415 (botocore is slow to import)
    from alb_sg.command_line.sources.sessions import Credentials  # noqa: PLC0415 (as above)
    from alb_sg.live.stacks import read_stack  # noqa: PLC0415 (see above)

    opened = open_regions(Credentials(arguments.profile), arguments.region)
    places = [(place, make("cloudformation")) for place, make in opened]
    found = []
    for file in files:
        name = arguments.stack or file.stack_name
        own = [
            (place, client)
            for place, client in places
            if file.region in (None, place.region) and file.account_id in (None, place.account_id)
        ]
        stacks = [(place, stack) for place, client in own if name and (stack := read_stack(client, name)) is not None]
        if len(stacks) > 1:
            raise InvalidInputError(
                f"the stack {name} is in {', '.join(str(place) for place, _ in stacks)}; give one --region"
            )
        if not stacks and arguments.stack is not None:
            where = ", ".join(str(place) for place, _ in own) or "that account and region"
            raise InvalidInputError(f"there is no stack {name} in {where}; correct --stack, or omit it for a new stack")
        if stacks:
            place, stack = stacks[0]
            file = replace(
                file, stack_name=stack.name, account_id=place.account_id, region=place.region, deployed=stack
            )
        found.append(file)
    return found


def _with_saved_stacks(arguments: argparse.Namespace, files: Sequence[TemplateFile]) -> list[TemplateFile]:
    from alb_sg.estate.planned.deployed_stack import read_resource_files  # noqa: PLC0415 (most runs judge no template)

    stacks = read_resource_files(arguments.stack_resources)
    if len(files) == 1 and files[0].stack_name is None and len(stacks) == 1:
        return [replace(files[0], stack_name=stacks[0].name or None, deployed=stacks[0])]
    by_name = {stack.name: stack for stack in stacks}
    for name in by_name:
        if name not in {one.stack_name for one in files}:
            raise InvalidInputError(
                f"no --template is for the stack {name!r} of --stack-resources; name it (--template {name or 'NAME'}=F)"
            )
    return [replace(one, deployed=by_name.get(one.stack_name or "")) for one in files]


def refuse_existing_stacks(files: Sequence[TemplateFile], base: Sequence[Estate]) -> None:
    """Raises InvalidInputError for a template of a stack that the base has and whose resources nobody told."""
    names = {file.stack_name for file in files if file.deployed is None} - {None}
    for estate in base:
        for group in (estate.security_groups or {}).values():
            name = group.tags.get(STACK_NAME_TAG) if isinstance(group.tags, Mapping) else None
            if name in names:
                raise InvalidInputError(
                    f"the stack {name} exists already ({group.id}); tell which resources it has with --stack-resources "
                    f"(`aws cloudformation describe-stack-resources --stack-name {name}`), or judge the template alone"
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
