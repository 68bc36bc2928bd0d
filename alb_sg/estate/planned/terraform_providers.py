"""The accounts and regions of a plan's provider configurations, and so of its resources.

A provider configuration works in one account: that of the role which it assumes last, or the only one that it allows
(Terraform registry, AWS provider, "Assuming an IAM Role" and `allowed_account_ids`). Otherwise a resource that exists
tells it. Configurations with the same credentials work in the same account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from alb_sg.aws.account_region import ACCOUNT_ID
from alb_sg.aws.arns import account_id_of, region_of
from alb_sg.estate.planned.terraform_references import (
    UNKNOWN,
    Instance,
    ModulePath,
    References,
    distinct_references,
    module_path,
)

# The arguments by which provider configurations have other credentials.
_CREDENTIALS = (
    "access_key",
    "assume_role",
    "assume_role_with_web_identity",
    "profile",
    "shared_config_files",
    "shared_credentials_file",
    "shared_credentials_files",
    "token",
)
_ROLES = ("assume_role_with_web_identity", "assume_role")
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d+")
# Data sources that also read what another account shares: their owner is not the account that reads them.
_SHARED_DATA = frozenset(
    {"aws_ec2_managed_prefix_list", "aws_prefix_list", "aws_security_group", "aws_subnet", "aws_vpc"}
)


class _Provider(NamedTuple):
    """A provider configuration. `credentials` are equal where two of them have the same ones, and `is_several` says
    that it has an instance for each element of `for_each` (OpenTofu): a plan does not tell which one a resource has.
    """

    account_id: str | None
    region: str | None
    credentials: str
    is_several: bool


class Providers:
    """The accounts and regions of resources, by the provider configuration that makes them."""

    def __init__(self, document: Mapping[str, Any], references: References, instances: Sequence[Instance]) -> None:
        configuration = document.get("configuration") or {}
        self._references = references
        self._providers = {
            key: self._read(provider)
            for key, provider in (configuration.get("provider_config") or {}).items()
            if isinstance(provider, Mapping)
        }
        self._regions: dict[str, str] = {}
        accounts: dict[str, str] = {}
        for one in instances:
            account_id, region = _own_account_and_region(one)
            key = self.provider_of(one)
            if key in self._providers and not self._providers[key].is_several:
                accounts.setdefault(key, account_id or "")
                self._regions.setdefault(key, region or "")
                accounts[key] = accounts[key] or account_id or ""
                self._regions[key] = self._regions[key] or region or ""
        self._accounts = {key: one.account_id or accounts.get(key, "") for key, one in self._providers.items()}
        self._by_credentials: dict[str, set[str]] = {}
        for key, provider in self._providers.items():
            if self._accounts[key]:
                self._by_credentials.setdefault(provider.credentials, set()).add(self._accounts[key])

    def account_and_region(self, instance: Instance) -> tuple[str | None, str | None]:
        """None for what nobody tells, "" for what is known to differ from resource to resource."""
        account_id, region = _own_account_and_region(instance)
        key = self.provider_of(instance)
        provider = self._providers.get(key)
        if provider is None:
            return account_id, region
        if provider.is_several:
            return account_id or provider.account_id or "", region or provider.region or ""
        of_credentials = self._by_credentials.get(provider.credentials, set())
        shared = next(iter(of_credentials)) if len(of_credentials) == 1 else None
        return (
            account_id or self._accounts[key] or shared,
            region or provider.region or self._regions.get(key) or None,
        )

    def credentials_of(self, instance: Instance) -> set[str]:
        """What is equal for resources that are made with the same credentials; nothing where that is not known."""
        provider = self._providers.get(self.provider_of(instance))
        return set() if provider is None else {provider.credentials}

    def provider_of(self, instance: Instance) -> str:
        """The key of the provider configuration. A module's own key is `module:aws`, and means the root's."""
        key: str = self._references.resource_configuration(instance).get("provider_config_key") or ""
        return key if key in self._providers else key.rpartition(":")[2]

    def _read(self, provider: Mapping[str, Any]) -> _Provider:
        expressions = provider.get("expressions") or {}
        module = module_path(provider.get("module_address") or "")
        credentials = {name: expressions[name] for name in _CREDENTIALS if name in expressions}
        region = self._values(expressions.get("region"), module)
        return _Provider(
            self._account(expressions, module),
            region[0] if len(region) == 1 and isinstance(region[0], str) and _REGION.fullmatch(region[0]) else None,
            json.dumps([provider.get("module_address"), credentials] if credentials else [], sort_keys=True),
            any(one.partition(".")[0] == "each" for one in _references_of((expressions.get("region"), credentials))),
        )

    def _account(self, expressions: Mapping[str, Any], module: ModulePath) -> str | None:
        """The account that a provider configuration names."""
        allowed = set(_account_ids(self._values(expressions.get("allowed_account_ids"), module)))
        if len(allowed) == 1:
            return allowed.pop()
        roles = [role for name in _ROLES for role in _roles(expressions.get(name))]
        # Each role of a chain assumes the next one.
        accounts = set(_account_ids(self._values(roles[-1], module))) if roles else set()
        return accounts.pop() if len(accounts) == 1 else None

    def _values(self, expression: Any, module: ModulePath) -> list[Any]:
        """The values that an expression is made of; none if one of them is not known."""
        if isinstance(expression, Mapping) and "constant_value" in expression:
            return [expression["constant_value"]]
        found = [self._references.known_value(one, module) for one in distinct_references(expression)]
        return [] if any(one is UNKNOWN for one in found) else found


def _roles(written: Any) -> Iterator[Any]:
    """The expressions of the ARNs in the blocks of `assume_role`, or of the attribute in the `awscc` provider."""
    for block in written if isinstance(written, list) else [written]:
        if isinstance(block, Mapping):
            constant = block.get("constant_value")
            if isinstance(constant, Mapping):
                yield {"constant_value": constant.get("role_arn")}
            else:
                yield block.get("role_arn") if "references" not in block else block


def _account_ids(values: Iterable[Any]) -> Iterator[str]:
    """The account IDs in known values, and those of the ARNs in them."""
    pending = list(values)
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            account_id = account_id_of(one) if one.startswith("arn:") else one
            if ACCOUNT_ID.fullmatch(account_id):
                yield account_id
        elif isinstance(one, Mapping):
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _references_of(expressions: Iterable[Any]) -> Iterator[str]:
    for one in expressions:
        yield from distinct_references(one)


def _own_account_and_region(instance: Instance) -> tuple[str | None, str | None]:
    """The account and region that a resource's own attributes tell."""
    account_id = region = None
    for values in (one for one in (instance.after, instance.before) if isinstance(one, Mapping)):
        arn, owner = values.get("arn") or values.get("id"), values.get("owner_id")
        if isinstance(arn, str) and arn.startswith("arn:"):
            account_id, region = account_id or account_id_of(arn) or None, region or region_of(arn) or None
        if isinstance(owner, str) and owner.isdigit():
            account_id = account_id or owner
        own_region = values.get("region")
        if isinstance(own_region, str) and own_region:
            region = own_region
    if instance.is_data and instance.type in _SHARED_DATA:
        account_id = None
    return account_id, region
