"""What kernels are written with: the core's hashes, compiled by numba (extra: numba).

Import this module where kernels are defined; `dsir.kernel` decorates them.

Example:
    >>> from dsir.kernels import bucket_of, extend_hash
    >>> @dsir.kernel("features", features_per_token=2)
    ... def skip_grams(tokens, buckets, out):
    ...     found = 0
    ...     for place in range(len(tokens)):
    ...         out[found] = bucket_of(tokens[place], buckets)
    ...         found += 1
    ...         if place >= 2:  # A pair with one token between.
    ...             out[found] = bucket_of(extend_hash(tokens[place - 2], tokens[place]), buckets)
    ...             found += 1
    ...     return found
    >>> dsir.HashedNgrams(extractor=skip_grams).counts(["a b c"]).sum()
    np.int64(4)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import numba
except ImportError as error:
    raise ImportError("dsir.kernels: kernels need numba (pip install 'dsir[numba]')") from error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["bucket_of", "extend_hash"]

_LOW = (1 << 32) - 1
# As in cpp/hashing/fast_hash.hpp; the values are a file format.
_ROOT_7 = 0xA54FF53A5F1D36F1
_ROOT_11 = 0x510E527FADE682D1


def _fold(a: int, b: int) -> int:
    """The two halves of the 128-bit product, combined by exclusive or."""
    low_a, high_a = a & numba.uint64(_LOW), a >> numba.uint64(32)
    low_b, high_b = b & numba.uint64(_LOW), b >> numba.uint64(32)
    low = low_a * low_b
    middle = high_a * low_b + (low >> numba.uint64(32))
    other = low_a * high_b + (middle & numba.uint64(_LOW))
    high = high_a * high_b + (middle >> numba.uint64(32)) + (other >> numba.uint64(32))
    product: int = high ^ (a * b)
    return product


_compiled_fold = numba.njit("uint64(uint64, uint64)", inline="always")(_fold)


def _extend_hash(shorter: int, token: int) -> int:
    found: int = _compiled_fold(shorter ^ numba.uint64(_ROOT_7), token ^ numba.uint64(_ROOT_11))
    return found


def _bucket_of(hashed: int, buckets: int) -> int:
    wide = numba.uint64(buckets)
    low = ((hashed & numba.uint64(_LOW)) * wide) >> numba.uint64(32)
    bucket: int = ((hashed >> numba.uint64(32)) * wide + low) >> numba.uint64(32)
    return bucket


extend_hash: Callable[[int, int], int] = numba.njit("uint64(uint64, uint64)")(_extend_hash)
"""uint64: the hash of an n-gram that consists of an (n-1)-gram and one more token."""

bucket_of: Callable[[int, int], int] = numba.njit("uint64(uint64, int64)")(_bucket_of)
"""uint64: the bucket of a hash, 0 to buckets - 1; at most 2**24 buckets."""
