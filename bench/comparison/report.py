"""RESULTS.md from the results."""

from .machine import machine_lines
from .pictures import SIZES
from .plan import Plan, Scenario
from .promises import Results, judge
from .results import CellResult


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *rows]] + [""]


def age_words(age_ms: dict | None, digits: int = 2) -> str:
    return f"{age_ms['p50']:.{digits}f} / {age_ms['p99']:.{digits}f}" if age_ms else "-"


def cell_row(viewers: int, name: str, cell: CellResult) -> list[str]:
    if cell.failure:
        return [str(viewers), name, f"failed: {cell.failure}"] + [""] * 6
    return [
        str(viewers),
        name,
        f"{cell.age('p50'):.2f} / {cell.age('p99'):.2f}",
        f"{cell.normal('fps_mean'):.1f} / {cell.normal('fps_min'):.1f}",
        str(cell.lost),
        f"{cell.median(lambda m: m.server_cpu_per_gb):.3f}",
        f"{cell.median(lambda m: m.pipeline_cpu_per_gb):.3f}",
        f"{cell.median(lambda m: m.rss_mb):.1f} / {cell.median(lambda m: m.hwm_mb):.1f}",
        f"{cell.median(lambda m: m.loadgen_cpu_percent):.0f} %" + (f"; {cell.oddities()}" if cell.oddities() else ""),
    ]


def matrix_lines(plan: Plan, results: Results) -> list[str]:
    head = ["viewers", "server", "age p50 / p99 ms", "fps mean / min", "lost", "server CPU s/GB", "pipeline CPU s/GB"]
    head += ["RSS / peak MB", "loadgen's CPU, oddities"]
    lines = []
    for size in SIZES:
        cells = [cell for cell in plan.cells if cell.size == size and cell.name in results]
        if cells:
            rows = [cell_row(cell.viewers, cell.contender.name, results[cell.name]) for cell in cells]
            lines += [f"### {size}", "", *table(head, rows)]
    return lines


def trouble_words(classes: dict) -> str:
    """What became of the slow or the hung viewers."""
    if "slow" in classes:
        slow = classes["slow"]
        spans = " ".join(f"{span['max_ms'] / 1e3:.2f}" for span in slow["age_over_time"])
        lost = f"; closed after {slow['closed']} s" if slow["closed"] else ""
        return f"{slow['frames']} frames, {slow['bytes'] / 1e6:.1f} MB; greatest age s: {spans or 'none came'}{lost}"
    if "hung" in classes:
        hung = classes["hung"]
        if not hung["closed"]:
            return "none closed"
        closed = hung["closed"]
        return f"{len(closed)} of {hung['requested']} closed after {min(closed)} to {max(closed)} s"
    normal = classes["normal"]
    first = normal["first_frame_ms"]
    return f"first frame after {first['p50']:.0f} ms, at worst {first['max']:.0f} ms" if first else ""


def scenario_row(name: str, cell: CellResult) -> list[str]:
    if cell.failure:
        return [name, f"failed: {cell.failure}"] + [""] * 6
    m = cell.rounds[0]
    lost = f"{m.normal['lost']} lost, {m.normal['starved']} without a frame"
    reasons = ", ".join(f"{reason}: {count}" for reason, count in m.normal["lost_reasons"].items())
    return [
        name,
        age_words(m.normal["age_ms"]),
        f"{m.normal['fps_mean']:.1f} / {m.normal['fps_min']:.1f}",
        lost + (f" ({reasons})" if reasons else ""),
        trouble_words(m.classes),
        f"{m.rss_mb:.1f} ({m.rss_growth_mb:+.1f})",
        f"{m.kernel_mb:.1f}",
        cell.oddities(),
    ]


def scenario_lines(scenarios: list[Scenario], results: Results) -> list[str]:
    head = ["server", "ordinary: age p50 / p99 ms", "fps mean / min", "lost", "the others", "RSS MB (growth)"]
    head += ["kernel's TCP MB", "oddities"]
    lines = []
    for title in dict.fromkeys(scenario.title for scenario in scenarios):
        rows = [
            scenario_row(scenario.contender.name, results[scenario.name])
            for scenario in scenarios
            if scenario.title == title and scenario.name in results
        ]
        if rows:
            lines += [f"### {title[0].upper()}{title[1:]}", "", *table(head, rows)]
    return lines


def promise_lines(results: Results) -> list[str]:
    rows = [[v.promise, v.target, v.figure, v.word] for v in judge(results)]
    return table(["promise, at 1280x720", "target", "figure", ""], rows)


def render(plan: Plan, results: Results, facts: list[str]) -> str:
    lines = ["# Results", "", "Written by bench/run.py; bench/README.md says what is measured and how.", ""]
    lines += ["## Promises", "", *promise_lines(results)]
    lines += ["## Circumstances", "", *machine_lines(), *facts, ""]
    lines += ["## Viewers", "", *matrix_lines(plan, results)]
    lines += ["## Trouble at 1280x720", "", *scenario_lines(plan.scenarios, results)]
    return "\n".join(lines).rstrip() + "\n"
