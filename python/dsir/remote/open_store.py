"""Opens the store of a URL."""

from __future__ import annotations

import threading

from dsir.errors import SettingError
from dsir.remote.store import Store

_OPEN: dict[tuple[str, str], Store] = {}
_LOCK = threading.Lock()


def store_of(protocol: str, key: str) -> Store:
    """Return the store of a URL; each store is opened once in a process.

    Args:
        protocol: the part of the URL before "://", in lower case.
        key: the part after it, beginning with the bucket or server.

    Raises:
        SettingError: the protocol is unknown, or needs a package that is not installed.
    """
    protocol = {"gcs": "gs", "s3a": "s3", "s3n": "s3"}.get(protocol, protocol)
    bucket = key.split("/", 1)[0]
    if not bucket:
        raise SettingError(f"{protocol}://{key}: names no bucket or server")
    if (protocol, bucket) == ("hf", "buckets"):
        _refuse_old_hub()
    # Each bucket of S3 has its own region, and so its own client.
    name = (protocol, bucket if protocol == "s3" else "")
    with _LOCK:
        if name not in _OPEN:
            _OPEN[name] = _opened(protocol, bucket)
        return _OPEN[name]


def _refuse_old_hub() -> None:
    """Raise SettingError if the installed huggingface_hub does not know buckets."""
    try:
        import huggingface_hub
    except ImportError:
        return  # The store says so when it is opened.
    if not hasattr(huggingface_hub.HfApi, "batch_bucket_files"):
        raise SettingError(
            f"hf://buckets/: huggingface_hub {huggingface_hub.__version__} does not know buckets; "
            "pip install --upgrade huggingface_hub"
        )


def _opened(protocol: str, bucket: str) -> Store:
    from dsir.remote.arrow_store import ArrowStore, gcs_filesystem, s3_filesystem
    from dsir.remote.fsspec_store import FsspecStore

    try:
        if protocol == "s3":
            return ArrowStore(protocol, s3_filesystem(bucket), etags=True)
        if protocol == "gs":
            return ArrowStore(protocol, gcs_filesystem(), etags=False)
    except ImportError:
        pass  # This pyarrow was built without the clients; s3fs and gcsfs do the same.
    return FsspecStore(protocol)
