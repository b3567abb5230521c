"""One measurement: a contender, a crowd of viewers, and what both cost in the measured time."""

import json
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from .contenders import Contender, Place, Running
from .processes import Failure, Stage, cpu_seconds, settle, end_group, kernel_tcp_mb, memory_mb


@dataclass
class Crowd:
    """Options of one loadgen run; words that are not here are loadgen's defaults."""

    viewers: int
    seconds: float
    warmup: float = 2
    discard: bool = False
    rush: bool = False
    extra: list[str] = field(default_factory=list)

    def argv(self, programs: Path, contender: Contender, url: str) -> list[str]:
        words = [str(programs / "loadgen"), url, "--json", "--viewers", str(self.viewers)]
        words += ["--seconds", str(self.seconds), "--warmup", str(self.warmup)]
        words += [] if self.rush else ["--at-once", "4"]  # less than the smallest backlog of a peer
        words += ["--discard"] if self.discard else []
        words += ["--raw"] if contender.raw else []
        return words + self.extra

    def limit_seconds(self) -> float:
        # loadgen connects the rest in a rush after 20 s.
        return self.warmup + self.seconds + 30


@dataclass
class Sample:
    """The servers' state at one moment."""

    server_cpu: float
    pipeline_cpu: float
    rss_mb: float

    @staticmethod
    def of(running: Running) -> "Sample":
        return Sample(
            cpu_seconds(running.server), cpu_seconds(running.pipeline), memory_mb(running.server, "VmRSS")
        )


@dataclass
class Measurement:
    classes: dict  # loadgen's figures by class of viewer
    seconds: float
    loadgen_cpu_percent: float
    server_cpu_per_gb: float
    pipeline_cpu_per_gb: float
    rss_mb: float
    rss_growth_mb: float
    hwm_mb: float
    kernel_mb: float

    @property
    def normal(self) -> dict:
        return self.classes["normal"]


def measure(contender: Contender, crowd: Crowd, programs: Path, pictures: list[Path]) -> Measurement:
    """Raises Failure where there is no number to be had."""
    with Stage() as stage:
        running = contender.start(Place(stage, programs, pictures))
        try:
            loadgen = subprocess.Popen(
                crowd.argv(programs, contender, running.url),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
                preexec_fn=lambda: settle("loadgen"),
            )
        except OSError as error:
            raise Failure(f"loadgen: {error.strerror}") from error
        watchdog = threading.Timer(crowd.limit_seconds(), loadgen.kill)
        watchdog.start()
        try:
            return observe(loadgen, stage, running)
        finally:
            watchdog.cancel()
            end_group(loadgen)
            loadgen.stderr.close()


def observe(loadgen: subprocess.Popen, stage: Stage, running: Running) -> Measurement:
    begin = end = None
    hwm_mb = kernel_mb = 0.0
    words = "no word"
    for line in loadgen.stderr:
        if line == "measuring\n":
            begin = Sample.of(running)
        elif line == "measured\n":
            end = Sample.of(running)
            hwm_mb, kernel_mb = memory_mb(running.server, "VmHWM"), kernel_tcp_mb()
            stage.require_alive()
        else:
            words = line.strip()
    report = loadgen.stdout.read()
    if loadgen.wait() != 0 or begin is None or end is None:
        stage.require_alive()
        raise Failure(f"loadgen ended with {loadgen.returncode}: {words}")
    return summarize(json.loads(report), begin, end, hwm_mb, kernel_mb)


def summarize(report: dict, begin: Sample, end: Sample, hwm_mb: float, kernel_mb: float) -> Measurement:
    classes = report["classes"]
    delivered_gb = sum(figures["bytes"] for figures in classes.values()) / 1e9
    if delivered_gb == 0 or not classes["normal"]["age_ms"]:
        raise Failure(f"no frame arrived ({classes['normal']['lost_reasons'] or 'nobody was lost'})")
    return Measurement(
        classes=classes,
        seconds=report["seconds"],
        loadgen_cpu_percent=100 * report["cpu_seconds"] / report["seconds"],
        server_cpu_per_gb=(end.server_cpu - begin.server_cpu) / delivered_gb,
        pipeline_cpu_per_gb=(end.pipeline_cpu - begin.pipeline_cpu) / delivered_gb,
        rss_mb=end.rss_mb,
        rss_growth_mb=end.rss_mb - begin.rss_mb,
        hwm_mb=hwm_mb,
        kernel_mb=kernel_mb,
    )
