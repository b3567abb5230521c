#!/usr/bin/env python3
"""What guesses at passwords do to those who watch; writes bench/AUTH.md.

auth.py --bin DIR [--out FILE] [--seconds N] [--rounds N] [--rate N] [--viewers N]

camgrab test, 640x480 at 30 frames a second, is served to viewers with a password, while others guess: each guess a new
connection with a new password. First from one address, at one user; then from 250 addresses of the loopback network, each
guess at a user of its own, which is the most that can be compared. And the same at another server on this machine, which
nobody watches: that shows what the guessing program and the comparing take from those who watch, whomever it guesses at. Ages
are from the frame's X-Timestamp to its last byte in a viewer, all on one machine: guessers and viewers (Python, a process each)
use its processors, too.
"""
import argparse
import asyncio
import base64
import collections
import ctypes
import json
import multiprocessing
import os
import platform
import random
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
USER, PASSWORD = "anna", "swordfish"


def authorization(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def hash_of(password, cost):
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = library.crypt_gensalt.restype = ctypes.c_char_p
    salt = library.crypt_gensalt(b"$2b$", ctypes.c_ulong(cost), os.urandom(16), 16)
    return library.crypt(password.encode(), salt).decode()


class Server:
    def __init__(self, bin_dir, folder, cost):
        with open(folder / "users", "w") as users:
            users.write(f"{USER}:{hash_of(PASSWORD, cost)}\n")
        os.chmod(folder / "users", 0o600)
        self.camgrab = subprocess.Popen([f"{bin_dir}/camgrab", "test", "--size", "640x480", "--fps", "30"],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen([f"{bin_dir}/mjpeg-serve", "--listen", "127.0.0.1:0", "--auth", folder / "users"],
                                        stdin=self.camgrab.stdout, stderr=self.log)
        self.camgrab.stdout.close()
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", Path(self.log.name).read_text())):
            time.sleep(0.02)
        self.port = int(found.group(1))

    def processor_s(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def metric(self, name):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics",
                                         headers={"Authorization": authorization(USER, PASSWORD)})
        text = urllib.request.urlopen(request, timeout=90).read().decode()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M).group(1))

    def stop(self):
        for process in (self.process, self.camgrab):
            process.terminate()
            process.wait()


async def watch(port, ages, until):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization(USER, PASSWORD)}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    while time.time() < until:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        await reader.readexactly(int(re.search(r"Content-Length: (\d+)", head).group(1)) + 2)
        ages.append(time.time() - float(re.search(r"X-Timestamp: (\S+)", head).group(1)))
    writer.close()


def viewers(port, count, until, result):
    async def all_of_them():
        ages = []
        await asyncio.gather(*(watch(port, ages, until) for _ in range(count)))
        return sorted(ages)

    result.put(asyncio.run(all_of_them()))


async def guess(port, address, user, answers):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        shown = authorization(user, str(random.random()))
        writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {shown}\r\nConnection: close\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), 5)
        answers[line.split()[1].decode() if line else "none"] += 1
        writer.close()
    except asyncio.TimeoutError:
        answers["waits"] += 1
        writer.close()
    except OSError:
        answers["none"] += 1


def guesses(port, rate, addresses, until, result):
    os.nice(5)

    async def all_of_them():
        answers = collections.Counter()
        running = set()
        begun, number = time.time(), 0
        while (now := time.time()) < until:
            while number < (now - begun) * rate:
                user = USER if addresses == 1 else f"user{number}"
                address = f"127.0.2.{1 + number % addresses}"
                task = asyncio.ensure_future(guess(port, address, user, answers))
                running.add(task)
                task.add_done_callback(running.discard)
                number += 1
            await asyncio.sleep(0.005)
        answers["rate"] = round(number / (time.time() - begun))
        await asyncio.gather(*running)
        return answers

    result.put(asyncio.run(all_of_them()))


def measure(server, guessed, options, rate, addresses):
    until = time.time() + options.seconds
    ages, answers = multiprocessing.Queue(), multiprocessing.Queue()
    checks, processor = guessed.metric("framepipe_auth_checks_total"), guessed.processor_s()
    watching = multiprocessing.Process(target=viewers, args=(server.port, options.viewers, until, ages))
    guessing = multiprocessing.Process(target=guesses, args=(guessed.port, rate, addresses, until, answers))
    watching.start()
    if rate:
        guessing.start()
    seen = ages.get()
    processor = guessed.processor_s() - processor
    found = answers.get() if rate else {}
    return {"frames": len(seen), "p50_ms": 1000 * seen[len(seen) // 2], "p99_ms": 1000 * seen[len(seen) * 99 // 100],
            "most_ms": 1000 * seen[-1], "processor_percent": 100 * processor / options.seconds,
            "compared": guessed.metric("framepipe_auth_checks_total") - checks, "answers": dict(found)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--out", default=HERE / "AUTH.md")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--cost", type=int, default=10, help="of bcrypt: 10 takes some 50 ms")
    options = parser.parse_args()
    cases = {"nobody": (0, 1, False), "one address, one user": (options.rate, 1, False),
             "the same at the other server": (options.rate, 1, True),
             "250 addresses, a user each": (options.rate, 250, False),
             "the same, at the other server": (options.rate, 250, True)}
    load = os.getloadavg()[0]
    rounds = {name: [] for name in cases}
    for _ in range(options.rounds):  # in turn, so that what else the machine does falls on all of them
        for name, (rate, addresses, at_other) in cases.items():
            with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
                server, other = Server(options.bin, Path(one), options.cost), Server(options.bin, Path(two), options.cost)
                try:
                    rounds[name].append(measure(server, other if at_other else server, options, rate, addresses))
                finally:
                    server.stop()
                    other.stop()
            print(name, json.dumps(rounds[name][-1]), flush=True)
    rows = {name: sorted(measured, key=lambda row: row["p99_ms"])[len(measured) // 2] for name, measured in rounds.items()}
    base = rows["nobody"]["p99_ms"]
    lines = ["# Guesses, and those who watch", "",
             f"By `bench/auth.py`, {options.viewers} viewers, bcrypt of cost {options.cost}; {options.rounds} rounds of "
             f"{options.seconds:g} s, of which the one with the middle p99 stands here; {os.cpu_count()} processors, "
             f"{platform.machine()}, load {load:.1f} beforehand.", "",
             "| guesses | a second | answers | compared | age p50 | p99 | against nobody | p99 of all rounds | most | "
             "processor of the guessed server |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name, row in rows.items():
        answers = dict(row["answers"])
        rate = answers.pop("rate", 0)
        each = ", ".join(f"{one['p99_ms']:.1f}" for one in rounds[name])
        told = ", ".join(f"{code}: {count}" for code, count in sorted(answers.items()))
        lines.append(f"| {name} | {rate} | {told} | {row['compared']:.0f} | {row['p50_ms']:.1f} ms | {row['p99_ms']:.1f} ms | "
                     f"{row['p99_ms'] / base:.2f} | {each} | {row['most_ms']:.1f} ms | "
                     f"{row['processor_percent']:.0f} % |")
    Path(options.out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
