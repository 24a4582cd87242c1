"""How long a stage took, and for how much text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class StageTime:
    """How long a stage took, and for how many bytes of text (0 if bytes are no measure of it).

    Attributes:
        seconds: the time.
        text_bytes: bytes of text that the results of the stage are of.
        kept_bytes: those whose results an earlier run had left, which were not read again.
    """

    seconds: float = 0.0
    text_bytes: int = 0
    kept_bytes: int = 0

    def describe(self) -> dict[str, float | None]:
        """Return seconds, bytes and MB/s as plain values; `kept_bytes` only if there are some."""
        read = self.text_bytes - self.kept_bytes
        rate = read / self.seconds / 1e6 if read and self.seconds else None
        kept = {"kept_bytes": self.kept_bytes} if self.kept_bytes else {}
        return {
            "seconds": round(self.seconds, 3),
            "text_bytes": self.text_bytes,
            **kept,
            "mb_per_second": None if rate is None else round(rate, 1),
        }
