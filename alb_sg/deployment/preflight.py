"""Checks of the account before a deployment changes anything in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from alb_sg.deployment.lambda_resources import OWNER_TAG
from alb_sg.deployment.landing_zone import signed_key
from alb_sg.deployment.settings import Settings
from alb_sg.remediation.document_names import DOCUMENTS

PrintLine = Callable[[str], None]


class DeploymentError(Exception):
    """A deployment stopped. The message says what was found and what to do."""


# S3's error codes for a bucket that does not exist, and for one that the caller may not see.
NO_BUCKET_CODES = frozenset({"404", "NoSuchBucket"})
ACCESS_DENIED_CODES = frozenset({"403", "AccessDenied"})
# GetBucketLocation returns no name for us-east-1.
DEFAULT_BUCKET_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class ArtifactBucket:
    """The bucket from which Lambda in a region reads the code. The account must own it."""

    name: str
    account: str
    region: str

    @property
    def _s3(self) -> Any:
        return boto3.client("s3", region_name=self.region)

    def check(self) -> None:
        """Raises DeploymentError if the bucket does not exist, belongs to another account or is in another region."""
        name, account, region = self.name, self.account, self.region
        try:
            self._s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
            found = self._s3.get_bucket_location(Bucket=name, ExpectedBucketOwner=account)["LocationConstraint"]
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in NO_BUCKET_CODES:
                raise DeploymentError(
                    f"bucket {name} does not exist; create it in {region}, or name another one (artefactBucket, "
                    "--bucket)"
                ) from error
            if code in ACCESS_DENIED_CODES:
                raise DeploymentError(
                    f"account {account} does not own bucket {name}, or may not read it; name another one "
                    "(artefactBucket, --bucket)"
                ) from error
            raise
        if (found or DEFAULT_BUCKET_REGION) != region:
            raise DeploymentError(
                f"bucket {name} is in {found or DEFAULT_BUCKET_REGION}, but Lambda in {region} reads code only from a "
                f"bucket in {region}; create one there, or name another one (artefactBucket, --bucket)"
            )

    def upload(self, key: str, content: bytes, *, content_type: str = "application/zip") -> bool:
        """Uploads content, such as the artifact, unless the key exists: the content of a key never changes. Returns
        whether it uploaded."""
        if self._holds(key):
            return False
        owner = {"Bucket": self.name, "ExpectedBucketOwner": self.account}
        self._s3.put_object(**owner, Key=key, Body=content, ContentType=content_type)
        return True

    def check_signed(self, artifact_key: str) -> None:
        """Raises DeploymentError if the signed copy of the artifact is not in the bucket."""
        key = signed_key(artifact_key)
        if not self._holds(key):
            raise DeploymentError(
                f"{self.region}: s3://{self.name}/{key} is missing; sign s3://{self.name}/{artifact_key} with AWS "
                "Signer and copy what it writes there (docs/deployment.md, code signing), then deploy again"
            )

    def _holds(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self.name, Key=key, ExpectedBucketOwner=self.account)
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
            return False
        return True


def artifact_buckets(settings: Settings) -> list[ArtifactBucket]:
    """The bucket of each region, in the account that the credentials belong to."""
    account: str = boto3.client("sts").get_caller_identity()["Account"]
    names = ((region, settings.artifact_bucket_name(account, region)) for region in settings.regions)
    return [ArtifactBucket(name, account, region) for region, name in names]


def check_functions(settings: Settings, region: str) -> None:
    """Raises DeploymentError if a function that this deployment would create exists and belongs to another owner."""
    client = boto3.client("lambda", region_name=region)
    for rule in settings.rules:
        name = settings.function_name(rule)
        try:
            owner = client.get_function(FunctionName=name).get("Tags", {}).get(OWNER_TAG)
        except client.exceptions.ResourceNotFoundException:
            continue
        require_owner(settings, owner, f"function {name}", region, "choose another names.functionPrefix, or remove it")


def check_documents(settings: Settings, region: str) -> None:
    """Raises DeploymentError if a document that this deployment would create exists and belongs to another owner."""
    client = boto3.client("ssm", region_name=region)
    for name in DOCUMENTS:
        try:
            tags = client.list_tags_for_resource(ResourceType="Document", ResourceId=name)["TagList"]
        except client.exceptions.InvalidResourceId:
            continue
        owner = {tag["Key"]: tag["Value"] for tag in tags}.get(OWNER_TAG)
        require_owner(settings, owner, f"document {name}", region, "remove it, or turn remediation off")


def require_owner(settings: Settings, owner: str | None, what: str, region: str, advice: str) -> None:
    """Raises DeploymentError for a resource whose tag does not name this deployment as its owner."""
    if owner != settings.stack_name:
        whose = f"belongs to {owner!r}" if owner else "is not one of alb-sg's"
        raise DeploymentError(f"{what} exists in {region} and {whose} (its tag {OWNER_TAG}); {advice}")
