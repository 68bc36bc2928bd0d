"""rdklib's client factory with one session, adaptive retries, and each client made once."""

from __future__ import annotations

from typing import Any

import boto3
from rdklib.clientfactory import ClientFactory, get_assume_role_credentials

from alb_sg.live import client_config


class PatientClientFactory(ClientFactory):  # type: ignore[misc]  # rdklib is untyped
    """Builds the clients that rdklib would: same role, region and mode, and the same rules for them.

    What rdklib's own does not do: share a session between clients, and retry adaptively.
    """

    def __init__(self, role_arn: str | None, region: str | None, *, assume_role_mode: bool) -> None:
        super().__init__(role_arn=role_arn, region=region, assume_role_mode=assume_role_mode)
        self._role_arn = role_arn
        self._default_region = region
        self._assumes = assume_role_mode
        self._sessions: dict[bool, boto3.session.Session] = {}
        self._clients: dict[tuple[str, str | None, bool], Any] = {}

    def build_client(self, service: str, region: str | None = None, assume_role_mode: bool = True) -> Any:  # noqa: FBT002 (rdklib's signature)
        """A client for a service, in the region given or the rule's. Raises ClientError where the role is refused."""
        assumes = assume_role_mode and self._assumes
        key = (service, region, assumes)
        if key not in self._clients:
            session = self._session(assumes=assumes)
            self._clients[key] = session.client(service, region_name=region, config=client_config())  # type: ignore[call-overload]  # the service is not a literal
        return self._clients[key]

    def _session(self, *, assumes: bool) -> boto3.session.Session:
        if assumes not in self._sessions:
            self._sessions[assumes] = self._assumed() if assumes else boto3.session.Session(region_name=self._region)
        return self._sessions[assumes]

    def _assumed(self) -> boto3.session.Session:
        credentials = get_assume_role_credentials(self._role_arn, self._region)
        return boto3.session.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=self._region,
        )

    @property
    def _region(self) -> str | None:
        # As rdklib: the parameter ExecutionRoleRegion, else the function's own region.
        return self._default_region or boto3.session.Session().region_name
