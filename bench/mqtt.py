#!/usr/bin/env python3
"""Frames of many cameras through an MQTT broker, or through a cluster of three of which one is killed.

    bench/mqtt.py --bin build/release/bin [--broker mosquitto|nats] [--cameras 50] [--subscribers 5] [--fps 10]
                  [--size 800x600] [--quality 94] [--qos 0] [--retain-every TIME] [--seconds 20]
                  [--kill n1|n2|n3 [--led sess|rmsgs]]

One test card is encoded once and read by a frame-publish for each camera, which sends it with its headers; as it is by default,
a frame has some 40 KB. The cameras are divided among the subscribers. Age is the time from X-Timestamp, when the card was made,
to the last byte at this program. With --kill that node of the cluster (n1 is the publishers', n2 the subscribers', n3 the one
that both name next) is killed in the middle; the gap of a camera is the longest time in which no frame of it came from then on,
and `led` says which of the cluster's streams the killed node was the leader of. --led gives its part to the leader of MQTT's
sessions, or of what is kept: the cases in which others must choose a new leader before nats-server does what it is asked.
"""

import argparse
import getpass
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path


class Programs:
    """What is started here, and ends here."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.all = {}

    def start(self, name, command, stdout=subprocess.DEVNULL):
        with open(self.folder / f"{name}.log", "wb") as log:
            self.all[name] = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=stdout,
                                              stderr=log, start_new_session=True)
        return self.all[name]

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def cpu_seconds(self, pattern):
        # clock_getcpuclockid(3): nanoseconds, where /proc/PID/stat counts ticks, which short bursts of work escape.
        return sum(time.clock_gettime(~process.pid << 3 | 2) for name, process in self.all.items()
                   if process.poll() is None and re.match(pattern, name))

    def peak_mib(self, pattern):
        peaks = []
        for name, process in self.all.items():
            if process.poll() is None and re.match(pattern, name):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peaks.append(int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024)
        return max(peaks, default=0)

    def end(self):
        for process in self.all.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(holds, what, seconds=60):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            sys.exit(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def start_mosquitto(programs):
    (port,) = free_ports(1)
    (programs.folder / "mosquitto.conf").write_text(f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n")
    programs.start("broker", ["mosquitto", "-c", programs.folder / "mosquitto.conf"])
    wait_until(lambda: listens(port), "mosquitto")
    return f"127.0.0.1:{port}", f"127.0.0.1:{port}"


def start_cluster(programs, options):
    ports = free_ports(12)
    routes = ", ".join(f"nats://127.0.0.1:{port}" for port in ports[6:9])
    for i in range(3):
        (programs.folder / f"n{i + 1}.conf").write_text(
            f"server_name: n{i + 1}\nlisten: 127.0.0.1:{ports[3 + i]}\nmqtt {{ listen: 127.0.0.1:{ports[i]} }}\n"
            f"http: 127.0.0.1:{ports[9 + i]}\ndebug: true\nlogtime: true\n"
            f"jetstream {{ store_dir: \"{programs.folder}/js{i + 1}\", max_mem: 256M, max_file: 1G }}\n"
            f"cluster {{ name: framepipe, listen: 127.0.0.1:{ports[6 + i]}, routes: [{routes}] }}\n")
        programs.start(f"n{i + 1}", ["nats-server", "-c", programs.folder / f"n{i + 1}.conf"])
    wait_until(lambda: all(listens(port) for port in ports[:3]), "nats-server")
    # A node that never had a client sets itself up with its first, which takes all three of them.
    for port in ports[:3]:
        probe = ["mosquitto_pub", "-V", "mqttv311", "-h", "127.0.0.1", "-p", str(port), "-t", "probe", "-m", "x", "-q", "1"]
        wait_until(lambda p=probe: subprocess.run(p, stderr=subprocess.DEVNULL).returncode == 0, "the cluster's leader")
    programs.monitor = ports[9]
    nodes = {f"n{i + 1}": f"127.0.0.1:{port}" for i, port in enumerate(ports[:3])}
    programs.parts = {node: node for node in nodes}
    if options.led:
        stream = "$MQTT_" + options.led
        wait_until(lambda: leaders(programs).get(stream) in nodes, "a leader")
        leader = leaders(programs)[stream]
        programs.parts |= {leader: options.kill, options.kill: leader}
    n1, n2, n3 = (nodes[programs.parts[part]] for part in ("n1", "n2", "n3"))
    return f"{n1},{n3},{n2}", f"{n2},{n3},{n1}"


def leaders(programs):
    """Who leads which stream: MQTT's sessions, kept messages and messages of QoS 1."""
    with urllib.request.urlopen(f"http://127.0.0.1:{programs.monitor}/jsz?streams=true") as answer:
        accounts = json.load(answer)["account_details"]
    return {stream["name"]: stream["cluster"].get("leader") for account in accounts for stream in account["stream_detail"]}


