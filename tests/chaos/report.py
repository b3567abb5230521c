"""What a chaos run has found, as a table and a line of figures."""
import statistics
import time


HEAD = """# Chaos

Written by `make chaos` (`tests/chaos/run.py`, which says what is checked): a full installation on one machine
(`tests/chaos/installation.py` draws it), and faults one after the other (`faults.py`). Times are from the end of a fault, of
`kill -9` from the kill, until the last of all viewers had a frame that was captured after it; a program that ends is started
again after a second, as the units say. WebRTC's viewer is told four times a second what it is shown. A half-open connection is
over when it has been noticed: mjpeg-relay is told `--timeout 2s`; of a silent broker libmosquitto thinks so after 10 to 20 s,
and it waits as long in vain for the rest of a message when bytes of it are missing, which TCP does not let happen.
"""


class Report:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.rows = {}       # (kind, place) -> [(recovery of the slowest end, its name, findings)]
        self.allowed = {}    # the same -> seconds
        self.frames = {}
        self.losses = []     # seconds of recording that each kill of the recorder cost
        self.growth = {}     # unit -> most KiB
        self.recorded_files = 0
        self.known_ends = 0
        self.has_disk = True

    def add(self, fault, seconds, findings):
        slowest = max(seconds, key=seconds.get)
        self.allowed[fault.kind, fault.place] = self.options.within + fault.notices_s
        self.rows.setdefault((fault.kind, fault.place), []).append((seconds[slowest], slowest, findings))

    def take(self, installation):
        self.frames = {end.name: end.frames for end in installation.ends}
        self.recorded_files = len(installation.recordings.audited) if installation.recordings else 0
        self.growth = installation.growth
        self.known_ends = sum(unit.known_ends for unit in installation.units.values())
        self.has_disk = installation.has_disk

    def table(self):
        yield "| fault | where | times | median s | longest s | allowed s | last to come back | findings |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for (kind, place), times in sorted(self.rows.items()):
            longest, name, _ = max(times)
            median = statistics.median(took for took, _, _ in times)
            found = sum(found for _, _, found in times)
            yield (f"| {kind} | {place} | {len(times)} | {median:.2f} | {longest:.2f} | {self.allowed[kind, place]:g} | {name} "
                   f"| {found} |")

    def figures(self, findings):
        prompt, silent = [], []
        for key, times in self.rows.items():
            (prompt if self.allowed[key] == self.options.within else silent).extend(took for took, _, _ in times)
        prompt = prompt or [0.0]
        yield (f"{sum(map(len, self.rows.values()))} faults in {time.monotonic() - self.began:.0f} s, seed {self.options.seed}: "
               f"all frames flow again after {statistics.median(prompt):.2f} s (median), {max(prompt):.2f} s (longest), "
               f"{self.options.within:g} s allowed" +
               (f"; where a silent broker has to be noticed, {max(silent):.2f} s (longest)" if silent else ""))
        yield "frames seen: " + ", ".join(f"{name} {count}" for name, count in self.frames.items())
        lost = f"{max(self.losses):.2f} s at most" if self.losses else "nothing"
        yield f"{self.recorded_files} recorded files played; {len(self.losses)} kills of the recorder cost {lost}"
        if self.growth:
            most = max(self.growth, key=self.growth.get)
            yield f"memory, against ten seconds after the start: {self.growth[most]} KiB more at most, {most}"
        if self.known_ends:
            yield f"aborts of libmosquitto on noise: {self.known_ends} (BUGS in frame-subscribe(1))"
        if not self.has_disk:
            yield "no disk was filled: a small one can be mounted by root only"
        yield f"{len(findings)} findings"

    def write(self, findings):
        print("\n".join(self.table()))
        print("; ".join(self.figures(findings)))
        if not self.options.report:
            return
        with open(self.options.report, "w") as out:
            print(HEAD, file=out)
            for line in self.figures(findings):
                print(f"- {line}", file=out)
            print("\n" + "\n".join(self.table()), file=out)
            for finding in findings:
                print(f"\nNot ok: {finding}", file=out)
