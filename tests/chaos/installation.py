"""A full installation on one machine, as the units of systemd/ start it, with everything below one folder.

    camgrab yard --+-- frame-record                           (its own small disk, where root can mount one)
                   +-- frame-publish == mosquitto == frame-subscribe -- cloud
                   +== frame-detect --+-- webrtc-serve
                   +                  |
    dirwatch gate -+------------------+-- mjpeg-serve == mjpeg-relay
                      camgrab door (exec:) --+     ==== viewers

Each == is a link of fault_proxy.py. The pictures of dirwatch are written by the run itself, which so can unplug its camera;
cameras of the kernel are unplugged in tests/vm.
"""
import asyncio
import io
import os
import pwd
import socket
import subprocess
import sys

from PIL import Image

import fault_proxy
import frames
from mjpeg_viewer import Viewer, not_whole
from recordings import Recordings
from units import Unit, UnitFile

YARD_FPS = 10
GATE_FPS = 5
RELAY_TIMEOUT_S = 2
SEGMENT_S = 5
SILENCE_S = 2  # after which our own viewers connect again, as a page would
DISK = "24M"
CAMERAS = {"mjpeg-serve": 4, "mjpeg-relay": 2}
# libmosquitto 2.0.11 ends the program when an MQTT 5 packet has a property that it does not know, as noise makes them: the
# message that it wants to log has no client (lib/logging_mosq.c). Counted, and the recovery is measured, but no finding.
LIBMOSQUITTO_ABORTS = "logging_mosq.c:"
NEED_FRAMES_S = 60
MEMORY_KB = 6144  # a frame buffer here and there, and what malloc keeps
SESSIONS_KB = 6144  # what sessions of GStreamer may leave in glibc's arenas, which level out; see tests/soak/webrtc.py


def broken(jpeg, _="live"):
    """A reason, or None. Decoded by libjpeg, in Pillow."""
    if why := not_whole(jpeg):
        return why
    if b"\r\n--frame\r\n" in jpeg:
        return "there is another part in it"
    try:
        Image.open(io.BytesIO(jpeg)).load()
    except Exception as error:  # Pillow has many kinds
        return str(error)
    return None


class Pictures:
    """The camera of dirwatch: files that land in a folder. What is shown of them must be one of them, byte for byte."""

    def __init__(self, bin_dir, folder, dice):
        self.folder = folder
        self.dice = dice
        self.plugged = True
        self.dirty = False
        stream = subprocess.run([f"{bin_dir}/camgrab", "test", "--size", "320x240", "--frames", "20", "--every-frame",
                                 "--fps", "1000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        self.jpegs = [jpeg for _, jpeg, _ in frames.pictures(stream)]
        self.known = set(self.jpegs)
        os.mkdir(folder)

    def strange(self, jpeg, signal):
        if signal == "card":
            return broken(jpeg)
        return None if jpeg in self.known else "it is none of the camera's pictures"

    async def land(self):
        number = 0
        while True:
            await asyncio.sleep(1 / GATE_FPS)
            if not self.plugged:
                continue
            number += 1
            jpeg = self.jpegs[number % len(self.jpegs)]
            if self.dirty:
                jpeg = self.dice.choice([jpeg[:self.dice.randrange(len(jpeg))], self.dice.randbytes(5000), b"",
                                         jpeg[self.dice.randrange(1, len(jpeg)):], jpeg])
            with open(f"{self.folder}/.new", "wb") as file:
                file.write(jpeg)
            os.rename(f"{self.folder}/.new", f"{self.folder}/{number:08}.jpg")


class WebrtcEnd:
    """A viewer by WebRTC, in a program of its own."""

    def __init__(self, url, log, findings):
        self.name = "WebRTC"
        self.url = url
        self.log = log
        self.findings = findings
        self.newest = 0.0
        self.frames = 0
        self.forgiving = False
        self.news = asyncio.Event()
        self.process = None
        self.task = None

    async def start(self):
        with open(self.log, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "webrtc_watch.py"), self.url,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log)
        self.task = asyncio.create_task(self.read())

    async def read(self):
        while line := await self.process.stdout.readline():
            captured = float(line)
            if captured < self.newest and not self.forgiving:
                self.findings.append(f"{self.name}: a picture {self.newest - captured:.3f} s older than the one before")
            self.newest = captured if self.forgiving else max(self.newest, captured)
            self.frames += 1
            self.news.set()
        self.findings.append(f"{self.name}: the viewer has ended, see {self.log}")

    forgive = Viewer.forgive

    async def fresh_after(self, captured, limit):
        loop = asyncio.get_running_loop()
        until = loop.time() + limit
        while self.newest <= captured:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), until - loop.time())
            except asyncio.TimeoutError:
                return None
        return loop.time()

    async def leave(self):
        if self.process is None:
            return
        self.task.cancel()
        self.process.terminate()
        await self.process.wait()


