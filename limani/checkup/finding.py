"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """warning = it works, and somebody should know; error = citizens are not served as they should be."""

    ok = "ok"
    warning = "warning"
    error = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` is one word, `says` what was found, `mend` what to do about it. Never a secret."""

    level: Level
    about: str
    says: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"{self.level:<8} {self.about:<10} {self.says}"
        return f"{line}\n{'':20}-> {self.mend}" if self.mend else line

    def as_dict(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


def ok(about: str, says: str) -> Finding:
    """All is well."""
    return Finding(Level.ok, about, says)


def warning(about: str, says: str, mend: str) -> Finding:
    """Somebody should know."""
    return Finding(Level.warning, about, says, mend)


def error(about: str, says: str, mend: str) -> Finding:
    """This has to be mended."""
    return Finding(Level.error, about, says, mend)
