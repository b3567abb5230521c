#!/usr/bin/env python3
"""A long run: two cameras that are switched off and killed now and then, and 50 viewers of three kinds.

long.py --bin DIR [--minutes N] [--span MINUTES] [--out FILE]

Two test cards of 640x480 at 15 frames a second in one mjpeg-serve; webrtc-serve takes the first one from it. 24 viewers
stay at /stream (two of them read 150 KB/s, a third of what there is), 10 at /wall, and 16 by WebRTC, which come anew each
four minutes, half of them without having said that they left. Every other minute a camera is stopped for 15 s, or its
program is killed. For each span there is a row: ages from X-Timestamp to the last byte in the viewer, in Chromium from
the bar of the card to the canvas; memory, descriptors and threads of both servers. What is wrong is said in a line;
exits with 1 when there was anything. --out is a page in which the section "A long run" is written anew.
"""
import argparse
import asyncio
import json
import os
import platform
import re
import signal
import socket
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from mjpeg_viewer import Viewer  # noqa: E402
from processes import children, holdings  # noqa: E402

HEADING = "## A long run"
STREAMS, SLOW, WALLS, PEERS = 24, 2, 10, 16
SLOW_BYTES_PER_S = 150_000
BACK_WITHIN_S = 20  # on a machine that does other things, too
MEMORY_KB = 8192  # what malloc keeps, and GStreamer's threads
AS_ITS_UNIT = {"G_SLICE": "always-malloc", "MALLOC_ARENA_MAX": "2"}  # systemd/framepipe-webrtc.service.in
DISTURB_EACH_S, OFF_S, PEERS_STAY_S = 120, 15, 240


class Server:
    """A program of ours that listens."""

    def __init__(self, command, log, environment=None):
        self.command = [str(word) for word in command]
        self.log = log
        self.environment = environment

    async def start(self):
        with open(self.log, "wb") as log:
            self.process = await asyncio.create_subprocess_exec(*self.command, stdin=asyncio.subprocess.DEVNULL,
                                                                stdout=asyncio.subprocess.DEVNULL, stderr=log,
                                                                env=os.environ | (self.environment or {}))
        until = time.monotonic() + 30
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", Path(self.log).read_text(errors="replace"))):
            if self.process.returncode is not None or time.monotonic() > until:
                sys.exit(f"{self.command[0]} does not listen: {Path(self.log).read_text(errors='replace')}")
            await asyncio.sleep(0.02)
        self.port = int(found.group(1))
        self.url = found.group()
        return self

    async def end(self):
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 30)


class Aged(Viewer):
    """A viewer of some cameras that writes down how old what comes is."""

    def __init__(self, server, path, kind, run, bytes_per_s=None):
        self.server, self.kind, self.run_of_all, self.bytes_per_s = server, kind, run, bytes_per_s
        self.connections = 0
        self.newest_of = {}  # camera -> X-Timestamp
        self.came = {}       # camera -> when the last live frame came
        super().__init__(path, self.begin, run, path)

    async def begin(self):
        self.connections += 1
        if self.connections > 1:
            self.run_of_all.append(f"a viewer of {self.path} was lost")
        connection = socket.create_connection(("127.0.0.1", self.server.port))
        if not self.bytes_per_s:
            return await asyncio.open_connection(sock=connection)
        # It stands for a slow link, which holds little: a reader's own kernel would take megabytes ahead of it.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 15)
        return Slow(reader, self.bytes_per_s), writer

    def take(self, headers, jpeg):
        if not headers["content-type"].startswith("image/"):
            return  # the figures of a wall
        camera = headers["x-camera"]
        self.newest = self.newest_of.get(camera, 0.0)
        super().take(headers, jpeg)
        self.newest_of[camera] = self.newest
        if headers.get("x-signal", "live") == "live":
            self.came[camera] = self.last_live
            self.run_of_all.ages[self.kind].append(time.time() - float(headers["x-timestamp"]))


class Slow:
    """Reads so many bytes a second."""

    def __init__(self, reader, bytes_per_s):
        self.reader, self.bytes_per_s = reader, bytes_per_s
        self.readuntil = reader.readuntil

    async def readexactly(self, count):
        body = await self.reader.readexactly(count)
        await asyncio.sleep(count / self.bytes_per_s)
        return body


