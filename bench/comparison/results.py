"""What came out, and the median of several rounds."""

import statistics
from dataclasses import dataclass, field

from .measure import Measurement


@dataclass
class CellResult:
    """All rounds of one cell. One failed round fails the cell: a median over the lucky ones would hide it."""

    rounds: list[Measurement] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def failure(self) -> str | None:
        if self.failures:
            of = len(self.failures) + len(self.rounds)
            return self.failures[0] + (f" ({len(self.failures)} of {of} rounds)" if of > 1 else "")
        return None if self.rounds else "not run"

    def median(self, value) -> float:
        return statistics.median(value(measurement) for measurement in self.rounds)

    def age(self, percentile: str) -> float:
        return self.median(lambda m: m.normal["age_ms"][percentile])

    def normal(self, field_name: str) -> float:
        return self.median(lambda m: m.normal[field_name])

    @property
    def lost(self) -> int:
        """The worst round's: lost to the server or without one frame."""
        return max(m.normal["lost"] + m.normal["starved"] for m in self.rounds)

    def oddities(self) -> str:
        """What should not have happened, in words; empty where all is well."""
        odd = []
        for name in ("bad", "malformed", "unstamped", "order_errors", "repeated"):
            count = sum(figures[name] for m in self.rounds for figures in m.classes.values())
            if count:
                odd.append(f"{count} {name.replace('_', ' ')}")
        if max(m.loadgen_cpu_percent for m in self.rounds) > 90:
            odd.append("loadgen at its limit")
        return ", ".join(odd)
