"""Starting processes, watching them and counting what they cost. Linux only: all of it is /proc."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
START_LIMIT_SECONDS = 10
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """A cell that has no number, and why."""


def die_with_parent() -> None:
    """In the child: no process may survive the driver, not even one that is killed with -9."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def settle(name: str) -> None:
    """In the child: viewers and the producer get a processor of their own, as if they were other machines.

    Left to itself the scheduler wakes loadgen on the server's processor, where it waits until the server has served
    everybody: the age then tells of the scheduler, not of the server.
    """
    die_with_parent()
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        os.sched_setaffinity(0, processors[-1:] if name in ("loadgen", "feeder") else processors[:-1])


@dataclass
class Process:
    name: str
    popen: subprocess.Popen
    errors: Path

    def last_words(self) -> str:
        lines = [line for line in self.errors.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:160] if lines else "no word"

    def obituary(self) -> str | None:
        code = self.popen.poll()
        return None if code is None else f"{self.name} ended with {code}: {self.last_words()}"


class Stage:
    """The processes of one cell. Leaving the block ends them all, whatever happened."""

    def __init__(self) -> None:
        # In memory: the disk's moods are no part of the comparison.
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.scratch = Path(tempfile.mkdtemp(prefix="framepipe-bench-", dir=base))
        self.processes: list[Process] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            end_group(process.popen)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def spawn(self, name: str, argv: list, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) -> Process:
        errors = self.scratch / f"{name}.stderr"
        try:
            with errors.open("wb") as stderr:
                popen = subprocess.Popen(
                    [str(word) for word in argv],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                    preexec_fn=lambda: settle(name),
                )
        except OSError as error:
            raise Failure(f"{argv[0]}: {error.strerror}") from error
        process = Process(name, popen, errors)
        self.processes.append(process)
        return process

    def require_alive(self) -> None:
        # All of the dead: when a server dies, its feeder ends, too, and is not the reason.
        if any(process.obituary() for process in self.processes):
            time.sleep(0.1)
            raise Failure("; ".join(filter(None, (process.obituary() for process in self.processes))))

    def wait_for_address(self, process: Process) -> int:
        """The port that a server names on standard error as http://127.0.0.1:PORT/."""

        def port() -> int:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.errors.read_text(errors="replace"))
            return int(found[1]) if found else 0

        return self._wait_for(port, f"{process.name} named no address")

    def wait_for_port(self, process: Process, port: int) -> None:
        """Until somebody listens there. No trial connection: ffmpeg would take it for its only viewer."""
        self._wait_for(lambda: port_is_open(port), f"{process.name} opened no port")

    def _wait_for(self, question, complaint: str):
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while time.monotonic() < deadline:
            answer = question()
            if answer:
                return answer
            self.require_alive()
            time.sleep(0.02)
        raise Failure(f"{complaint} within {START_LIMIT_SECONDS} s")


def end_group(popen: subprocess.Popen) -> None:
    """Ends a process and its group. One that ended by itself is left alone: its number may be another's by now."""
    for sig, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 5)):
        if popen.poll() is not None:
            break
        os.killpg(popen.pid, sig)
        with suppress(subprocess.TimeoutExpired):
            popen.wait(patience)
    if popen.stdout:
        popen.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_is_open(port: int) -> bool:
    listening = re.compile(rf"^ *\d+: [0-9A-F]+:{port:04X} [0-9A-F:]+ 0A ", re.MULTILINE)
    return any(listening.search(Path(table).read_text()) for table in ("/proc/net/tcp", "/proc/net/tcp6"))


def stat_fields(pid: int) -> list[str]:
    # The command's name, in brackets, may hold blanks.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def family(roots: list[int]) -> set[int]:
    """The processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(stat_fields(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue  # ended meanwhile
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(roots: list[int]) -> float:
    """User and system time of the processes, their descendants, and the children that they have reaped."""
    total = 0.0
    for pid in family(roots):
        try:
            # The process's CPU clock (linux/posix-timers.h: CPUCLOCK_SCHED). It is utime + stime without their rounding
            # to 10 ms, which at one viewer would be a fifth of the figure.
            total += time.clock_gettime(~pid << 3 | 2)
            total += sum(int(ticks) for ticks in stat_fields(pid)[13:15]) / TICKS
        except OSError:
            continue
    return total


def memory_mb(roots: list[int], field: str) -> float:
    """VmRSS or VmHWM of the processes and their descendants."""
    total = 0
    for pid in family(roots):
        try:
            found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total * 1024 / 1e6


def kernel_tcp_mb() -> float:
    """What all TCP sockets of the machine hold in their buffers: where a slow viewer's backlog lies."""
    found = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text(), re.MULTILINE)
    return int(found[1]) * PAGE_BYTES / 1e6 if found else 0.0
