#!/usr/bin/env python3
"""Viewers of webrtc-serve that come and vanish, after which everything must be as it was.

webrtc.py --bin DIR [--viewers N] [--seconds N] [--batch N] [--codec vp8|h264]

Viewers come in batches of a program each (bench/webrtc); every second program is killed without a word. Descriptors,
threads and pipelines must be what they were after the first batches, and memory little more. Prints a line for each
finding and one of figures; exits with 1 when something was wrong.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

WARM_UP = 2  # batches, before anything is compared
GONE_WITHIN = 25  # seconds: 10 of silence, and a machine that is busy
IDLE_THREADS_S = 20  # GLib's 15, and some
MEMORY_KB_EACH = 40  # what a viewer may leave behind: glibc's arenas grow with threads, and level out
MEMORY_KB = 6144


class Server:
    def __init__(self, bin_dir, codec, log):
        camgrab = subprocess.Popen([f"{bin_dir}/camgrab", "test", "--size", "640x480"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        self.log = open(log, "w+")
        self.process = subprocess.Popen(
            [f"{bin_dir}/webrtc-serve", "--listen", "127.0.0.1:0", "--codec", codec, "--max-viewers", "1000",
             "--max-viewers-per-address", "1000"],
            stdin=camgrab.stdout, stderr=self.log)
        camgrab.stdout.close()
        self.camgrab = camgrab
        self.url = self.find_url(log)

    def find_url(self, log):
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:\d+/", open(log).read())
            if found:
                return found.group()
            time.sleep(0.02)
        raise SystemExit("webrtc-serve does not listen: " + open(log).read())

    def metric(self, name):
        with urllib.request.urlopen(self.url + "metrics", timeout=20) as answer:
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.M)
        return float(found.group(1))

    def holds(self):
        proc = f"/proc/{self.process.pid}"
        return {
            "descriptors": len(os.listdir(f"{proc}/fd")),
            "threads": len(os.listdir(f"{proc}/task")),
            "pipelines": int(self.metric("framepipe_webrtc_pipelines")),
        }

    def holds_at_rest(self, at_most=None):
        """The least of each: GLib keeps threads that have nothing to do for a while, under the names of what they did."""
        least = self.holds()
        until = time.monotonic() + IDLE_THREADS_S
        while time.monotonic() < until and (at_most is None or any(least[what] > at_most[what] for what in least)):
            time.sleep(0.2)
            least = {what: min(count, least[what]) for what, count in self.holds().items()}
        return least

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def end(self):
        self.process.terminate()
        self.camgrab.terminate()
        return self.process.wait(timeout=20)


def viewers(options, server, count, vanish):
    """A batch; what it saw, or nothing when it was killed."""
    program = subprocess.Popen(
        [f"{options.bin}/webrtc_viewers", "--url", server.url + "whep", "--codec", options.codec, "--count", str(count),
         "--seconds", str(options.watch)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not vanish:
        return json.loads(program.communicate(timeout=120)[0])
    program.stderr.readline()  # "watching"
    time.sleep(options.watch / 2)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    return None


def wait_until_alone(server):
    until = time.monotonic() + GONE_WITHIN
    while time.monotonic() < until:
        if server.metric("framepipe_webrtc_sessions") == 0 and server.metric("framepipe_webrtc_pipelines") <= 1:
            return True
        time.sleep(0.1)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=600, help="for all of them, at least")
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--watch", type=float, default=4, help="seconds of each batch")
    parser.add_argument("--codec", default="vp8")
    options = parser.parse_args()

    findings = []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.bin, options.codec, f"{folder}/serve.log")
        began = time.monotonic()
        came = vanished = batch = 0
        before = memory_before = None
        slowest = 0.0
        while came < options.viewers or time.monotonic() < began + options.seconds:
            if batch == WARM_UP:
                before, memory_before = server.holds_at_rest(), server.memory_kb()
                counted_from = came
            vanish = batch % 2 == 1
            seen = viewers(options, server, options.batch, vanish)
            came += options.batch
            vanished += options.batch if vanish else 0
            if seen is not None and seen["with_pictures"] < options.batch:
                findings.append(f"batch {batch}: pictures for {seen['with_pictures']} of {options.batch}: {seen}")
            left = time.monotonic()
            if not wait_until_alone(server):
                findings.append(f"batch {batch}: after {GONE_WITHIN} s there are still "
                                f"{server.metric('framepipe_webrtc_sessions')} sessions")
            slowest = max(slowest, time.monotonic() - left)
            batch += 1
        if before is None:
            raise SystemExit("webrtc.py: too few batches to compare: more --viewers or a smaller --batch")
        after, memory_after = server.holds_at_rest(at_most=before), server.memory_kb()
        for what, count in before.items():
            if after[what] > count:
                findings.append(f"{what}: {count} before, {after[what]} after")
        allowed = MEMORY_KB + MEMORY_KB_EACH * (came - counted_from)
        if memory_after - memory_before > allowed:
            findings.append(f"memory: {memory_before} KB before, {memory_after} KB after {came - counted_from} viewers")
        code = server.end()
        if code != 0:
            findings.append(f"webrtc-serve ended with {code}")
    for finding in findings:
        print("WRONG:", finding)
    print(f"{came} viewers came, {vanished} of them vanished, in {time.monotonic() - began:.0f} s; the last of a batch was gone "
          f"after {slowest:.1f} s at most; {before} before, {after} after; memory {memory_before} KB before, {memory_after} KB after")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
