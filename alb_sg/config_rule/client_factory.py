"""rdklib's client factory with one session, adaptive retries, and each client made once, when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from rdklib.clientfactory import CONFIG_ROLE_TIMEOUT_SECONDS, ClientFactory

from alb_sg.aws.service_models import new_session
from alb_sg.live import client_config

# As rdklib names it: a role's trust policy may ask for the name.
ROLE_SESSION_NAME = "configLambdaExecution"
ASSUME_ROLE_ADVICE = (
    "the function's role must be allowed to assume this role, which must trust it; the rule parameter "
    "ExecutionRoleName names another role, and with AssumeRoleMode false the function uses its own"
)


class RetryingClientFactory(ClientFactory):  # type: ignore[misc]  # rdklib is untyped
    """Builds the clients that rdklib would: same role, region and mode, and the same rules for them.

    What rdklib's own does not do: share a session between clients, read small service models, and retry adaptively.
    """

    def __init__(self, role_arn: str | None, region: str | None, *, assume_role_mode: bool) -> None:
        super().__init__(role_arn=role_arn, region=region, assume_role_mode=assume_role_mode)
        self._role_arn = role_arn
        self._session = new_session()
        # As rdklib: the parameter ExecutionRoleRegion, else the function's own region.
        self._region = region or self._session.get_config_variable("region")
        self._assumes_role = assume_role_mode
        self._role_credentials: dict[str, str] = {}
        self._clients: dict[tuple[str, str | None, bool], Any] = {}

    def build_client(self, service: str, region: str | None = None, assume_role_mode: bool = True) -> Any:  # noqa: FBT002 (rdklib's signature)
        """A client for a service, in the region given or the rule's. Raises ClientError where the role is refused."""
        assumes = assume_role_mode and self._assumes_role
        key = (service, region, assumes)
        if key not in self._clients:
            self._clients[key] = self._client(service, region, self._assumed_credentials() if assumes else {})
        return self._clients[key]

    def _client(self, service: str, region: str | None, credentials: Mapping[str, Any]) -> Any:
        region = region or self._region
        return self._session.create_client(service, region_name=region, config=client_config(), **credentials)

    def _assumed_credentials(self) -> dict[str, str]:
        """Credentials of the role, as `create_client` takes them; asked for once."""
        if not self._role_credentials:
            given = self._assume_role()
            self._role_credentials = {
                "aws_access_key_id": given["AccessKeyId"],
                "aws_secret_access_key": given["SecretAccessKey"],
                "aws_session_token": given["SessionToken"],
            }
        return self._role_credentials

    def _assume_role(self) -> Any:
        try:
            answer = self._client("sts", None, {}).assume_role(
                RoleArn=self._role_arn,
                RoleSessionName=ROLE_SESSION_NAME,
                DurationSeconds=CONFIG_ROLE_TIMEOUT_SECONDS,
            )
        except ClientError as error:
            said = error.response["Error"]
            if "AccessDenied" in said["Code"]:
                said["Message"] = f"{said.get('Message')} ({ASSUME_ROLE_ADVICE})"
            raise
        return answer["Credentials"]
