#!/usr/bin/env python3
"""What webrtc-serve costs and how late its pictures are; writes bench/WEBRTC.md.

run.py --bin DIR [--out FILE] [--seconds N] [--rounds N]

The source is camgrab test, 640x480 at 30 frames a second. Processor time is the server's own, as the kernel counts it,
in per cent of one core; viewers are bench/webrtc/viewers.cc, which decode nothing; ages are what Chromium sees.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    def __init__(self, bin_dir, codec):
        self.camgrab = subprocess.Popen([f"{bin_dir}/camgrab", "test", "--size", "640x480", "--fps", "30"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        self.process = subprocess.Popen(
            [f"{bin_dir}/webrtc-serve", "--listen", "127.0.0.1:0", "--codec", codec, "--max-viewers", "1000",
             "--max-viewers-per-address", "1000"],
            stdin=self.camgrab.stdout, stderr=subprocess.PIPE, text=True)
        self.camgrab.stdout.close()
        for line in self.process.stderr:
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            if found:
                self.url = found.group()
                break
        self.start_ms = 1000 * (time.monotonic() - began)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.camgrab.terminate()
        self.process.wait()

    def metric(self, name):
        with urllib.request.urlopen(self.url + "metrics", timeout=20) as answer:
            return float(re.search(rf"^{name} (\S+)$", answer.read().decode(), re.M).group(1))

    def cpu_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


def cost(bin_dir, codec, count, seconds):
    with Server(bin_dir, codec) as server:
        viewers = None
        if count:
            viewers = subprocess.Popen([f"{bin_dir}/webrtc_viewers", "--url", server.url + "whep", "--codec", codec,
                                        "--count", str(count), "--seconds", str(seconds + 3)],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            viewers.stderr.readline()
        time.sleep(1)
        cpu, encodes, began = server.cpu_s(), server.metric("framepipe_webrtc_encodes_total"), time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        row = {"viewers": count, "cpu_percent": 100 * (server.cpu_s() - cpu) / took,
               "encodes_a_second": (server.metric("framepipe_webrtc_encodes_total") - encodes) / took,
               "threads": server.threads(), "resident_mb": server.resident_mb(), "start_ms": server.start_ms}
        if viewers:
            seen = json.loads(viewers.communicate()[0])
            row["fps_each"] = seen["fps_each"]
            row["gaps"] = seen["gaps"]
            row["with_pictures"] = seen["with_pictures"]
        return row


def first_packets(bin_dir, codec, times):
    with Server(bin_dir, codec) as server:
        return [json.loads(subprocess.run(
            [f"{bin_dir}/webrtc_viewers", "--url", server.url + "whep", "--codec", codec, "--seconds", "1"],
            capture_output=True, text=True, check=True).stdout)["first_packet_ms_median"] for _ in range(times)]


def ages(bin_dir, codec, seconds):
    with Server(bin_dir, codec) as server:
        return json.loads(subprocess.run(["node", str(HERE / "latency.mjs"), server.url, str(seconds)],
                                         capture_output=True, text=True, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", default=str(HERE.parent / "WEBRTC.md"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lines = ["# What webrtc-serve costs, and how late its pictures are", "",
             f"`bench/webrtc/run.py`, {time.strftime('%Y-%m-%d')}; {os.cpu_count()} cores, Linux {platform.release()}, load "
             f"{os.getloadavg()[0]:.1f} before it; camgrab test, 640x480 at 30 frames a second, on loopback.", "",
             f"Processor time of the server in per cent of one core, medians of {options.rounds} runs of {options.seconds:g} s.",
             "The viewers receive and decode nothing, on the same machine.", "",
             "| codec | viewers | processor | each viewer more | encodes a second | pictures a second each | gaps | threads | memory |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for codec in ("h264", "vp8"):
        one = None
        for count in (0, 1, 5, 20):
            rows = [cost(options.bin, codec, count, options.seconds) for _ in range(options.rounds)]
            cpu = statistics.median(row["cpu_percent"] for row in rows)
            one = cpu if count == 1 else one
            each = f"{(cpu - one) / (count - 1):.2f} %" if count > 1 else ""
            last = rows[-1]
            lines.append(f"| {codec} | {count} | {cpu:.1f} % | {each} | {last['encodes_a_second']:.1f} | "
                         f"{last.get('fps_each', 0):.1f} | {sum(row.get('gaps', 0) for row in rows)} | {last['threads']} | "
                         f"{last['resident_mb']:.0f} MB |")
            print(lines[-1], flush=True)
    lines += ["", "From the start of the program to its address on standard error, and from a viewer's offer to its first packet:",
              ""]
    for codec in ("h264", "vp8"):
        starts = [cost(options.bin, codec, 0, 0.1)["start_ms"] for _ in range(options.rounds)]
        packets = first_packets(options.bin, codec, 5)
        lines.append(f"- {codec}: {statistics.median(starts):.0f} ms, {statistics.median(packets):.0f} ms "
                     f"(most of {len(packets)}: {max(packets):.0f} ms)")
        print(lines[-1], flush=True)
    lines += ["", "Ages of the picture in Chromium, from the bar of the test card, which tells the time, to a canvas:", "",
              "| codec | pictures | median | p95 | most | first picture after |", "| --- | --- | --- | --- | --- | --- |"]
    for codec in ("h264", "vp8"):
        seen = ages(options.bin, codec, options.seconds)
        lines.append(f"| {codec} | {seen['pictures']} | {seen['medianMs']} ms | {seen['p95Ms']} ms | {seen['mostMs']} ms | "
                     f"{seen['firstPictureMs']} ms |")
        print(lines[-1], flush=True)
    Path(options.out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