class Reader(threading.Thread):
    """Frames of one subscriber, as (camera, arrival, age, timestamp, bytes)."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream = stream
        self.frames = []

    def run(self):
        while True:
            headers = {}
            while True:
                line = self.stream.readline()
                if not line:
                    return
                if line == b"\r\n":
                    if headers:
                        break
                    continue
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            size = int(headers["content-length"])
            self.stream.read(size)
            now = time.time()
            if headers.get("x-signal", "live") == "live":
                stamp = float(headers["x-timestamp"])
                self.frames.append((headers["x-camera"], now, now - stamp, stamp, size))


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def measure(options, folder):
    programs = Programs(folder)
    tool = Path(options.bin).resolve()
    try:
        publish_at, subscribe_at = start_mosquitto(programs) if options.broker == "mosquitto" else start_cluster(programs, options)
        retain = ["--retain-every", options.retain_every] if options.retain_every else []
        names = [f"c{i}" for i in range(options.cameras)]
        readers = []
        for i in range(options.subscribers):
            mine = ",".join(names[i::options.subscribers])
            command = [tool / "frame-subscribe", f"mqtt://{subscribe_at}/cams/{mine}"]
            process = programs.start(f"sub{i}", command, subprocess.PIPE)
            readers.append(Reader(process.stdout))
            readers[-1].start()
        wait_until(lambda: all(": connected" in programs.log(f"sub{i}") for i in range(options.subscribers)), "subscribers")
        # 64 readers are what one listening end takes.
        cards = (options.cameras + 59) // 60
        for i in range(cards):
            programs.start(f"card{i}", [tool / "camgrab", "test", "--size", options.size, "--quality", options.quality,
                                        "--fps", options.fps,
                                        "-o", f"unix-listen:{folder}/card{i}.sock"])
        wait_until(lambda: all((Path(folder) / f"card{i}.sock").exists() for i in range(cards)), "the card")
        for i, name in enumerate(names):
            programs.start(f"pub{i}", [tool / "frame-publish", f"mqtt://{publish_at}/cams/{name}", "--framed", "--qos",
                                       options.qos, *retain, "-i", f"unix:{folder}/card{i // 60}.sock"])
        seen = lambda: {frame[0] for reader in readers for frame in reader.frames}  # noqa: E731
        wait_until(lambda: len(seen()) == len(names), "a frame of each camera", 120)
        time.sleep(2)
        begin = time.time()
        before = {what: programs.cpu_seconds(pattern) for what, pattern in ROLES.items()}
        killed = None
        if options.kill:
            time.sleep(options.seconds / 2)
            node = programs.parts[options.kill]
            led = sorted(stream for stream, leader in leaders(programs).items() if leader == node)
            programs.all[node].kill()
            killed = time.time()
            time.sleep(options.seconds / 2)
        else:
            time.sleep(options.seconds)
        end = time.time()
        cpu = {what: programs.cpu_seconds(pattern) - before[what] for what, pattern in ROLES.items()}
        frames = [frame for reader in readers for frame in list(reader.frames) if begin <= frame[1] <= end]
        result = summary(options, programs, frames, begin, end, killed, cpu, names)
        if killed is not None:
            result["led"] = led
        return result | they_say(programs, "publishers", len(names)) | they_say(programs, "subscribers", options.subscribers)
    finally:
        programs.end()


def they_say(programs, kind, count):
    """What publishers, or subscribers, have had and dropped since they began: so it shows where frames are missing."""
    said = {"published": 0, "frames": 0, "dropped": 0}
    for i in range(count):
        programs.all[f"{kind[:3]}{i}"].terminate()
    for i in range(count):
        programs.all[f"{kind[:3]}{i}"].wait(timeout=30)
        for number, what in re.findall(r"(\d+) (published|frames|dropped)", programs.log(f"{kind[:3]}{i}")):
            said[what] += int(number)
    return {f"{kind}_say": {what: number for what, number in said.items() if number > 0}}


ROLES = {"broker": r"broker|n\d", "publishers": r"pub", "subscribers": r"sub", "cards": r"card"}


def summary(options, programs, frames, begin, end, killed, cpu, names):
    seconds = end - begin
    by_camera = {name: [frame for frame in frames if frame[0] == name] for name in names}
    ages = [frame[2] for frame in frames]
    backwards = sum(later[3] < earlier[3] for mine in by_camera.values() for earlier, later in zip(mine, mine[1:]))
    result = {
        "broker": options.broker, "cameras": options.cameras, "subscribers": options.subscribers, "qos": options.qos,
        "fps": options.fps, "frame_kb": round(statistics.mean(frame[4] for frame in frames) / 1000, 1),
        "frames_per_second": round(len(frames) / seconds, 1),
        "mbit_per_second": round(8 * sum(frame[4] for frame in frames) / seconds / 1e6, 1),
        "age_ms": {f"p{p}": round(1000 * percentile(ages, p), 1) for p in (50, 90, 99)} | {"max": round(1000 * max(ages), 1)},
        "older_than_one_before": backwards,
        "processors": {what: round(used / seconds, 3) for what, used in cpu.items()} if killed is None else None,
        "peak_mib": {what: round(programs.peak_mib(pattern), 1) for what, pattern in ROLES.items()},
        "load_average": os.getloadavg()[0],
    }
    if killed is not None:
        gaps = []
        for mine in by_camera.values():
            times = [max(begin, killed - 1)] + [frame[1] for frame in mine if frame[1] >= killed - 1] + [end]
            gaps.append(max(b - a for a, b in zip(times, times[1:])))
        result |= {"killed": options.kill, "gap_s": {"median": round(statistics.median(gaps), 2), "max": round(max(gaps), 2)}}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--broker", choices=["mosquitto", "nats"], default="mosquitto")
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--subscribers", type=int, default=5)
    parser.add_argument("--fps", type=float, default=10)
    parser.add_argument("--size", default="800x600")
    parser.add_argument("--quality", type=int, default=94)
    parser.add_argument("--retain-every", help="as of frame-publish")
    parser.add_argument("--qos", type=int, choices=[0, 1], default=0)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kill", choices=["n1", "n2", "n3"])
    parser.add_argument("--led", choices=["sess", "rmsgs"])
    options = parser.parse_args()
    if options.led and not options.kill:
        parser.error("--led is for --kill")
    if options.kill and options.broker != "nats":
        parser.error("--kill is for --broker nats")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(options, folder)))


if __name__ == "__main__":
    main()
