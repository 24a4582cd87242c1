"""Tries again what may succeed in a moment: reset connections, timeouts, 5xx, throttling.

The clients of the stores try again themselves (AWS's three times within about a second). The tries
here come on top, and go on long enough to outlast the restart of a server or a spell of throttling.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dsir.errors import SettingError
from dsir.remote.store import RemoteError, StoreFailedError, TryAgainError

Result = TypeVar("Result")
ATTEMPTS = "DSIR_REMOTE_ATTEMPTS"

# These match messages, because pyarrow gives nothing else to go by.
_TRANSIENT = re.compile(
    r"NETWORK_CONNECTION|SLOW_?DOWN|THROTTL|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|REQUEST_TIMEOUT"
    r"|REQUEST_TIME_TOO_SKEWED|RequestTimeout|InternalError|ServiceUnavailable"
    r"|HTTP (?:status|response code:?) ?(?:408|429|5\d\d)"
    r"|curlCode: (?:5|6|7|16|18|28|35|52|55|56|92)\b"
    r"|(?:timed out|timeout|connection (?:reset|refused|aborted|closed)|broken pipe)"
    r"|server disconnected|payload is not completed|UNAVAILABLE|DEADLINE_EXCEEDED"
    r"|temporary failure in name resolution|Retry policy exhausted",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"ACCESS_DENIED|NO_SUCH_(?:BUCKET|KEY)|INVALID_ACCESS_KEY|INVALID_CLIENT_TOKEN|SIGNATURE_DOES"
    r"|certificate verify failed|SSL peer certificate|curlCode: 60\b|HTTP status 4(?!08|29)\d\d",
    re.IGNORECASE,
)
_BUSY = (408, 425, 429, 500, 502, 503, 504)


@dataclass(slots=True)
class RetryPolicy:
    """How often to try, and how long to wait in between.

    Attributes:
        attempts: the number of attempts in all.
        first: average seconds to wait after the first attempt; the wait doubles each time.
        longest: the longest wait in seconds, before it is randomised by up to half.
    """

    attempts: int = 6
    first: float = 0.5
    longest: float = 20.0

    def wait(self, attempt: int) -> float:
        """Return the seconds to wait after an attempt (0 is the first).

        They are random, so that many callers do not try again at the same moment.
        """
        return min(self.longest, self.first * 2.0**attempt) * random.uniform(0.5, 1.5)


POLICY = RetryPolicy()


def trying(url: str, call: Callable[[], Result]) -> Result:
    """Call a function until it succeeds, as often as the policy allows, and return its result.

    Args:
        url: the file's URL for the error, whose message has only the reason.
        call: the function.

    Raises:
        FileNotFoundError: the call raised it; it is not tried again.
        RemoteError: the call failed for good.
    """
    attempts = _attempts()
    begun = time.monotonic()
    for attempt in range(attempts):
        try:
            return call()
        except FileNotFoundError:
            raise
        except Exception as error:
            if isinstance(error, RemoteError) and not isinstance(error, TryAgainError):
                error.url = error.url or url
                raise
            if isinstance(error, SettingError | MemoryError):
                raise
            if not is_transient(error):
                raise _failed(url, reason_of(error)) from error
            if attempt + 1 == attempts:
                seconds = time.monotonic() - begun
                tried = f"(tried {attempts} times in {seconds:.0f} s)"
                raise _failed(url, f"{reason_of(error)} {tried}") from error
            time.sleep(POLICY.wait(attempt))
    raise AssertionError


def _failed(url: str, reason: str) -> RemoteError:
    error = StoreFailedError(reason)
    error.url = url
    return error


def is_transient(error: BaseException) -> bool:
    """Tell whether the same call may succeed in a moment."""
    if isinstance(error, TryAgainError | ConnectionError | TimeoutError):
        return True
    status = _status_of(error)
    if status is not None:
        return status in _BUSY
    message = f"{type(error).__name__}: {error}"
    if _FINAL.search(message):
        return False
    return _TRANSIENT.search(message) is not None or _is_of_connection(error)


def reason_of(error: BaseException) -> str:
    """Return what went wrong in one line, and what to do if access was denied."""
    message = " ".join(str(error).split()) or type(error).__name__
    status = _status_of(error)
    if re.search(r"NO_SUCH_BUCKET|NoSuchBucket", message):
        return "there is no such bucket"
    if status in (401, 403) or re.search(
        r"ACCESS_DENIED|INVALID_ACCESS_KEY|INVALID_CLIENT_TOKEN|SIGNATURE_DOES|HTTP status 40[13]"
        r"|AccessDenied|Forbidden|PERMISSION_DENIED|UNAUTHENTICATED|Unable to locate credentials",
        message,
        re.IGNORECASE,
    ):
        return f"access denied; check the credentials in the environment ({message})"
    if re.search(r"PERMANENT_REDIRECT|HTTP status 301", message):
        return f"the bucket is in another region; set AWS_REGION ({message})"
    return message


def _attempts() -> int:
    given = os.environ.get(ATTEMPTS)
    if given is None:
        return POLICY.attempts
    if not given.isdecimal() or int(given) < 1:
        raise SettingError(f"{ATTEMPTS}={given}: expected a number of attempts, 1 or more")
    return int(given)


def _status_of(error: BaseException) -> int | None:
    """Return the HTTP status of a client's error; None if it has none."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status", "status_code", "code"):
            status = getattr(holder, name, None)
            if isinstance(status, int) and 100 <= status < 600:
                return status
    return None


def _is_of_connection(error: BaseException) -> bool:
    """Tell by its type whether an error of aiohttp, requests or httpx is a connection error."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        kinds
        & {
            "ClientConnectionError",
            "ClientPayloadError",
            "FSTimeoutError",
            "IncompleteRead",
            "ReadTimeoutError",
            "TransportError",
        }
    )