class Run:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.findings, self.rows = [], []
        self.ages = {"stream": [], "slow": [], "wall": []}
        self.peers = {"batches": 0, "fps": [], "gaps": 0}
        self.backs = []
        self.disturbed = {"stopped": 0, "killed": 0}

    def append(self, what):
        """A finding."""
        print(f"WRONG: {time.strftime('%H:%M:%S')} {what}", flush=True)
        self.findings.append(what)

    async def whole(self):
        tool = Path(self.options.bin).resolve()
        card = f"exec {tool}/camgrab test --size 640x480 --fps 15"
        self.serve = await Server([tool / "mjpeg-serve", "--listen", "127.0.0.1:0", "--camera", f"front=exec:{card}", "--camera",
                                   f"back=exec:{card}"], self.folder / "serve.log").start()
        self.rtc = await Server([tool / "webrtc-serve", "--listen", "127.0.0.1:0", "-i", f"{self.serve.url}stream/front",
                                 "--max-viewers-per-address", "100"], self.folder / "webrtc.log", AS_ITS_UNIT).start()
        slow = [Aged(self.serve, f"/stream/{camera}", "slow", self, SLOW_BYTES_PER_S) for camera in ("front", "back")[:SLOW]]
        fast = [Aged(self.serve, f"/stream/{('front', 'back')[i % 2]}", "stream", self) for i in range(STREAMS - SLOW)]
        walls = [Aged(self.serve, "/wall", "wall", self) for _ in range(WALLS)]
        self.watching = [*fast, *walls]
        ends = time.monotonic() + 60 * self.options.minutes
        others = [asyncio.create_task(work) for work in (self.disturb(), self.come_and_go())]
        first = None
        while time.monotonic() < ends:
            await asyncio.sleep(min(60 * self.options.span, max(0, ends - time.monotonic())))
            held = await self.row()
            first = first or held
            broken = [task for task in others if task.done()]
            if broken:
                self.append(f"the run itself broke: {broken[0].exception()!r}")
                break
        for task in others:
            task.cancel()
        for viewer in [*slow, *self.watching]:
            await viewer.leave()
        for name, server in (("mjpeg-serve", self.serve), ("webrtc-serve", self.rtc)):
            for what, allowed in (("memory_kb", MEMORY_KB), ("descriptors", 4), ("threads", 4)):
                if held[name][what] > first[name][what] + allowed:
                    self.append(f"{name}: {what} {first[name][what]} in the first span and {held[name][what]} in the last")
        for server in (self.rtc, self.serve):
            if (code := await server.end()) != 0:
                self.append(f"{server.command[0]} ended with {code}")

    async def row(self):
        chromium = await self.chromium()
        held = {"mjpeg-serve": holdings(self.serve.process.pid), "webrtc-serve": holdings(self.rtc.process.pid)}
        ages, self.ages = self.ages, {kind: [] for kind in self.ages}
        row = {"ages": {kind: summary(values) for kind, values in ages.items()}, "chromium": chromium, "held": held,
               "peers": self.peers, "load": os.getloadavg()[0]}
        self.peers = {"batches": 0, "fps": [], "gaps": 0}
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        self.write()
        return held

    async def chromium(self):
        program = await asyncio.create_subprocess_exec(
            "node", str(HERE.parent.parent / "bench/webrtc/latency.mjs"), self.rtc.url, "10", stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE)
        try:
            out, words = await asyncio.wait_for(program.communicate(), 90)
        except asyncio.TimeoutError:
            program.kill()
            return None
        if program.returncode != 0:
            print("chromium:", words.decode()[-500:], flush=True)
            return None
        return json.loads(out)

    async def come_and_go(self):
        """WebRTC: each batch while the next one comes, so that there are always some."""
        viewers = f"{self.options.bin}/webrtc_viewers"
        while True:
            programs = []
            for vanish in (False, True):
                command = [viewers, "--url", f"{self.rtc.url}whep", "--count", str(PEERS // 2), "--seconds", str(PEERS_STAY_S)]
                programs.append(await asyncio.create_subprocess_exec(
                    *command, *(["--vanish"] if vanish else []), stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL))
            for program in programs:
                out, _ = await program.communicate()
                seen = json.loads(out)
                self.peers["batches"] += 1
                self.peers["fps"].append(seen["fps_each"])
                self.peers["gaps"] += seen["gaps"]
                if seen["with_pictures"] < PEERS // 2:
                    self.append(f"WebRTC: pictures for {seen['with_pictures']} of {PEERS // 2}")

    async def disturb(self):
        turn = 0
        while True:
            await asyncio.sleep(DISTURB_EACH_S)
            camera = ("front", "back")[turn // 2 % 2]
            if turn % 2 == 0:
                await asyncio.to_thread(self.post, f"stop?camera={camera}")
                await asyncio.sleep(OFF_S)
                await asyncio.to_thread(self.post, f"start?camera={camera}")
                self.disturbed["stopped"] += 1
            else:
                child = children(self.serve.process.pid)[0]
                os.killpg(child, signal.SIGKILL)
                self.disturbed["killed"] += 1
            turn += 1
            await self.all_see_again(time.monotonic())

    def post(self, what):
        request = urllib.request.Request(f"{self.serve.url}api/camera/{what}", data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()

    async def all_see_again(self, since):
        def back(viewer):
            cameras = ("front", "back") if viewer.kind == "wall" else (viewer.path.rsplit("/", 1)[1],)
            return all(viewer.came.get(camera, 0) > since for camera in cameras)

        while not all(back(viewer) for viewer in self.watching):
            if time.monotonic() > since + BACK_WITHIN_S:
                missing = [viewer.path for viewer in self.watching if not back(viewer)]
                self.append(f"{BACK_WITHIN_S} s after a camera was back these see nothing of it: {missing}")
                return
            await asyncio.sleep(0.02)
        self.backs.append(time.monotonic() - since)

    def write(self):
        if not self.options.out:
            return
        page = Path(self.options.out)
        before = page.read_text().split(f"\n{HEADING}\n")[0].rstrip("\n") if page.exists() else "# Results"
        page.write_text(f"{before}\n\n{HEADING}\n\n{self.report()}")

    def report(self):
        minutes = len(self.rows) * self.options.span
        age = lambda row, kind: " / ".join(f"{row['ages'][kind][p]:.0f}" for p in ("p50", "p99", "most"))  # noqa: E731
        lines = [
            f"`tests/soak/long.py --minutes {self.options.minutes:g}`, {time.strftime('%Y-%m-%d')}, {minutes:g} minutes so far; "
            f"{os.cpu_count()} processors, Linux {platform.release()}, which did other work at the same time (its load is in the "
            "table).",
            f"Two cameras of 640x480 at 15 frames a second; {STREAMS - SLOW} viewers of /stream, {SLOW} that read "
            f"{SLOW_BYTES_PER_S // 1000} KB/s, {WALLS} of /wall, {PEERS} by WebRTC. Cameras were stopped {self.disturbed['stopped']} times "
            f"and their programs killed {self.disturbed['killed']} times; all viewers saw the camera again after "
            f"{summary(self.backs)['p50'] / 1000:.1f} s (median; {summary(self.backs)['most'] / 1000:.1f} s at most).",
            f"Findings (a broken or older frame, a lost viewer, a growing server): {len(self.findings)}.", "",
            "Ages in ms, p50 / p99 / most; memory in MB, descriptors, threads at the end of each span.", "",
            "| minutes | load | /stream | slow | /wall | WebRTC in Chromium, median / p95 / most | WebRTC frames/s each, gaps | "
            "mjpeg-serve | webrtc-serve |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
        for number, row in enumerate(self.rows, 1):
            seen, peers = row["chromium"], row["peers"]
            chromium = f"{seen['medianMs']:.0f} / {seen['p95Ms']:.0f} / {seen['mostMs']:.0f}" if seen else "none"
            fps = f"{min(peers['fps']):.1f}, {peers['gaps']}" if peers["fps"] else ""
            held = [f"{one['memory_kb'] / 1024:.1f}, {one['descriptors']}, {one['threads']}" for one in row["held"].values()]
            lines.append(f"| {number * self.options.span:g} | {row['load']:.1f} | {age(row, 'stream')} | {age(row, 'slow')} | "
                         f"{age(row, 'wall')} | {chromium} | {fps} | {held[0]} | {held[1]} |")
        lines += [""] + [f"- {finding}" for finding in self.findings[:20]]
        return "\n".join(lines).rstrip("\n") + "\n"


def summary(seconds):
    """In milliseconds."""
    ordered = sorted(seconds) or [0.0]
    at = lambda share: 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]  # noqa: E731
    return {"count": len(seconds), "p50": at(0.5), "p99": at(0.99), "most": at(1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--span", type=float, default=10)
    parser.add_argument("--out", help="a page, such as bench/RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(options, Path(folder))
        asyncio.run(run.whole())
    run.write()
    print(f"{len(run.rows)} spans of {options.span:g} minutes; {len(run.findings)} findings")
    return 1 if run.findings else 0


if __name__ == "__main__":
    sys.exit(main())
