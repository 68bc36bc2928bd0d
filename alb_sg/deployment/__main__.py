"""Builds the artifact and releases, renders the templates, deploys to one account, and replays failed events."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

import alb_sg
from alb_sg.aws.clients import CREDENTIAL_ERRORS
from alb_sg.deployment.artifact import Artifact, function_artifact, layer_artifact
from alb_sg.deployment.config_errors import InvalidSettingsError
from alb_sg.deployment.control_tower import control_tower_files
from alb_sg.deployment.deploy_commands import size_remarks, stack_set_remarks, unneeded_remarks
from alb_sg.deployment.documents import shipped_documents
from alb_sg.deployment.landing_zone import ROOT_PATH
from alb_sg.deployment.landing_zone_accelerator import accelerator_files
from alb_sg.deployment.organization_accounts import exclude_accounts, outsider_remarks, read_organization_accounts
from alb_sg.deployment.preflight import DeploymentError, artifact_buckets
from alb_sg.deployment.rdk_deployment import deploy_with_rdk
from alb_sg.deployment.release import EPOCH, build_wheel, empty_folder, released_on, sha256_of, write_checksums
from alb_sg.deployment.replay import replay
from alb_sg.deployment.rule_definition import read_rule_definitions
from alb_sg.deployment.settings import Settings, read_settings
from alb_sg.deployment.stack_deployment import deploy_stack
from alb_sg.deployment.template_files import (
    HAND_WRITTEN_FOLDER,
    deployment_remarks,
    regional_remarks,
    render_hand_written_templates,
    render_templates,
    stale_templates,
)
from alb_sg.deployment.terraform import FILE as TERRAFORM_FILE
from alb_sg.deployment.terraform import terraform_file
from alb_sg.errors import InvalidInputError
from alb_sg.observations.severities import format_severities


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0: done. 1: AWS refused, or the account is not ready. 2: the settings or the checkout are invalid, or a
    file cannot be written."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (InvalidSettingsError, InvalidInputError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except CREDENTIAL_ERRORS as error:
        sys.stderr.write(f"no usable AWS credentials ({error}); sign in, or name a profile in AWS_PROFILE\n")
        return 1
    except (DeploymentError, ClientError, BotoCoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'the output'}: {error.strerror or error}; the output is incomplete\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m alb_sg.deployment", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--rules", type=Path, default=Path("rules"), help="folder of the rules (default: rules)")
    configured = argparse.ArgumentParser(add_help=False)
    configured.add_argument(
        "--config", type=Path, default=Path("rdk-config.json"), help="settings file (default: rdk-config.json)"
    )
    written = argparse.ArgumentParser(add_help=False)
    written.add_argument("--output", type=Path, default=Path("dist"), help="folder to write to (default: dist)")
    bucketed = argparse.ArgumentParser(add_help=False)
    bucketed.add_argument("--bucket", help="bucket to deploy from, instead of artefactBucket in the settings")
    listed = argparse.ArgumentParser(add_help=False)
    listed.add_argument(
        "--organization-accounts",
        type=Path,
        metavar="FILE",
        help="output of `aws organizations list-accounts`: excludes inactive accounts and those outside memberAccounts",
    )
    counted = argparse.ArgumentParser(add_help=False)
    counted.add_argument("--dry-run", action="store_true", help="only count the events in the queues")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(run: Callable[[argparse.Namespace], object], text: str, *parents: argparse.ArgumentParser) -> None:
        # A command is called as its function.
        name = run.__name__.removeprefix("_").replace("_", "-")
        command = commands.add_parser(name, parents=[shared, *parents], help=text, description=text)
        command.set_defaults(run=run)

    add(_build, "build the functions' zip and the layer, each with its sha256, and the remediation documents", written)
    add(_pack, "build, then render every template that depends on the settings", configured, written, listed)
    add(
        _release,
        "pack, with the wheel, the Terraform modules, an SBOM and checksums, into a folder of the version",
        configured,
        written,
        listed,
    )
    add(_upload, "upload the zip to the bucket of each region, for central.yaml", configured, bucketed)
    add(_deploy, "deploy to one account with rdk: publish the layer, then run rdk deploy", configured, bucketed)
    add(
        _deploy_stack,
        "deploy to one account without rdk: one CloudFormation stack in each region",
        configured,
        bucketed,
    )
    add(
        _replay,
        "hand the events of the failed-event queues to their functions again, in every region",
        configured,
        counted,
    )
    return parser


def _build(options: argparse.Namespace, settings: Settings | None = None) -> Artifact:
    """Builds the artifacts, and the documents with the limits of the settings (None: the defaults). Returns the
    artifact of the functions."""
    artifact = function_artifact(options.rules)
    for one in (artifact, layer_artifact(options.rules)):
        path = one.write(options.output)
        _print_line(f"{path} ({len(one.content):,} bytes, sha256 {one.sha256})")
    folder = options.output / "remediation"
    folder.mkdir(exist_ok=True)
    for name, text in shipped_documents(artifact, settings).items():
        path = folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        _print_line(str(path))
    return artifact


def _pack(options: argparse.Namespace) -> None:
    settings = _settings(options)
    listing = options.organization_accounts
    if listing is not None:
        settings = exclude_accounts(settings, read_organization_accounts(listing), listing)
    artifact = _build(options, settings)
    files = render_templates(settings, artifact)
    hand_written = render_hand_written_templates(settings, options.rules.resolve().parent)
    other_tools = {
        TERRAFORM_FILE: terraform_file(settings, artifact),
        **accelerator_files(settings, artifact),
        **control_tower_files(settings),
    }
    for name, text in {**files, **hand_written, **other_tools}.items():
        path = options.output / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text, encoding="utf-8")
        _print_line(str(path))
    for path in stale_templates(options.output, {**files, **hand_written}):
        path.unlink()
        _print_line(f"removed {path}, which is of earlier settings")
    remarks = [
        *deployment_remarks(settings),
        *stack_set_remarks(settings, files, options.output),
        *size_remarks(settings, files, options.output),
        *unneeded_remarks(settings, files, options.output),
    ]
    if listing is None:
        remarks += outsider_remarks(settings)
    for remark in remarks:
        _print_line(remark)


def _release(options: argparse.Namespace) -> None:
    # cyclonedx takes a second to import, which no other command needs.
    from alb_sg.deployment.sbom import sbom  # noqa: PLC0415 (slow, and not always needed)

    checkout = options.rules.resolve().parent
    date = released_on(checkout)
    options.output /= alb_sg.__version__
    empty_folder(options.output)
    _pack(options)
    shutil.copytree(checkout / HAND_WRITTEN_FOLDER / "terraform", options.output / "terraform")
    wheel = build_wheel(checkout, options.output)
    shipped = [wheel, *options.output.glob("*.zip")]
    path = options.output / f"alb-sg-{alb_sg.__version__}.cdx.json"
    path.write_text(
        sbom({file.name: sha256_of(file) for file in shipped}, date or datetime.fromtimestamp(EPOCH, UTC)),
        encoding="utf-8",
    )
    for written in (wheel, path, write_checksums(options.output)):
        _print_line(str(written))
    if date is None:
        _print_line(
            f"CHANGELOG.md says that {alb_sg.__version__} is unreleased; write its date there before you publish"
        )


def _upload(options: argparse.Namespace) -> None:
    settings = _settings(options)
    artifact = function_artifact(options.rules)
    buckets = artifact_buckets(settings)
    for bucket in buckets:
        bucket.check()
    for bucket in buckets:
        bucket.upload(artifact.key, artifact.content)
        _print_line(f"{bucket.region}: s3://{bucket.name}/{artifact.key}")
    if settings.severities:
        _print_line(f"for deploy/dashboard.yaml: Severities={format_severities(settings.severities)}")


def _deploy(options: argparse.Namespace) -> None:
    settings = _settings(options)
    if settings.reserved_concurrency is not None or settings.maximum_event_age_seconds is not None:
        _print_line("rdk cannot set reservedConcurrency or maximumEventAgeSeconds; deploy-stack can")
    zone = settings.landing_zone
    if zone.kms_keys or zone.code_signing or zone.role_path != ROOT_PATH:
        _print_line(
            "rdk cannot set landingZone.kmsKeys, landingZone.codeSigning or landingZone.rolePath; deploy-stack can"
        )
    deploy_with_rdk(settings, layer_artifact(options.rules), options.rules, _print_line)


def _deploy_stack(options: argparse.Namespace) -> None:
    settings = _settings(options)
    for remark in regional_remarks(settings):
        _print_line(remark)
    deploy_stack(settings, function_artifact(options.rules), _print_line)


def _replay(options: argparse.Namespace) -> None:
    replay(_settings(options), _print_line, dry_run=options.dry_run)


def _settings(options: argparse.Namespace) -> Settings:
    settings = read_settings(options.config, read_rule_definitions(options.rules))
    bucket = getattr(options, "bucket", None)
    return replace(settings, artifact_bucket=bucket) if bucket else settings


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
