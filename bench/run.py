#!/usr/bin/env python3
"""Compare framepipe with its peers under load. `make bench` calls it; bench/README.md explains."""

import argparse
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from comparison.machine import first_line
from comparison.measure import Crowd, Measurement, measure
from comparison.pictures import SIZES, make_pictures, mean_kb
from comparison.plan import BIG, Contender, Plan, make_plan
from comparison.processes import Failure
from comparison.report import render
from comparison.results import CellResult


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, metavar="BUILD_DIR", help="executables are in BUILD_DIR/bin")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the results go")
    parser.add_argument("--quick", action="store_true", help="fewer cells, shorter, one round")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="measure each cell N times (2; quick: 1)")
    parser.add_argument("--only", default="", metavar="REGEX", help="some cells only, named as --list names them")
    parser.add_argument("--list", action="store_true", help="name the cells and end")
    return parser.parse_args(argv)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def brief(measurement: Measurement) -> str:
    normal = measurement.normal
    return (
        f"age {normal['age_ms']['p50']:.2f}/{normal['age_ms']['p99']:.2f} ms, fps {normal['fps_mean']:.1f}, "
        f"lost {normal['lost'] + normal['starved']}, CPU {measurement.server_cpu_per_gb:.3f} s/GB"
    )


def work(plan: Plan, rounds: int, wanted: re.Pattern) -> Iterator[tuple[str, str, Contender, Crowd]]:
    """All measurements in order: each round goes through all contenders, so that they share the machine's moods."""
    for _ in range(rounds):
        for cell in plan.cells:
            if wanted.search(cell.name):
                yield cell.name, cell.size, cell.contender, plan.cell_crowd(cell)
    for scenario in plan.scenarios:
        if wanted.search(scenario.name):
            yield scenario.name, BIG, scenario.contender, scenario.crowd


def run(options: argparse.Namespace, pictures: dict[str, list[Path]]) -> str:
    plan = make_plan(options.quick)
    rounds = options.rounds or (1 if options.quick else 2)
    programs = (options.bin / "bin").resolve()
    results: dict[str, CellResult] = {}
    began = time.monotonic()
    load = os.getloadavg()[0]
    todo = list(work(plan, rounds, re.compile(options.only)))
    for count, (name, size, contender, crowd) in enumerate(todo, 1):
        cell = results.setdefault(name, CellResult())
        try:
            cell.rounds.append(measure(contender, crowd, programs, pictures[size]))
            outcome = brief(cell.rounds[-1])
        except Failure as failure:
            cell.failures.append(str(failure))
            outcome = f"failed: {failure}"
        say(f"[{count}/{len(todo)} {time.monotonic() - began:.0f}s] {name}: {outcome}")
    facts = [
        f"- framepipe: {first_line([str(programs / 'mjpeg-serve'), '--version'])}",
        f"- load average before the run: {load:.2f} (above 0.3 the figures are noisy)",
        f"- frames: {', '.join(f'{size} of {mean_kb(made):.0f} KB' for size, made in pictures.items())}, 30 a second",
        f"- {rounds} rounds of {plan.cell_seconds} s for each cell, the median of them",
        f"- the whole run took {time.monotonic() - began:.0f} s",
        f"- command: `bench/run.py {' '.join(sys.argv[1:])}`",
    ]
    return render(plan, results, facts)


def raise_descriptor_limit() -> None:
    """For all children: a peer that does not raise the usual soft limit of 1024 itself is not to be judged by it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def long_run(page: Path) -> str:
    """The last section of the page, which tests/soak/long.py writes and takes two hours for."""
    found = re.search(r"\n## A long run\n.*", page.read_text() if page.exists() else "", re.DOTALL)
    return found.group() if found else ""


def main() -> int:
    options = parse(sys.argv[1:])
    if options.list:
        for name in dict.fromkeys(item[0] for item in work(make_plan(options.quick), 1, re.compile(options.only))):
            print(name)
        return 0
    raise_descriptor_limit()
    # As an exception, so that every cell's processes are ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="framepipe-bench-") as scratch:
            report = run(options, {size: make_pictures(Path(scratch) / size, size) for size in SIZES})
    except Failure as failure:
        say(f"run.py: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130
    options.out.write_text(report + long_run(options.out))
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
