"""Puts to S3 that fail if there is an object, by AWS's own client where it is installed.

The client in pyarrow cannot put with a condition. `botocore` comes with boto3, s3fs and the AWS
command line; it reads the same variables and profiles as pyarrow's client.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

# The answers of a store that has the object, or that gets two such puts at a time.
_EXISTS = (412, 409)
# Stores that speak S3 without this condition.
_UNKNOWN = (400, 501)


def put_if_none(local: Path, key: str) -> bool | None:
    """Put a small file under a key that has no object.

    Args:
        local: the file.
        key: bucket and key.

    Returns:
        True if the object was put, False if there is one, and None if botocore is not installed or
        the store does not know the condition; then nothing is done.

    Raises:
        Exception: what botocore raises, which has the status of the answer as `status`.
    """
    client = _client()
    if client is None:
        return None
    from botocore.exceptions import ClientError, ParamValidationError

    bucket, _, name = key.partition("/")
    try:
        client.put_object(Bucket=bucket, Key=name, Body=local.read_bytes(), IfNoneMatch="*")
    except ParamValidationError:
        return None  # An older botocore.
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in _EXISTS:
            return False
        if status in _UNKNOWN:
            return None
        error.status = status
        raise
    return True


@functools.lru_cache(maxsize=4)
def _client_of(endpoint: str | None, region: str | None) -> Any:
    try:
        from botocore.config import Config
        from botocore.session import Session
    except ImportError:
        return None
    settings = Config(
        connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 3}
    )
    return Session().create_client("s3", endpoint_url=endpoint, region_name=region, config=settings)


def _client() -> Any:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return _client_of(endpoint, region or ("us-east-1" if endpoint else None))