class Installation:
    def __init__(self, bin_dir, folder, dice, findings):
        self.bin = bin_dir
        self.folder = folder
        self.dice = dice
        self.findings = findings
        self.units = {}
        self.links = {}
        self.ends = []
        self.has_disk = False
        self.pictures = Pictures(bin_dir, f"{folder}/gate", dice)
        self.landing = None
        self.recordings = None
        self.growth = {}  # unit -> most KiB since it had settled

    def unit(self, name, file, instance="", command=None, **environment):
        kept = UnitFile(file)
        places = {"@BINDIR@": self.bin, "/run/framepipe": f"{self.folder}/run", "/var/lib/framepipe": f"{self.folder}/rec"}
        words = command or kept.command(instance, places, environment)
        self.units[name] = Unit(name, words, f"{self.folder}/{name}.log", self.findings, kept.restart_s, kept.prevent)
        if name.startswith(("frame-publish", "frame-subscribe")):
            self.units[name].known_end = LIBMOSQUITTO_ABORTS
        return self.units[name]

    async def link(self, name, target, path=None):
        link = self.links[name] = fault_proxy.Link(name, target, self.dice)
        await link.start(path)
        return link.address

    async def start(self):
        run = f"{self.folder}/run"
        os.mkdir(run)
        self.mount()
        self.landing = asyncio.create_task(self.pictures.land())
        await self.unit("camgrab", "camgrab@.service", "test", FRAMEPIPE_NAME="yard",
                        FRAMEPIPE_OPTIONS=f"--fps {YARD_FPS} --size 320x240").start()
        await self.unit("dirwatch", "dirwatch@.service", self.pictures.folder, FRAMEPIPE_NAME="gate",
                        FRAMEPIPE_OPTIONS="--keep 5").start()
        await self.link("pipe", f"{run}/yard.sock", f"{run}/yard-pipe.sock")
        await self.unit("frame-detect", "frame-detect@.service", "yard-pipe").start()
        await self.unit("frame-record", "frame-record@.service", "yard",
                        FRAMEPIPE_OPTIONS=f"--segment {SEGMENT_S}s --keep 12M --min-free 1M").start()
        await self.start_broker()
        await self.start_servers(run)
        self.watch(run)
        await self.wait_for_frames()

    def mount(self):
        """A small disk for the recorder, which can be filled. Only root can have one."""
        disk = f"{self.folder}/rec"
        os.mkdir(disk)
        if os.geteuid() == 0:
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk], stderr=subprocess.DEVNULL)
            self.has_disk = done.returncode == 0

    async def start_broker(self):
        port = free_port()  # mosquitto cannot take any
        user = pwd.getpwuid(os.geteuid()).pw_name
        with open(f"{self.folder}/mosquitto.conf", "w") as conf:
            conf.write(f"user {user}\nlistener {port} 127.0.0.1\nallow_anonymous true\n")
        mosquitto = Unit("mosquitto", ["mosquitto", "-c", f"{self.folder}/mosquitto.conf"], f"{self.folder}/mosquitto.log",
                         self.findings, UnitFile("frame-publish@.service").restart_s)
        self.units["mosquitto"] = mosquitto
        await mosquitto.start()
        _, up = await self.link("publisher", ("127.0.0.1", port))
        _, down = await self.link("subscriber", ("127.0.0.1", port))
        await self.unit("frame-publish", "frame-publish@.service", "yard", FRAMEPIPE_OPTIONS="--framed",
                        FRAMEPIPE_URL=f"mqtt://127.0.0.1:{up}/chaos/yard").start()
        await self.unit("frame-subscribe", "frame-subscribe@.service", "cloud",
                        FRAMEPIPE_URL=f"mqtt://127.0.0.1:{down}/chaos/yard").start()

    async def start_servers(self, run):
        detected = f"unix:{run}/yard-pipe-detect.sock"
        door = f"exec:exec {self.bin}/camgrab test --fps 5 --size 160x120"
        serve = self.unit("mjpeg-serve", "framepipe-serve.service", FRAMEPIPE_SERVE_OPTIONS=(
            f"--listen 127.0.0.1:0 --camera yard=unix:{run}/yard.sock --camera gate=unix:{run}/gate.sock "
            f"--camera detect={detected} --camera 'door={door}'"))
        await serve.start()
        port = await serve.port()
        _, upstream = await self.link("relay", ("127.0.0.1", port))
        await self.link("viewer", ("127.0.0.1", port))
        relay = self.unit("mjpeg-relay", "mjpeg-relay@.service", command=[
            f"{self.bin}/mjpeg-relay", "--listen", "127.0.0.1:0", "--always", "--timeout", f"{RELAY_TIMEOUT_S}s",
            *(f"{name}=http://127.0.0.1:{upstream}/stream/{name}" for name in ("yard", "gate"))])
        await relay.start()
        await relay.port()
        webrtc = self.unit("webrtc-serve", "framepipe-webrtc.service",
                           FRAMEPIPE_WEBRTC_OPTIONS=f"--listen 127.0.0.1:0 --input {detected}")
        await webrtc.start()
        await webrtc.port()

    def watch(self, run):
        def viewer(name, address, path, check=broken):
            self.ends.append(Viewer(name, lambda: fault_proxy.open_connection(address), self.findings, path, check, SILENCE_S))

        def at(unit):
            return "127.0.0.1", int(next(word for word in self.units[unit].command if word.startswith("127.0.0.1:"))[10:])

        linked = self.links["viewer"].address
        viewer("serve yard", linked, "/stream/yard")
        viewer("serve gate", linked, "/stream/gate", self.pictures.strange)
        viewer("serve detect", at("mjpeg-serve"), "/stream/detect")
        viewer("serve door", at("mjpeg-serve"), "/stream/door")
        viewer("relay yard", at("mjpeg-relay"), "/stream/yard")
        viewer("relay gate", at("mjpeg-relay"), "/stream/gate", self.pictures.strange)
        viewer("subscriber", f"{run}/cloud.sock", None)
        host, port = at("webrtc-serve")
        self.ends.append(WebrtcEnd(f"ws://{host}:{port}/api/webrtc/ws", f"{self.folder}/webrtc_watch.log", self.findings))
        self.recordings = Recordings(self.bin, f"{self.folder}/rec", self.findings, broken)
        self.ends.append(self.recordings)

    async def wait_for_frames(self):
        for end in self.ends:
            if isinstance(end, WebrtcEnd):
                await end.start()
        for end in self.ends:
            if await end.fresh_after(0.0, NEED_FRAMES_S) is None:
                raise TimeoutError(f"{end.name}: no frame at all; see {self.folder}")

    # --- what the programs hold

    async def take_baselines(self):
        """Of those that have settled, when all frames flow."""
        await asyncio.gather(*(unit.take_baseline() for unit in self.units.values() if unit.settled() and not unit.baseline))

    async def compare(self, unit):
        cameras = CAMERAS.get(unit.name, 0)
        # Once a camera had more than three viewers, as a half-open connection makes them, a pipe is kept for the next time.
        allowed = {"memory_kb": MEMORY_KB + (SESSIONS_KB if unit.name == "webrtc-serve" else 0), "descriptors": 2 * cameras}
        grown = await unit.compare(allowed)
        if grown is not None:
            self.growth[unit.name] = max(grown, self.growth.get(unit.name, 0))

    def end(self, name):
        return next(end for end in self.ends if end.name == name)

    def own(self):
        """The processes that are there by right."""
        watching = [end.process.pid for end in self.ends if isinstance(end, WebrtcEnd) and end.process]
        return {unit.pid for unit in self.units.values() if unit.process} | set(watching)

    async def stop(self):
        for end in self.ends:
            if hasattr(end, "leave"):
                await end.leave()
        if self.landing:
            self.landing.cancel()
        for unit in reversed(self.units.values()):
            if unit.keeper:
                code = await unit.stop()
                if code not in (0, None):
                    self.findings.append(f"{unit.name} ended with {code} after SIGTERM")
        for link in self.links.values():
            await link.close()

    def unmount(self):
        if self.has_disk:
            subprocess.run(["umount", f"{self.folder}/rec"], check=False)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]
