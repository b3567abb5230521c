#!/usr/bin/env python3
"""What slow connections do to those who watch; writes bench/SLOW.md.

slow.py --bin DIR [--out FILE] [--seconds N] [--connections N] [--rate N] [--viewers N] [--rounds N]

A picture of 640x480 at 30 frames a second (feeder stamps it) is served to viewers (loadgen checks each byte) while slowhttptest
holds a thousand connections in each of its modes. Each attack is measured right behind the same time without one, on a server
of its own, and the ratio of the two is what counts: on one machine, attackers (at nice 10) and viewers use its processors, too.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
ATTACKS = {
    "slow headers (-H)": ["-H", "-i", "2", "-u", "{url}/"],
    "slow bodies (-B)": ["-B", "-i", "2", "-s", "8192", "-x", "8", "-u", "{url}/detect_once"],
    "ranges (-R)": ["-R", "-a", "1", "-b", "3000", "-t", "GET", "-u", "{url}/snapshot"],
    "slow reading (-X)": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-u", "{url}/stream"],
}


class Server:
    def __init__(self, bin_dir, folder):
        jpeg = folder / "picture.jpg"
        stream = subprocess.run([f"{bin_dir}/camgrab", "test", "--size", "640x480", "--frames", "1"], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=True).stdout
        length = int(re.search(rb"Content-Length: (\d+)", stream).group(1))
        begin = stream.index(b"\r\n\r\n") + 4
        jpeg.write_bytes(stream[begin:begin + length])
        self.feeder = subprocess.Popen([f"{bin_dir}/feeder", jpeg, "--fps", "30", "--pipe"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
        log = folder / "log"
        with open(log, "w") as words:
            self.process = subprocess.Popen([f"{bin_dir}/mjpeg-serve", "--listen", "127.0.0.1:0"], stdin=self.feeder.stdout,
                                            stderr=words)
        self.feeder.stdout.close()
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            time.sleep(0.02)
        self.url = found.group(0)

    def processor_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_mb(self):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text()).group(1)) / 1024

    def connections(self):
        return json.loads(urllib.request.urlopen(f"{self.url}/state", timeout=30).read())["connections"]

    def stop(self):
        for process in (self.process, self.feeder):
            process.terminate()
            process.wait()


def measure(options, attack):
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.bin, Path(folder))
        attacker = None
        try:
            viewers = subprocess.Popen([f"{options.bin}/loadgen", f"{server.url}/stream", "--viewers", str(options.viewers),
                                        "--at-once", "4", "--warmup", "1", "--linger", "0", "--seconds", str(options.seconds),
                                        "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while "measuring" not in viewers.stderr.readline():
                pass
            processor, began, most = server.processor_s(), time.time(), 0
            if attack:
                attacker = subprocess.Popen(["slowhttptest", "-c", str(options.connections), "-r", str(options.rate), "-l",
                                             str(int(options.seconds) + 60)] + [word.format(url=server.url) for word in attack],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda: os.nice(10))
            while viewers.poll() is None:
                most = max(most, server.connections()["open"] - options.viewers - 1)
                time.sleep(0.25)
            seen = json.load(viewers.stdout)["classes"]["normal"]
            wrong = sum(seen[name] for name in ("bad", "unstamped", "malformed", "repeated", "order_errors"))
            ended = server.connections()
            return {"lost": seen["lost"] + seen["starved"], "wrong": wrong, "fps": seen["fps_mean"], "fps_min": seen["fps_min"],
                    "p50": seen["age_ms"]["p50"], "p99": seen["age_ms"]["p99"], "most_ms": seen["age_ms"]["max"],
                    "processor": 100 * (server.processor_s() - processor) / (time.time() - began), "peak_mb": server.peak_mb(),
                    "held": most, "ended": ended["timed_out"] + ended["stalled"]}
        finally:
            if attacker:
                attacker.terminate()
                attacker.wait()
            server.stop()


def median(rows, name):
    return statistics.median(row[name] for row in rows)


def line(name, rows, ratios):
    ratio = " | ".join(f"{statistics.median(ratios[what]):.2f}" if ratios else "1" for what in ("fps", "p50", "p99"))
    return (f"| {name} | {max(row['held'] for row in rows)} | {median(rows, 'ended'):.0f} | {sum(row['lost'] for row in rows)} | "
            f"{sum(row['wrong'] for row in rows)} | {median(rows, 'fps'):.2f} (least {min(row['fps_min'] for row in rows):.1f}) | "
            f"{median(rows, 'p50'):.2f} ms | {median(rows, 'p99'):.1f} ms | {max(row['most_ms'] for row in rows):.0f} ms | {ratio} | "
            f"{median(rows, 'processor'):.0f} % | {max(row['peak_mb'] for row in rows):.0f} MB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", default=HERE / "SLOW.md")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    alone, attacked, ratios = [], {name: [] for name in ATTACKS}, {}
    for _ in range(options.rounds):
        for name, attack in ATTACKS.items():
            without, row = measure(options, None), measure(options, attack)
            alone.append(without)
            attacked[name].append(row)
            for what in ("fps", "p50", "p99"):
                ratios.setdefault(name, {}).setdefault(what, []).append(row[what] / without[what])
            print(name, json.dumps({"without": without, "with": row}), flush=True)
    text = ["# Slow connections, and those who watch", "",
            f"By `bench/slow.py`: {options.viewers} viewers of 640x480 at 30 frames a second, beside slowhttptest with "
            f"{options.connections} connections, {options.rate} a second; {options.seconds:g} s each, {options.rounds} rounds, medians "
            f"unless it says otherwise; {os.cpu_count()} processors, {platform.machine()}, load {load:.1f} beforehand. The ratios are to "
            "the same time without an attack right before.", "",
            "| attack | connections held, most | ended by the server | viewers lost | wrong frames | frames/s | age p50 | p99 | most | "
            "ratio of frames/s | of p50 | of p99 | processor of the server | memory, peak |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |", line("none", alone, None)]
    text += [line(name, rows, ratios[name]) for name, rows in attacked.items()]
    Path(options.out).write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
