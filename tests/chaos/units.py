"""Programs that are run as systemd would run them by our units: their commands, and what happens when they end."""
import asyncio
import contextlib
import os
import re
import shlex
import signal
import time

import processes

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SETTLE_S = 10  # a program's life begins with what grows: buffers, arenas, plugins


class UnitFile:
    """Of systemd/, as far as the chaos run can do what it says."""

    def __init__(self, name):
        self.environment = {}
        self.start = None
        self.restart_s = 0.1  # systemd's default
        self.prevent = set()
        with open(f"{ROOT}/systemd/{name}.in") as text:
            for line in text:
                key, _, value = line.strip().partition("=")
                if key == "Environment":
                    self.environment.update(word.split("=", 1) for word in shlex.split(value))
                elif key == "ExecStart":
                    self.start = value
                elif key == "RestartSec":
                    self.restart_s = float(value)
                elif key == "RestartPreventExitStatus":
                    self.prevent = {int(code) for code in value.split()}
                elif key == "Restart" and value != "always":
                    raise ValueError(f"{name}: Restart={value}: the chaos run knows but always")

    def command(self, instance, places, environment):
        """ExecStart of `instance` (%i, %I, %f) with $NAME and ${NAME} filled in; `places` replaces directories."""
        known = {**self.environment, **environment}
        words = []
        for word in self.start.split():
            if word.startswith("$") and not word.startswith("${"):
                words += shlex.split(known[word[1:]])
            else:
                words.append(re.sub(r"\$\{(\w+)\}", lambda found: known[found[1]], word))
        for sign in ("%i", "%I", "%f"):
            words = [word.replace(sign, instance) for word in words]
        for place, real in places.items():
            words = [word.replace(place, real) for word in words]
        return words


class Unit:
    """One of them. It is started again whenever it ends; an end that was not asked for is a finding."""

    def __init__(self, name, command, log, findings, restart_s=1.0, prevent=()):
        self.name = name
        self.command = command
        self.log = log
        self.findings = findings
        self.restart_s = restart_s
        self.prevent = prevent
        self.process = None
        self.since = 0.0        # of this life
        self.asked = False      # it was told to end
        self.keeper = None
        self.baseline = None    # what it held when it had settled
        self.known_end = None   # words on standard error with which it may abort
        self.known_ends = 0

    @property
    def pid(self):
        return self.process.pid

    def runs(self):
        return self.process is not None and self.process.returncode is None

    async def start(self):
        await self.spawn()
        self.keeper = asyncio.create_task(self.keep())

    async def spawn(self):
        with open(self.log, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=log,
                start_new_session=True)
        self.since = time.monotonic()
        self.asked = False
        self.baseline = None

    async def keep(self):
        while True:
            code = await self.process.wait()
            if not self.asked and self.known_end and code == -signal.SIGABRT and self.known_end in self.last_words():
                self.known_ends += 1
            elif not self.asked:
                self.findings.append(f"{self.name} ended by itself, with {code}")
            if code in self.prevent:
                self.findings.append(f"{self.name} ended with {code}, after which it is not started again")
                return
            await asyncio.sleep(self.restart_s)
            await self.spawn()

    def last_words(self):
        with open(self.log, "rb") as text:
            text.seek(max(0, os.path.getsize(self.log) - 1000))
            return text.read().decode(errors="replace")

    async def port(self, limit=30):
        """Where it listens, once it has said so; from then on also when it is started again."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            with open(self.log) as text:
                found = re.search(r"http://127\.0\.0\.1:(\d+)/", text.read())
            if found:
                self.command = [word.replace("127.0.0.1:0", f"127.0.0.1:{found[1]}") for word in self.command]
                return int(found[1])
            await asyncio.sleep(0.02)
        raise TimeoutError(f"{self.name} does not listen; see {self.log}")

    def kill(self):
        self.asked = True
        self.send(signal.SIGKILL)

    def pause(self, paused):
        self.send(signal.SIGSTOP if paused else signal.SIGCONT)

    def send(self, which):
        if self.runs():
            os.kill(self.pid, which)
        else:
            self.findings.append(f"{self.name} does not run any more")

    async def stop(self, limit=10):
        """As `systemctl stop`; the exit status, or None where it had to be killed."""
        self.asked = True
        self.keeper.cancel()
        if not self.runs():
            return 0
        for which in (signal.SIGTERM, signal.SIGCONT):  # also one that is stopped
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, which)
        try:
            return await asyncio.wait_for(self.process.wait(), limit)
        except asyncio.TimeoutError:
            self.findings.append(f"{self.name} did not end within {limit} s of SIGTERM")
            os.kill(self.pid, signal.SIGKILL)
            await self.process.wait()
            return None

    # --- what it holds

    def settled(self):
        return self.runs() and time.monotonic() - self.since > SETTLE_S

    async def take_baseline(self):
        """The most of a second: what comes and goes with each frame is a part of it."""
        most = {}
        with contextlib.suppress(OSError):  # it is gone
            for _ in range(10):
                for what, count in processes.holdings(self.pid).items():
                    most[what] = max(most.get(what, 0), count)
                await asyncio.sleep(0.1)
            self.baseline = most

    async def compare(self, allowed, patience_s=25):
        """Whether it holds more than when it had settled, and more than `allowed` more, after `patience_s` at most: threads of
        GLib end when they were idle for 15 s, viewers that vanished after as long. The KiB it has grown by, or None where
        nothing can be said."""
        if self.baseline is None:
            return None
        try:
            least = await self.least(allowed, patience_s)
        except OSError:  # it is gone
            return None
        for what, before in self.excess(least, allowed).items():
            self.findings.append(f"{self.name} had {before} {what} when it had settled, and {least[what]} after "
                                 f"{time.monotonic() - self.since:.0f} s")
        return least["memory_kb"] - self.baseline["memory_kb"]

    async def least(self, allowed, patience_s):
        least = processes.holdings(self.pid)
        until = time.monotonic() + patience_s
        while time.monotonic() < until and self.excess(least, allowed):
            await asyncio.sleep(0.1)
            least = {what: min(count, least[what]) for what, count in processes.holdings(self.pid).items()}
        return least

    def excess(self, held, allowed):
        return {what: before for what, before in self.baseline.items() if held[what] > before + allowed.get(what, 0)}
