"""The artifact: one zip with all handlers (rules, dashboard, Hook, sweep) and every module that they import.

Lambda's runtime provides boto3. Everything else is pure Python, so one zip serves every architecture. The zip holds
service models made from the installed botocore. It holds each module as source and compiled for the Python that builds.
The same tree, botocore and Python (3.x) give the same bytes. Another Python ignores the compiled modules and compiles
the source at each cold start, because Lambda's code folder is read-only.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import marshal
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

import alb_sg
from alb_sg.deployment.rule_definition import rule_folders
from alb_sg.deployment.service_models import service_model_files
from alb_sg.errors import InvalidInputError
from alb_sg.recommendations.catalogue import RECOMMENDATIONS

# The packages of the zip, and the distribution that each comes from. PyYAML reads the templates that a Hook is given.
DISTRIBUTIONS = {"alb_sg": "alb-sg", "rdklib": "rdklib", "yaml": "pyyaml"}
PACKAGES = tuple(DISTRIBUTIONS)
# The module that the remediation documents import from the artifact, which is attached to them.
SCRIPTS_MODULE = "alb_sg.ssm_documents.scripts"
# The handlers of the dashboard, the Hook and the sweep. Their templates are in deploy/.
FUNCTION_MODULES = ("alb_sg.functions.dashboard", "alb_sg.functions.hook", "alb_sg.functions.snapshot_batch")
# The fast file reader needs msgspec and isal, which Lambda lacks. No function reaches it.
EXCLUDED_MODULE = "alb_sg.estate.snapshots.reader"
# The page's files that are not modules.
ASSETS = "dashboard/assets"
# The earliest time that zip can represent.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
UNIX_SYSTEM = 3
# Flags of a compiled module (PEP 552): it holds its source's hash, and Python does not check it on import.
UNCHECKED_HASH = 0b01


@dataclass(frozen=True, slots=True)
class Artifact:
    """A zip in memory. `name` is its file name, `key` its key in a bucket. The key depends on the content, so that
    CloudFormation notices a changed function."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def key(self) -> str:
        return f"alb-sg/{self.name.removesuffix('.zip')}-{self.sha256[:16]}.zip"

    def write(self, folder: Path) -> Path:
        """Writes the zip and, next to it, its sha256 in the format of `sha256sum --check`. Returns the zip's path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.name
        path.write_bytes(self.content)
        path.with_name(f"{self.name}.sha256").write_text(f"{self.sha256}  {self.name}\n", encoding="utf-8")
        return path


def function_artifact(rules: Path) -> Artifact:
    """The zip that every rule's function runs. Its handlers are `<RULE>.lambda_handler`."""
    handlers = _rule_handlers(rules)
    return _make_artifact("alb-sg", {**_library_files(handlers), **handlers})


def layer_artifact(rules: Path) -> Artifact:
    """The library without the rules, as a layer for rdk's functions: rdk packs only a rule's own folder."""
    return _make_artifact(
        "alb-sg-layer", {f"python/{name}": data for name, data in _library_files(_rule_handlers(rules)).items()}
    )


def _make_artifact(name: str, files: Mapping[str, bytes]) -> Artifact:
    return Artifact(f"{name}-{alb_sg.__version__}.zip", _make_zip({**files, **_compiled_modules(files)}))


def _compiled_modules(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The compiled modules by their path in `__pycache__`, as unchecked hash-based files (PEP 552).

    They are marshalled in version 2. Later versions record shared objects, which depend on what else is in memory.
    """
    return {
        importlib.util.cache_from_source(name): _compiled_module(name, source)
        for name, source in files.items()
        if name.endswith(".py")
    }


# A command builds several artifacts of the same modules.
@cache
def _compiled_module(name: str, source: bytes) -> bytes:
    header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little")
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    return header + importlib.util.source_hash(source) + marshal.dumps(code, 2)


def _make_zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, TIMESTAMP)
            info.create_system = UNIX_SYSTEM
            info.external_attr = FILE_MODE << 16
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def _rule_handlers(rules: Path) -> dict[str, bytes]:
    """The rules' handler modules by file name."""
    return {f"{folder.name}.py": (folder / f"{folder.name}.py").read_bytes() for folder in rule_folders(rules)}


def _library_files(handlers: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of every module that handlers and scripts import, with their licenses, the page's assets and the
    service models."""
    package_folder = Path(alb_sg.__file__).parent
    bundled = {name: distribution(of) for name, of in DISTRIBUTIONS.items() if name != alb_sg.__name__}
    roots = {"alb_sg": package_folder, **{name: Path(str(of.locate_file(name))) for name, of in bundled.items()}}
    found: dict[str, Path] = {}
    of_handlers = (name for source in handlers.values() for name in _imported_modules(source, "", is_package=False))
    # The catalogue imports its modules by name, which no import statement shows.
    of_catalogue = (f"alb_sg.recommendations.{rule.module_name}" for rule in RECOMMENDATIONS)
    waiting = [SCRIPTS_MODULE, *FUNCTION_MODULES, *of_handlers, *of_catalogue]
    while waiting:
        name = waiting.pop()
        path = _module_file(name, roots)
        if path is None or name in found or name == EXCLUDED_MODULE:
            continue
        found[name] = path
        waiting.append(name.rpartition(".")[0])
        waiting.extend(_imported_modules(path.read_bytes(), name, is_package=path.name == "__init__.py"))
    folders = {name: path.parent for name, path in roots.items()}
    files = {
        path.relative_to(folders[name.partition(".")[0]]).as_posix(): path.read_bytes() for name, path in found.items()
    }
    assets = {f"alb_sg/{ASSETS}/{path.name}": path.read_bytes() for path in sorted((package_folder / ASSETS).iterdir())}
    of_bundled = {name: text for one in bundled.values() for name, text in _license_files(one).items()}
    licenses = {**of_bundled, "LICENSE": _own_license(package_folder.parent)}
    return {**files, **assets, **service_model_files(), **licenses}


@cache
def _imported_modules(source: bytes, module: str, *, is_package: bool) -> tuple[str, ...]:
    """The names that a module imports from `PACKAGES`, at any depth of its code. Some are names within a module."""
    return tuple(_find_imports(source, module, is_package=is_package))


def _find_imports(source: bytes, module: str, *, is_package: bool) -> Iterator[str]:
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in PACKAGES)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if base.split(".")[0] in PACKAGES:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _module_file(name: str, roots: Mapping[str, Path]) -> Path | None:
    top, _, rest = name.partition(".")
    if top not in roots:
        return None
    path = roots[top].joinpath(*filter(None, rest.split(".")))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _own_license(folder: Path) -> bytes:
    """This project's license, from the checkout in `folder` or the metadata of an installed wheel."""
    if (folder / "pyproject.toml").is_file():
        return (folder / "LICENSE").read_bytes()
    [license_text] = _license_files(distribution("alb-sg")).values()
    return license_text


def _license_files(found: Distribution) -> dict[str, bytes]:
    licenses = {
        str(path): Path(str(found.locate_file(path))).read_bytes()
        for path in found.files or ()
        if path.parent.name == "licenses"
    }
    if not licenses:
        raise InvalidInputError(
            "the installed distribution has no license files; install it again", f"{found.name} {found.version}"
        )
    return licenses
