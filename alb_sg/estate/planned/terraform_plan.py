"""The file of a Terraform or OpenTofu plan, as `terraform show -json` prints it (Terraform, "JSON Output Format").

Only this module reads the file. What else people hand in gets a sentence that says what to give instead.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import Any

from alb_sg.errors import InvalidInputError
from alb_sg.estate.json_files import file_error_context, is_gzipped, parse_json, read_content, unzip
from alb_sg.estate.planned.resources import Action

ZIP_SIGNATURE = b"PK\x03\x04"
HIGHEST_MAJOR_VERSION = 1
# The actions of a change (Terraform, "JSON Output Format", Change Representation). `open` is OpenTofu's for ephemeral
# resources.
ACTIONS: Mapping[tuple[str, ...], Action] = {
    ("no-op",): Action.KEEP,
    ("read",): Action.KEEP,
    ("open",): Action.KEEP,
    ("forget",): Action.KEEP,
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("create", "forget"): Action.CREATE,
    ("forget", "create"): Action.CREATE,
}
MAX_VERSION_DIGITS = 9
SHOW_COMMAND = "terraform show -json PLAN > plan.json"
_GIVE = f"give a plan's JSON: {SHOW_COMMAND}"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_terraform_plan(path: str) -> Mapping[str, Any]:
    """The plan in a file; `-` is standard input. Raises InvalidInputError, naming the file."""
    with file_error_context(path):
        content = read_content(path)
        if is_gzipped(path, content):
            content = unzip(content)
        if content.startswith(ZIP_SIGNATURE):
            raise InvalidInputError(f"this is the binary plan; give its JSON: {SHOW_COMMAND}")
        text = _decode(content)
        if not text.strip():
            raise InvalidInputError(f"the file is empty; {_GIVE}")
        return _checked(_parse(text))


def _decode(content: bytes) -> str:
    """The text; Windows PowerShell writes redirected output as UTF-16."""
    try:
        if content.startswith(_UTF16_MARKS):
            return content.decode("utf-16")
        if content[:2] in (b"{\0", b"[\0"):
            return content.decode("utf-16-le")
        if content[:1] == b"\0":
            return content.decode("utf-16-be")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"neither UTF-8 nor UTF-16 text (byte {error.start + 1}); {_GIVE}") from error


def _parse(text: str) -> Any:
    try:
        document = parse_json(text)
    except InvalidInputError:
        first = text.strip().splitlines()[0]
        if first.startswith('{"@level"') or '"type":"version"' in first.replace(" ", ""):
            raise _log_error() from None
        if not first.lstrip().startswith(("{", "[")):
            raise InvalidInputError(f"this is no JSON; {_GIVE}") from None
        raise
    if isinstance(document, Mapping) and "@level" in document:
        raise _log_error()
    return document


def _log_error() -> InvalidInputError:
    return InvalidInputError(f"these are the messages of `terraform plan -json`; plan with -out=PLAN, and {_GIVE}")


def _checked(document: Any) -> Mapping[str, Any]:
    """The document, if it is a complete plan of a known format."""
    if not isinstance(document, Mapping):
        raise InvalidInputError(
            f"this is no Terraform plan: an object was expected; give a plan's JSON: {SHOW_COMMAND}"
        )
    if (
        "serial" in document
        or "lineage" in document
        or ("values" in document and "resource_changes" not in document and "configuration" not in document)
    ):
        raise InvalidInputError(
            f"this is a Terraform state; plan with -out=PLAN and give the plan's JSON: {SHOW_COMMAND}"
        )
    version = document.get("format_version")
    if not isinstance(version, str) or not ({"resource_changes", "planned_values", "configuration"} & document.keys()):
        raise InvalidInputError(f"this is no Terraform plan: format_version or its resources are missing; {_GIVE}")
    major = version.partition(".")[0]
    if not major.isdecimal() or len(major) > MAX_VERSION_DIGITS or int(major) > HIGHEST_MAJOR_VERSION:
        raise InvalidInputError(
            f"format version {version} is newer than this version of alb-sg reads "
            f"({HIGHEST_MAJOR_VERSION}.x); update alb-sg",
            "format_version",
        )
    if document.get("errored") is True:
        raise InvalidInputError(
            "the plan has errors, so that it lacks resources; correct them and plan again", "errored"
        )
    deferred = document.get("deferred_changes")
    if deferred:
        raise InvalidInputError(
            f"the plan leaves changes to a later one{_described(deferred)}, so that it lacks resources; plan without "
            "-allow-deferral, or apply it and judge the next plan",
            "deferred_changes",
        )
    if document.get("complete") is False:
        raise InvalidInputError(
            "the plan is incomplete (-target, or deferred changes), so that it lacks resources; plan everything",
            "complete",
        )
    if "configuration" not in document:
        raise InvalidInputError(
            f"the configuration is missing, by which references are followed; {_GIVE}", "configuration"
        )
    planned = document.get("planned_values")
    module = planned.get("root_module") if isinstance(planned, Mapping) else None
    if document.get("resource_changes") is None and isinstance(module, Mapping) and module:
        raise InvalidInputError(f"the changes of the planned resources are missing; {_GIVE}", "resource_changes")
    return document


def _described(deferred: Any) -> str:
    """The first deferred change and its reason."""
    first = deferred[0] if isinstance(deferred, list) else None
    change = first.get("resource_change") if isinstance(first, Mapping) else None
    address = change.get("address") if isinstance(change, Mapping) else None
    if not isinstance(address, str):
        return ""
    reason = first.get("reason") if isinstance(first, Mapping) else None
    more = f" and {len(deferred) - 1} more" if len(deferred) > 1 else ""
    return f" ({address}{f': {reason}' if isinstance(reason, str) else ''}{more})"


def require_known_shape(document: Mapping[str, Any]) -> None:
    """Raises InvalidInputError where a part by which references are followed is not as the format says."""
    _objects(document, "variables", "")
    configuration = _object(document, "configuration", "")
    for key, provider in _objects(configuration, "provider_config", "configuration").items():
        _object(provider, "expressions", f"configuration.provider_config.{key}")
    _require_module_shape(_object(configuration, "root_module", "configuration"), "configuration.root_module")


def _require_module_shape(module: Mapping[str, Any], place: str) -> None:
    for index, resource in enumerate(_list(module.get("resources"), f"{place}.resources")):
        at = f"{place}.resources[{index}]"
        if not isinstance(resource, Mapping):
            raise InvalidInputError("an object was expected", at)
        for name in ("type", "name", "provider_config_key"):
            if not isinstance(resource.get(name, ""), str):
                raise InvalidInputError("text was expected", f"{at}.{name}")
        _object(resource, "expressions", at)
    _objects(module, "variables", place)
    _objects(module, "outputs", place)
    for name, call in _objects(module, "module_calls", place).items():
        at = f"{place}.module_calls.{name}"
        _object(call, "expressions", at)
        _require_module_shape(_object(call, "module", at), f"{at}.module")


def _objects(owner: Mapping[str, Any], name: str, place: str) -> Mapping[str, Mapping[str, Any]]:
    """An object whose values are objects."""
    found = _object(owner, name, place)
    return {key: _object(found, key, f"{place}.{name}" if place else name) for key in found}


def _object(owner: Mapping[str, Any], name: str, place: str) -> Mapping[str, Any]:
    """An object; empty where it is absent."""
    value = owner.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInputError("an object was expected", f"{place}.{name}" if place else name)
    return value


def resource_changes(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The changes of single resources. Raises InvalidInputError for one that is not as the format says."""
    for index, change in enumerate(_list(document.get("resource_changes"), "resource_changes")):
        if not isinstance(change, Mapping) or not isinstance(change.get("change"), Mapping):
            raise InvalidInputError("an object with `change` was expected", f"resource_changes[{index}]")
        missing = next((key for key in ("address", "type", "name") if not isinstance(change.get(key), str)), None)
        if missing is not None:
            raise InvalidInputError("text is missing", f"resource_changes[{index}].{missing}")
        if not isinstance(change.get("module_address") or "", str):
            raise InvalidInputError("text was expected", f"resource_changes[{index}].module_address")
        actions = change["change"].get("actions")
        if not isinstance(actions, list) or not actions or not all(isinstance(one, str) for one in actions):
            raise InvalidInputError("a list of texts is missing", f"resource_changes[{index}].change.actions")
        if tuple(actions) not in ACTIONS:
            raise InvalidInputError(
                f"these actions are not known: {', '.join(actions)}; update alb-sg",
                f"resource_changes[{index}].change.actions",
            )
        for name in ("before", "after"):
            if not isinstance(change["change"].get(name) or {}, Mapping):
                raise InvalidInputError("an object was expected", f"resource_changes[{index}].change.{name}")
        if not isinstance(change["change"].get("after_unknown") or {}, Mapping):
            # Nothing of such a resource would be known, not even which resource it is.
            raise InvalidInputError("an object was expected", f"resource_changes[{index}].change.after_unknown")
        yield change


def data_sources(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The data sources that were read for the plan, each with the address of its module."""
    prior_state = document.get("prior_state")
    values = prior_state.get("values") if isinstance(prior_state, Mapping) else None
    modules = [values.get("root_module")] if isinstance(values, Mapping) else []
    while modules:
        module = modules.pop()
        if not isinstance(module, Mapping):
            continue
        address = module.get("address") or ""
        if not isinstance(address, str):
            raise InvalidInputError("text was expected", "prior_state.values: address")
        for resource in _list(module.get("resources"), "prior_state.values: resources"):
            if isinstance(resource, Mapping) and resource.get("mode") == "data":
                yield address, resource
        modules += _list(module.get("child_modules"), "prior_state.values: child_modules")


def _list(value: Any, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInputError("a list was expected", place)
    return value
