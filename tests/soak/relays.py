#!/usr/bin/env python3
"""Relays and upstreams that are killed and started at random, and viewers that must always see the newest again.

relays.py --bin DIR [--seconds N] [--relays N] [--upstreams N] [--within SECONDS] [--seed N]

Some relays are never killed: after all their viewers have left they must hold the descriptors that they held at the
start, and little more memory. No viewer may see a frame that is older than one it has seen. When an upstream is back,
which is when a viewer of its own sees a live frame, each viewer of a relay that lives must see one within --within.
Prints a line for each finding and one of figures; exits with 1 when something was wrong.
"""
import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import processes
from mjpeg_viewer import Viewer

HELD_MEMORY_KB = 6144  # a frame buffer here and there, and what malloc keeps


class Trouble(Exception):
    pass


class Program:
    """A server of ours on a port that stays the same when it is started again."""

    def __init__(self, command, log):
        self.command = command
        self.log = log
        self.port = 0
        self.process = None

    async def start(self):
        for _ in range(100):  # the port may be somebody's for a moment
            with open(self.log, "ab") as log:
                at = log.tell()
                self.process = await asyncio.create_subprocess_exec(
                    *self.command, "--listen", f"127.0.0.1:{self.port}", stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL, stderr=log, start_new_session=True)
            while self.process.returncode is None:
                with open(self.log, "rb") as text:
                    text.seek(at)
                    words = text.read()
                if b"http://127.0.0.1:" in words:
                    self.port = int(words.split(b"http://127.0.0.1:")[1].split(b"/")[0])
                    return
                await asyncio.sleep(0.01)
        raise Trouble(f"{self.command} does not listen")

    async def kill(self, how=signal.SIGKILL):
        group = self.process.pid
        children = processes.children(group)
        try:
            os.killpg(group, how)
        except ProcessLookupError:
            pass
        try:
            await asyncio.wait_for(self.process.wait(), 5)
        except asyncio.TimeoutError:
            raise Trouble(f"{self.command[0]} did not end by signal {how}") from None
        for child in children:  # an exec: camera is in a group of its own; a killed parent cannot end it
            try:
                os.killpg(child, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass

    def state(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/state", timeout=5) as answer:
            return json.load(answer)


class RelayViewer(Viewer):
    """Watches one path of a program, whose port is known when it has been started."""

    def __init__(self, program, path, findings):
        super().__init__(path, lambda: asyncio.open_connection("127.0.0.1", program.port), findings, path)
        self.disturbed = 0.0  # when its relay was last killed or started, or it left


async def soak(options):
    dice = random.Random(options.seed)
    findings, returns = [], []
    kills = {"upstream": 0, "relay": 0}
    folder = options.out
    os.makedirs(folder, exist_ok=True)

    async def noted(work):
        try:
            await work
        except Trouble as trouble:
            findings.append(str(trouble))

    upstreams = [Program([f"{options.bin}/mjpeg-serve", "--camera",
                          f"cam=exec:exec {options.bin}/camgrab test --fps 10 --size 320x240"],
                         f"{folder}/upstream{i}.log") for i in range(options.upstreams)]
    for program in upstreams:
        await program.start()
    relays, homes = [], []
    for i in range(options.relays):
        home = dice.sample(range(options.upstreams), 2)
        urls = [f"cam{j}=http://127.0.0.1:{upstreams[j].port}/stream" for j in home]
        relays.append(Program([f"{options.bin}/mjpeg-relay", "--idle", "1s", *urls], f"{folder}/relay{i}.log"))
        homes.append(home)
        await relays[-1].start()
    witnesses = range(max(1, options.relays // 5))  # never killed

    viewers = {}  # (relay, upstream) -> Viewer
    for i, home in enumerate(homes):
        for j in home:
            viewers[i, j] = RelayViewer(relays[i], f"/stream/cam{j}", findings)
    direct = [RelayViewer(program, "/stream", findings) for program in upstreams]
    for viewer in [*viewers.values(), *direct]:
        if await viewer.live_after(0, 30) is None:
            raise Trouble(f"{viewer.path}: no frame at all")
    held = {i: processes.holdings(relays[i].process.pid) for i in witnesses}

    def disturb(i):
        for j in homes[i]:
            # One that has left stays so.
            viewers[i, j].disturbed = max(viewers[i, j].disturbed, time.monotonic())

    async def upstream_falls(j):
        before = time.monotonic()
        await upstreams[j].kill(dice.choice([signal.SIGKILL, signal.SIGTERM]))
        kills["upstream"] += 1
        gone = time.monotonic()
        await asyncio.sleep(dice.uniform(0, 4))
        await upstreams[j].start()
        back = await direct[j].live_after(gone, 20)
        if back is None:
            findings.append(f"upstream {j} did not come back, killed {time.monotonic() - before:.1f} s ago")
            return
        async def witness(i, viewer):
            seen = await viewer.live_after(gone, options.within + 5)
            if viewer.disturbed > gone:
                return  # its relay fell, or it left: nothing can be said
            if seen is None:
                findings.append(f"relay {i} shows nothing of upstream {j} since it is back")
                return
            returns.append(max(0.0, seen - back))
            if seen - back > options.within:
                findings.append(f"relay {i} showed upstream {j} {seen - back:.2f} s after it was back")

        await asyncio.gather(*(witness(i, viewers[i, j]) for i, home in enumerate(homes) if j in home))

    async def relay_falls(i):
        disturb(i)
        await relays[i].kill(dice.choice([signal.SIGKILL, signal.SIGTERM]))
        kills["relay"] += 1
        await asyncio.sleep(dice.uniform(0, 1))
        await relays[i].start()
        disturb(i)

    async def viewer_leaves(i, j):
        viewers[i, j].disturbed = float("inf")
        await viewers[i, j].leave()
        await asyncio.sleep(dice.uniform(0, 3))  # longer than --idle, or not
        viewers[i, j] = RelayViewer(relays[i], f"/stream/cam{j}", findings)

    async def for_ever(choose, pause):
        while time.monotonic() < stop:
            await noted(choose())
            await asyncio.sleep(dice.uniform(0, pause))

    stop = time.monotonic() + options.seconds
    mortal = [i for i in range(options.relays) if i not in witnesses]
    leaving = [(i, j) for i in mortal for j in homes[i]]
    dice.shuffle(leaving)
    half = len(leaving) // 2
    await asyncio.gather(
        for_ever(lambda: upstream_falls(dice.randrange(options.upstreams)), 2),
        *(for_ever(lambda share=share: relay_falls(dice.choice(share)), 1) for share in (mortal[::2], mortal[1::2]) if share),
        *(for_ever(lambda share=share: viewer_leaves(*dice.choice(share)), 1) for share in (leaving[:half], leaving[half:])))

    frames = sum(viewer.frames for viewer in viewers.values())
    # One connection for each relay at most, however many watch.
    for j, program in enumerate(upstreams):
        watching = sum(1 for home in homes if j in home) + 1
        connected = len(program.state()["viewers"])
        if connected > watching:
            findings.append(f"upstream {j} has {connected} viewers, and {watching} relays and viewers at most")
    for viewer in [*viewers.values(), *direct]:
        await viewer.leave()
    left = time.monotonic()
    while any(program.state()["viewers"] for program in upstreams):
        if time.monotonic() - left > 5:
            findings.append("upstreams have viewers 5 s after the last one left")
            break
        await asyncio.sleep(0.05)
    idle_after = time.monotonic() - left
    grown = 0
    for i in witnesses:
        holds = processes.holdings(relays[i].process.pid)
        # Idle, it holds less than with two upstreams and two viewers.
        if holds["descriptors"] > held[i]["descriptors"]:
            findings.append(f"relay {i} had {held[i]['descriptors']} descriptors at the start and has {holds['descriptors']}")
        grown = max(grown, holds["memory_kb"] - held[i]["memory_kb"])
    if grown > HELD_MEMORY_KB:
        findings.append(f"a relay has grown by {grown} KB")
    for program in [*relays, *upstreams]:
        await noted(program.kill(signal.SIGTERM))
    returns.sort()
    for finding in findings:
        print(f"not ok: {finding}")
    share = (lambda part: returns[min(len(returns) - 1, int(part * len(returns)))] if returns else 0.0)
    print(f"{options.seconds} s: {options.relays} relays killed {kills['relay']} times, {options.upstreams} upstreams "
          f"{kills['upstream']} times; {frames} frames seen; back after p50 {share(0.5) * 1000:.0f} ms, max "
          f"{share(1) * 1000:.0f} ms ({len(returns)} returns); upstreams idle {idle_after:.1f} s after the last viewer; "
          f"memory at most {max(grown, 0)} KB more; {len(findings)} findings; seed {options.seed}")
    return 1 if findings or not returns else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", required=True, help="a folder for logs")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--relays", type=int, default=20)
    parser.add_argument("--upstreams", type=int, default=5)
    parser.add_argument("--within", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.bin = os.path.abspath(options.bin)
    try:
        sys.exit(asyncio.run(soak(options)))
    except Trouble as trouble:
        print(f"not ok: {trouble}")
        sys.exit(1)


if __name__ == "__main__":
    main()
