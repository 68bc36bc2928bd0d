"""The schema of Terraform's AWS provider, from the bindings that HashiCorp generated from it for Python.

The package is not installed: its wheel is read as it is. It comes from the package index or pip's cache.
"""

from __future__ import annotations

import ast
import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import gettempdir

PACKAGE = "cdktf_cdktf_provider_aws"
# Generated from version 6.25.0 of the provider.
VERSION = "21.22.1"
SHA256 = "603c647c4de622ed0a2b5e0f1518d81a89b31eed84b67d23410840041e7df924"
# What every resource of Terraform has.
META_ARGUMENTS = frozenset({"connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioners"})


@dataclass(frozen=True)
class Block:
    """The arguments of a resource, data source or nested block; `blocks` are those that are blocks themselves."""

    arguments: frozenset[str]
    required: frozenset[str]
    blocks: dict[str, Block]


def provider_block(kind: str, *, data: bool = False) -> Block:
    """The schema of a type such as aws_sqs_queue. Raises KeyError for one that the provider does not have."""
    module = f"{'data_aws_' if data else ''}{kind.removeprefix('aws_')}"
    source = _wheel().read(f"{PACKAGE}/{module}/__init__.py")
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    return _block(classes, f"{''.join(part.capitalize() for part in module.split('_'))}Config")


def _block(classes: dict[str, ast.ClassDef], name: str) -> Block:
    [init] = [node for node in classes[name].body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    arguments: set[str] = set()
    required: set[str] = set()
    blocks: dict[str, Block] = {}
    for argument, default in zip(init.args.kwonlyargs, init.args.kw_defaults, strict=True):
        if argument.arg in META_ARGUMENTS:
            continue
        assert argument.annotation is not None
        arguments.add(argument.arg)
        if default is None:
            required.add(argument.arg)
        annotation = ast.unparse(argument.annotation)
        nested = [other for other in classes if f"'{other}'" in annotation]
        if nested:
            blocks[argument.arg] = _block(classes, nested[0])
    return Block(frozenset(arguments), frozenset(required), blocks)


@cache
def _wheel() -> zipfile.ZipFile:
    path = Path(gettempdir()) / f"{PACKAGE}-{VERSION}" / f"{PACKAGE}-{VERSION}-py3-none-any.whl"
    if not path.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run(  # noqa: S603 (our own)
            [*command, "--dest", str(path.parent), f"{PACKAGE.replace('_', '-')}=={VERSION}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
    return zipfile.ZipFile(path)
