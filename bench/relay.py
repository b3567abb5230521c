#!/usr/bin/env python3
"""What a chain of relays adds, and how a relay that nobody watches wakes up.

    bench/relay.py --bin build/release/bin [--out bench/RELAY.md] [--seconds 10] [--rounds 5]

feeder's stamped frames (1280x720, 115 KB, 30 a second) go into mjpeg-serve, from there through one relay, from there
through a second. In each round loadgen measures the age of the frames at all three places at the same time, one viewer
at each; a relay adds the difference of the medians. Then a relay that has been idle gets its first viewer a number of
times, and 200 at once.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from comparison import pictures  # noqa: E402

FPS = 30


class Program:
    def __init__(self, folder, name, command, stdin=None):
        self.log = Path(folder) / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stderr=log,
                                            stdout=subprocess.DEVNULL, start_new_session=True)
        until = time.monotonic() + 10
        while b"http://127.0.0.1:" not in self.log.read_bytes():
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{command}: {self.log.read_text()}")
            time.sleep(0.01)
        self.url = "http://127.0.0.1:" + self.log.read_text().split("http://127.0.0.1:")[1].split("/")[0]

    def state(self):
        with urllib.request.urlopen(self.url + "/state") as answer:
            return json.load(answer)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


def first_frame(url):
    """Seconds from the begin of connecting to the last byte of the first part that is a frame and no card."""
    host, port = url.removeprefix("http://").split("/")[0].split(":")
    began = time.perf_counter()
    with socket.create_connection((host, int(port))) as peer:
        peer.sendall(f"GET /stream HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        stream = peer.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        while True:
            headers = {}
            for line in iter(stream.readline, b"\r\n"):
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            stream.read(int(headers["content-length"]) + 2)
            if headers.get("x-signal", "live") == "live":
                return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", default="bench/RELAY.md")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--wakes", type=int, default=20)
    options = parser.parse_args()
    tool = lambda name: str(Path(options.bin) / name)  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        frames = pictures.make_pictures(Path(folder), "1280x720")
        feeder = subprocess.Popen([tool("feeder"), *map(str, frames), "--pipe", "--fps", str(FPS)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        listen = ["--listen", "127.0.0.1:0"]
        programs = [Program(folder, "serve", [tool("mjpeg-serve"), *listen], feeder.stdout)]
        for i in (1, 2):
            programs.append(Program(folder, f"relay{i}",
                                    [tool("mjpeg-relay"), *listen, "--always", programs[-1].url + "/mjpeg"]))
        sleeper = Program(folder, "sleeper",
                          [tool("mjpeg-relay"), *listen, "--idle", "100ms", programs[0].url + "/mjpeg"])
        places = ["mjpeg-serve", "one relay", "two relays"]
        p50 = {place: [] for place in places}
        p99 = {place: [] for place in places}
        cpu = []
        for _ in range(options.rounds):
            used = programs[1].cpu_seconds()
            runs = [subprocess.Popen([tool("loadgen"), "--seconds", str(options.seconds), "--json",
                                      program.url + "/stream"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                    for program in programs]
            for place, run in zip(places, runs):
                figures = json.loads(run.communicate()[0])["classes"]["normal"]
                if figures["bad"] or figures["lost"] or figures["order_errors"]:
                    sys.exit(f"{place}: {figures}")
                p50[place].append(figures["age_ms"]["p50"])
                p99[place].append(figures["age_ms"]["p99"])
            cpu.append((programs[1].cpu_seconds() - used) / ((options.seconds + 2) * FPS))

        def idle():
            until = time.monotonic() + 5
            while programs[0].state()["viewers"] and len(programs[0].state()["viewers"]) > 1:
                if time.monotonic() > until:
                    sys.exit("the idle relay stays connected")
                time.sleep(0.02)
            return 5 - (until - time.monotonic())

        wakes = []
        for _ in range(options.wakes):
            idle()
            wakes.append(first_frame(sleeper.url) * 1000)
        idle()
        crowd = subprocess.Popen([tool("loadgen"), "--viewers", "200", "--at-once", "8", "--seconds", "5", "--json",
                                  sleeper.url + "/stream"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        connections = 0
        while crowd.poll() is None:
            connections = max(connections, len(programs[0].state()["viewers"]) - 1)
            time.sleep(0.1)
        crowd_figures = json.loads(crowd.stdout.read())["classes"]["normal"]
        closed_after = idle()
        for program in [*reversed(programs), sleeper]:
            program.end()
        feeder.terminate()

    rows = "\n".join(f"| {place} | {statistics.median(p50[place]):.2f} | {statistics.median(p99[place]):.2f} |"
                     for place in places)
    added = [statistics.median([b - a for a, b in zip(p50[x], p50[y])]) for x, y in zip(places, places[1:])]
    text = f"""# Relays

Written by `bench/relay.py --rounds {options.rounds} --seconds {options.seconds:g}`, which says how it is measured.

| frames of 115 KB at {FPS} a second, seen behind | age p50 ms | p99 ms |
| --- | --- | --- |
{rows}

- a relay adds, by the median of the rounds' differences of medians: {added[0]:.2f} ms, the second one {added[1]:.2f} ms
- processor time of the first relay: {statistics.median(cpu) * 1000:.2f} ms a frame, with two readers
- an idle relay's new viewer has its first frame after {statistics.median(wakes):.1f} ms (median), {max(wakes):.1f} ms (most of {len(wakes)}); frames are {1000 / FPS:.0f} ms apart
- 200 viewers of an idle relay: {connections} connection to the upstream, {crowd_figures['lost']} lost, {crowd_figures['bad']} bad frames; without viewers none after {closed_after:.1f} s (--idle 100ms)
"""
    Path(options.out).write_text(text)
    print(text)


if __name__ == "__main__":
    main()
