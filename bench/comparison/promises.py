"""The ratios that the project promises, judged from the results."""

from dataclasses import dataclass

from .plan import BIG
from .results import CellResult

Results = dict[str, CellResult]

OURS = "framepipe-dir"
PEERS = ("gstreamer", "fastapi", "ffmpeg")


@dataclass
class Verdict:
    promise: str
    target: str
    figure: str
    met: bool | None  # None: no figure

    @property
    def word(self) -> str:
        return {True: "met", False: "**NOT MET**", None: "no figure"}[self.met]


def usable(results: Results, viewers: int, name: str) -> CellResult | None:
    cell = results.get(f"{BIG}/{viewers}/{name}")
    return cell if cell and not cell.failure else None


def best_peer(results: Results, viewers: int, value) -> tuple[str, float] | None:
    """The peer with the lowest figure, among those that served every viewer every frame.

    One that leaves out four frames of five has little to do, and tells nothing about those that it left out.
    """
    served = {name: usable(results, viewers, name) for name in PEERS}
    figures = {name: value(cell) for name, cell in served.items() if cell and cell.lost == 0 and cell.normal("fps_mean") >= 28}
    return min(figures.items(), key=lambda item: item[1]) if figures else None


def ratio(promise: str, limit: float, ours: float | None, other: tuple[str, float] | None, unit: str) -> Verdict:
    target = f"<= {limit}"
    if ours is None or other is None:
        return Verdict(promise, target, "ours is missing" if ours is None else "no peer to compare with", None)
    name, theirs = other
    figure = f"{ours / theirs:.2f} ({ours:.3g} against {name}'s {theirs:.3g} {unit})"
    return Verdict(promise, target, figure, ours / theirs <= limit)


def compare(results: Results, promise: str, limit: float, viewers: int, value, unit: str, other=None) -> Verdict:
    """Ours against the best peer, or against the contender named."""
    ours = usable(results, viewers, OURS)
    if other is None:
        theirs = best_peer(results, viewers, value)
    else:
        cell = usable(results, viewers, other)
        theirs = (other, value(cell)) if cell else None
    return ratio(promise, limit, value(ours) if ours else None, theirs, unit)


def thousand_viewers(results: Results) -> Verdict:
    cell = usable(results, 1000, OURS)
    promise, target = "fps at 1000 viewers", ">= 29"
    if not cell:
        return Verdict(promise, target, "ours is missing", None)
    fps = cell.normal("fps_mean")
    figure = f"{fps:.1f} mean, {cell.normal('fps_min'):.1f} for the worst viewer, {cell.lost} lost"
    return Verdict(promise, target, figure, fps >= 29 and cell.lost == 0)


def slow_age(results: Results, key: str, words: str, limit_seconds: float) -> Verdict:
    promise, target = f"greatest age at a viewer of {words}", f"< {limit_seconds:g} s"
    cell = results.get(f"scenario/{key}/{OURS}")
    if not cell or cell.failure or not cell.rounds[0].classes["slow"]["age_ms"]:
        return Verdict(promise, target, "ours is missing", None)
    slow = cell.rounds[0].classes["slow"]
    age_seconds = slow["age_ms"]["max"] / 1e3
    figure = f"{age_seconds:.2f} s" + (", and it was lost" if slow["lost"] else "")
    return Verdict(promise, target, figure, age_seconds < limit_seconds and not slow["lost"])


def judge(results: Results) -> list[Verdict]:
    def server(cell: CellResult) -> float:
        return cell.median(lambda m: m.server_cpu_per_gb)

    def pipeline(cell: CellResult) -> float:
        return cell.median(lambda m: m.pipeline_cpu_per_gb)

    verdicts = [
        compare(results, f"age {p} at 100 viewers against the best peer", 0.6, 100, lambda c, p=p: c.age(p), "ms")
        for p in ("p50", "p99")
    ]
    for words, value in (("server", server), ("whole pipeline", pipeline)):
        unit = "s/GB"
        verdicts += [
            compare(results, f"CPU at 100 viewers against the best peer, {words}", 0.5, 100, value, unit),
            compare(results, f"CPU at 100 viewers against the floor, {words}", 1.3, 100, value, unit, "floor"),
            compare(results, f"CPU at one viewer against the best peer, {words}", 1.0, 1, value, unit),
        ]
    verdicts.append(thousand_viewers(results))
    verdicts.append(slow_age(results, "slow-500", "500 KB/s", 1))
    verdicts.append(slow_age(results, "slow-50", "50 KB/s", 6))
    return verdicts
