"""rdklib's client factory with one session, adaptive retries, and one client per service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from rdklib.clientfactory import CONFIG_ROLE_TIMEOUT_SECONDS, ClientFactory

from alb_sg.aws.client_errors import error_code
from alb_sg.aws.clients import make_client
from alb_sg.aws.pages import name_call
from alb_sg.aws.service_models import new_session
from alb_sg.config_rule.notification import Notification

# rdklib's name for the session: a role's trust policy may require it.
ROLE_SESSION_NAME = "configLambdaExecution"
# From `create_client`'s arguments to AssumeRole's members.
CREDENTIAL_MEMBERS = {
    "aws_access_key_id": "AccessKeyId",
    "aws_secret_access_key": "SecretAccessKey",
    "aws_session_token": "SessionToken",
}
ASSUME_ROLE_ADVICE = (
    "the function's role must be allowed to assume this role, which must trust it; the rule parameter "
    "ExecutionRoleName names another role, and with AssumeRoleMode false the function uses its own"
)


class RetryingClientFactory(ClientFactory):  # type: ignore[misc]  # rdklib is untyped
    """Builds the same clients as rdklib's factory: same role, region and mode.

    Unlike rdklib's factory, it shares one session, reads small service models and retries adaptively.
    """

    def __init__(
        self,
        role_arn: str | None,
        region: str | None,
        *,
        assume_role_mode: bool,
        on_call: Callable[..., None] | None = None,
    ) -> None:
        """`on_call` is called for each request, repeated ones included."""
        super().__init__(role_arn=role_arn, region=region, assume_role_mode=assume_role_mode)
        self._role_arn = role_arn
        self._session = new_session()
        if on_call is not None:
            # botocore creates a request for each attempt, and copies a session's handlers to its clients.
            self._session.register("request-created", on_call)
        # As in rdklib: the parameter ExecutionRoleRegion, else the function's own region.
        self._region = region or self._session.get_config_variable("region")
        self._assumes_role = assume_role_mode
        self._clients: dict[tuple[str, str | None, bool], Any] = {}

    def build_client(self, service: str, region: str | None = None, assume_role_mode: bool = True) -> Any:  # noqa: FBT002 (rdklib's signature)
        """A client for a service, in the region given or the rule's. Raises ClientError if the role is refused."""
        assumes = assume_role_mode and self._assumes_role
        key = (service, region, assumes)
        if key not in self._clients:
            self._clients[key] = self._client(service, region, self._role_credentials if assumes else {})
        return self._clients[key]

    def _client(self, service: str, region: str | None, credentials: Mapping[str, str]) -> Any:
        return make_client(service, region or self._region, session=self._session, **credentials)

    @cached_property
    def _role_credentials(self) -> dict[str, str]:
        """The credentials of the assumed role, as `create_client` takes them."""
        try:
            with name_call("AssumeRole"):
                response = self._client("sts", None, {}).assume_role(
                    RoleArn=self._role_arn,
                    RoleSessionName=ROLE_SESSION_NAME,
                    DurationSeconds=CONFIG_ROLE_TIMEOUT_SECONDS,
                )
                credentials = response["Credentials"]
                return {argument: str(credentials[member]) for argument, member in CREDENTIAL_MEMBERS.items()}
        except ClientError as error:
            if "AccessDenied" in error_code(error):
                details = error.response["Error"]
                details["Message"] = f"{details.get('Message')} ({ASSUME_ROLE_ADVICE})"
            raise


def make_client_factory(
    notification: Notification, on_call: Callable[..., None] | None = None
) -> RetryingClientFactory:
    """The factory for an event, as rdklib's own parameters of the rule configure it."""
    parameters = {name: str(value) for name, value in notification.parameters.items()}
    role_arn = notification.execution_role_arn
    if "ExecutionRoleName" in parameters:
        # As in rdklib: another role of the same account, at the root path.
        role_arn = f"{role_arn.split('/')[0]}/{parameters['ExecutionRoleName']}"
    return RetryingClientFactory(
        role_arn,
        parameters.get("ExecutionRoleRegion"),
        assume_role_mode=parameters.get("AssumeRoleMode", "true").lower() != "false",
        on_call=on_call,
    )
