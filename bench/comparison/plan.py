"""What is measured: the matrix of cells and the scenarios, for a full and for a quick run."""

from dataclasses import dataclass

from .contenders import CONTENDERS, Contender
from .measure import Crowd
from .pictures import SIZES

BIG = SIZES[1]
COPY_UP_TO = 100  # beyond, viewers that copy would take the CPU that the server needs
ORDINARY_VIEWERS = 10
SLOW_RATES = (500_000, 50_000)
HUNG_VIEWERS = 5
RUSH_VIEWERS = 1000


@dataclass(frozen=True)
class Cell:
    size: str
    viewers: int
    contender: Contender

    @property
    def name(self) -> str:
        return f"{self.size}/{self.viewers}/{self.contender.name}"


@dataclass(frozen=True)
class Scenario:
    title: str
    key: str
    crowd: Crowd
    contender: Contender

    @property
    def name(self) -> str:
        return f"scenario/{self.key}/{self.contender.name}"


@dataclass(frozen=True)
class Plan:
    cells: list[Cell]
    scenarios: list[Scenario]
    cell_seconds: float
    warmup: float

    def cell_crowd(self, cell: Cell) -> Crowd:
        return Crowd(cell.viewers, self.cell_seconds, self.warmup, discard=cell.viewers > COPY_UP_TO)


def matrix(viewer_counts: dict[str, list[int]]) -> list[Cell]:
    return [
        Cell(size, viewers, contender)
        for size, counts in viewer_counts.items()
        for viewers in counts
        for contender in CONTENDERS
        if viewers <= contender.max_viewers
    ]


def slow_extra(rate: int) -> list[str]:
    return ["--slow-viewers", "1", "--slow", str(rate)]


def crowds(alone: float, slow: float, hung: float, rush: float) -> list[tuple[str, str, Crowd]]:
    ten = ORDINARY_VIEWERS
    listed = [("ten ordinary viewers alone", "alone", Crowd(ten, alone))]
    for rate in SLOW_RATES:
        title = f"ten, and one that reads {rate // 1000} KB/s"
        listed.append((title, f"slow-{rate // 1000}", Crowd(ten, slow, extra=slow_extra(rate))))
    listed.append(
        (f"ten, and {HUNG_VIEWERS} that do not read", "hung", Crowd(ten, hung, extra=["--hung", str(HUNG_VIEWERS)]))
    )
    title = f"{RUSH_VIEWERS} connect at once"
    listed.append((title, "rush", Crowd(RUSH_VIEWERS, rush, warmup=1, discard=True, rush=True)))
    return listed


def make_plan(quick: bool) -> Plan:
    if quick:
        counts = {SIZES[0]: [100], BIG: [1, 100, 1000]}
        listed = crowds(alone=3, slow=15, hung=20, rush=4)
    else:
        counts = {size: [1, 10, 100, 500, 1000] for size in SIZES}
        listed = crowds(alone=8, slow=60, hung=25, rush=6)
    scenarios = [
        Scenario(title, key, crowd, contender)
        for title, key, crowd in listed
        for contender in CONTENDERS
        if contender.in_scenarios
    ]
    return Plan(matrix(counts), scenarios, cell_seconds=3 if quick else 8, warmup=1 if quick else 2)
