"""What frame-record leaves on its disk, looked at while it writes and after it was killed."""
import asyncio
import os
import re
import time

from frames import parts

TAIL = 65536  # bytes, more than two frames of the chaos run


class Recordings:
    """Below `folder`. Each finished file must play whole, with frame-play too, and hold frames that no other one holds."""

    def __init__(self, bin_dir, folder, findings, broken):
        self.name = "recording"
        self.bin = bin_dir
        self.folder = folder
        self.findings = findings
        self.broken = broken
        self.audited = set()
        self.times = set()   # X-Timestamp of each recorded frame
        self.excused = []    # (from, to): what may be missing, in X-Timestamps
        self.kills = []      # when the recorder was killed

    def files(self, ending):
        found = []
        for folder, _, names in os.walk(self.folder):
            found += [os.path.join(folder, name) for name in names if name.endswith(ending)]
        return found

    @property
    def frames(self):
        return len(self.times)

    # --- do they grow?

    def newest(self):
        """X-Timestamp of the last frame that was written."""
        best = 0.0
        for path in self.files(".part"):
            try:
                with open(path, "rb") as file:
                    file.seek(max(0, os.path.getsize(path) - TAIL))
                    times = re.findall(rb"X-Timestamp: ([0-9.]+)", file.read())
            except OSError:
                continue  # renamed meanwhile
            if times:
                best = max(best, float(times[-1]))
        return best

    async def fresh_after(self, captured, limit):
        until = time.monotonic() + limit
        while self.newest() <= captured:
            if time.monotonic() > until:
                return None
            await asyncio.sleep(0.05)
        return time.monotonic()

    # --- are they whole?

    async def audit(self):
        for path in sorted(self.files(".mjpeg")):
            if path in self.audited or os.path.basename(path).startswith("."):
                continue
            self.audited.add(path)
            try:
                with open(path, "rb") as file:
                    data = file.read()
            except FileNotFoundError:  # the oldest go
                continue
            await self.play(path, data)
            self.look_at(os.path.basename(path), data)

    async def play(self, path, data):
        player = await asyncio.create_subprocess_exec(
            f"{self.bin}/frame-play", "--speed", "max", path, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        played, words = await player.communicate()
        if player.returncode != 0 or played != data:
            if os.path.exists(path):
                self.findings.append(f"{path}: frame-play ends with {player.returncode} and plays {len(played)} of "
                                     f"{len(data)} bytes: {words.decode().strip()}")

    def look_at(self, name, data):
        end = 0
        last = 0.0
        try:
            for headers, jpeg, end in parts(data):
                taken = float(headers["x-timestamp"])
                if taken < last:
                    self.findings.append(f"{name}: the frame of {taken} stands behind that of {last}")
                last = taken
                if taken in self.times:
                    self.findings.append(f"{name}: the frame of {taken} is recorded twice")
                self.times.add(taken)
                if why := self.broken(jpeg):
                    self.findings.append(f"{name}: the frame of {taken} is broken: {why}")
        except (SystemExit, KeyError, ValueError) as wrong:
            self.findings.append(f"{name}: not a whole stream: {wrong}")
        if end != len(data):
            self.findings.append(f"{name}: {len(data) - end} bytes behind its last whole frame")

    # --- is nothing missing?

    def excuse(self, begin, end):
        self.excused.append((begin, end))

    def missing(self, allowed_s):
        """Gaps longer than allowed that nothing excuses; and how much each kill has cost, in seconds."""
        times = sorted(self.times)
        gaps = [(a, b) for a, b in zip(times, times[1:]) if b - a > allowed_s]
        for a, b in gaps:
            if not any(begin <= a + allowed_s and b - allowed_s <= end for begin, end in self.excused):
                self.findings.append(f"the recording has no frame for {b - a:.2f} s after {a:.3f}")
        lost = []
        for killed in self.kills:
            before = [taken for taken in times if taken <= killed]
            if not before or not any(taken > killed for taken in times):
                continue
            lost.append(killed - before[-1])
            if lost[-1] > allowed_s:
                self.findings.append(f"the recorder's kill at {killed:.3f} has cost {lost[-1]:.2f} s")
        return lost
