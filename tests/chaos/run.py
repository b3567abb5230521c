#!/usr/bin/python3
"""Breaks a full installation, one fault after the other, and checks after each that frames flow again, and how soon.

run.py --bin DIR --out FOLDER [--seconds N] [--within SECONDS] [--seed N] [--report FILE] [--only WORD]

Every fault of faults.py comes once, in random order, and then all of them again. After each, every end must see a frame that
was captured after the fault was over, within --within. At no time an end may get a broken picture, or a frame older than one
before; each recorded file must play whole and nothing may be missing in it but what a fault explains; no program may end by
itself or leave a child behind, and each must hold the descriptors, threads and memory that it held when it had settled.
Prints a line for each finding, a table, and one line of figures; exits with 1 when something was wrong.
"""
import argparse
import asyncio
import contextlib
import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import time

# For all modules of this folder.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import processes
from faults import all_faults
from installation import Installation
from report import Report

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 30     # how much longer than --within an end is waited for, to say how long it took
ORPHAN_S = 5        # a child whose parent was killed has so long to notice
GAP_S = 1.0         # what a kill may cost the recording


def adopt_orphans():
    """What our programs leave behind becomes our child, and is seen."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class Findings(list):
    """Says each at once, and with what was going on."""

    doing = "start"

    def append(self, text):
        super().append(f"{self.doing}: {text}")
        print(f"not ok: {self[-1]}", flush=True)


class Chaos:
    def __init__(self, options):
        self.options = options
        self.dice = random.Random(options.seed)
        self.findings = Findings()
        self.report = Report(options)
        self.installation = Installation(options.bin, options.out, self.dice, self.findings)
        self.orphans = {}  # pid -> when it was first seen

    async def run(self):
        """Ends in good order also when it is cancelled: nothing runs on, and nothing stays mounted."""
        installation = self.installation
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
        try:
            await installation.start()
            await self.break_things()
            await self.settle()
        except TimeoutError as trouble:
            self.findings.append(str(trouble))
        finally:
            await installation.stop()
            await self.nothing_left()
            await self.look_at_recordings()
            installation.unmount()
        self.report.take(installation)

    async def look_at_recordings(self):
        recordings = self.installation.recordings
        if recordings:
            await recordings.audit()
            self.report.losses = recordings.missing(max(GAP_S, self.options.within / 5))

    async def break_things(self):
        stop = time.monotonic() + self.options.seconds
        deck = []
        while time.monotonic() < stop:
            if not deck:
                deck = [fault for fault in all_faults(self.installation) if self.options.only in f"{fault.kind} {fault.place}"]
                self.dice.shuffle(deck)
                if not deck:
                    raise TimeoutError(f"--only {self.options.only}: there is no such fault")
            await self.break_one(deck.pop())
            await asyncio.sleep(self.dice.uniform(0, 1))

    async def break_one(self, fault):
        installation = self.installation
        found_before = len(self.findings)
        self.findings.doing = f"{fault.kind}, {fault.place}"
        began = time.time()
        spoilt = [installation.end(name) for name in fault.spoils]
        for end in spoilt:
            end.forgive(True)
        await fault.apply()
        over, over_at = fault.over
        for end in spoilt:
            end.newest = min(end.newest, time.time())
        seconds = await self.recovery(over, over_at, self.options.within + fault.notices_s)
        for end in spoilt:
            end.forgive(False)
        if fault.costs_recording is not None:
            begin = over if fault.kind == "kill -9" else began - fault.costs_recording
            installation.recordings.excuse(begin, time.time())
        await installation.recordings.audit()
        await installation.take_baselines()
        self.look_for_orphans()
        self.report.add(fault, seconds, len(self.findings) - found_before)

    async def recovery(self, over, over_at, within):
        """How many seconds after the fault each end was served again."""
        limit = within + PATIENCE_S
        ends = self.installation.ends
        seen = await asyncio.gather(*(end.fresh_after(over, limit) for end in ends))
        seconds = {end.name: limit if at is None else max(0.0, at - over_at) for end, at in zip(ends, seen)}
        for name, took in seconds.items():
            if took > within:
                self.findings.append(f"{name}: no new frame for {took:.1f} s" + (" and longer" if took >= limit else ""))
        return seconds

    async def settle(self):
        self.findings.doing = "end"
        for unit in self.installation.units.values():
            await self.installation.compare(unit)

    # --- children that nobody has any more

    def look_for_orphans(self):
        """Of programs that were killed, and zombies of those that live: they have a while to go."""
        own = self.installation.own()
        strangers = [pid for pid in processes.children(os.getpid()) if pid not in own]
        strangers = [pid for pid in strangers if not reaped(pid)]
        zombies = {pid: unit for unit in self.installation.units.values() if unit.runs()
                   for pid in processes.children(unit.pid) if processes.is_zombie(pid)}
        now = time.monotonic()
        self.orphans = {pid: self.orphans.get(pid, now) for pid in [*strangers, *zombies]}
        for pid in [pid for pid, seen in self.orphans.items() if now - seen > ORPHAN_S]:
            if pid in zombies:
                self.findings.append(f"{zombies[pid].name} has a zombie, {pid}")
            else:
                self.findings.append(f"process {pid} ({command_of(pid)}) outlives its parent")
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def nothing_left(self):
        until = time.monotonic() + ORPHAN_S + 1
        while time.monotonic() < until:
            self.look_for_orphans()
            if not processes.children(os.getpid()):
                break
            await asyncio.sleep(0.1)


def reaped(pid):
    """Of a process that nobody waits for."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as text:
            return text.read().replace("\0", " ").strip()
    except OSError:
        return "gone"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True, help="a folder for logs, emptied first; removed when nothing was wrong")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--within", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--report", help="a file for the table, in Markdown")
    parser.add_argument("--only", default="", help="faults whose kind and place have this in them")
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    options.out = os.path.abspath(options.out)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {options.seed}", flush=True)
    if os.path.ismount(f"{options.out}/rec"):  # of a run that was killed
        subprocess.run(["umount", f"{options.out}/rec"], check=True)
    shutil.rmtree(options.out, ignore_errors=True)
    os.makedirs(options.out)
    adopt_orphans()
    chaos = Chaos(options)
    try:
        asyncio.run(chaos.run())
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 143
    chaos.report.write(chaos.findings)
    if not chaos.findings:
        shutil.rmtree(options.out)
    return 1 if chaos.findings else 0


if __name__ == "__main__":
    sys.exit(main())
