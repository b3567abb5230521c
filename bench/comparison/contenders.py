"""How each server is started and fed."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .processes import Process, Stage, free_port

PEERS = Path(__file__).resolve().parent.parent / "peers"
FPS = 30


@dataclass
class Running:
    """A contender at work."""

    url: str
    server: list[int]  # the process that the viewers talk to
    pipeline: list[int]  # all that it needs, without the feeder


@dataclass
class Place:
    """Where a contender is started: its stage, the executables, the frames."""

    stage: Stage
    programs: Path
    pictures: list[Path]

    def feed_pipe(self) -> Process:
        argv = [self.programs / "feeder", "--pipe", "--fps", FPS, *self.pictures]
        return self.stage.spawn("feeder", argv, stdout=subprocess.PIPE)

    def feed_directory(self, directory: Path) -> None:
        self.stage.spawn("feeder", [self.programs / "feeder", "--dir", directory, "--fps", FPS, *self.pictures])

    def directory(self) -> Path:
        directory = self.stage.scratch / "frames"
        directory.mkdir()
        return directory

    def spawn_behind(self, source: Process, name: str, argv: list) -> Process:
        """A process that reads what `source` writes."""
        process = self.stage.spawn(name, argv, stdin=source.popen.stdout)
        source.popen.stdout.close()  # else the source would not notice the end of its reader
        return process


@dataclass(frozen=True)
class Contender:
    name: str
    start: Callable[[Place], Running]
    peer: bool = False  # somebody else's server: what we want to beat
    raw: bool = False  # multipart on a bare TCP port
    max_viewers: int = 100_000
    in_scenarios: bool = True


def mjpeg_serve(place: Place, source: Process, others: list[Process]) -> Running:
    # The default limit for one address lies above 1000 viewers.
    argv = [place.programs / "mjpeg-serve", "--listen", "127.0.0.1:0", "--camera", "camera=-"]
    server = place.spawn_behind(source, "mjpeg-serve", argv)
    port = place.stage.wait_for_address(server)
    pids = [server.popen.pid]
    return Running(f"http://127.0.0.1:{port}/stream", pids, pids + [other.popen.pid for other in others])


def framepipe_directory(place: Place) -> Running:
    directory = place.directory()
    watcher = place.stage.spawn(
        "dirwatch", [place.programs / "dirwatch", "--fps", 0, directory], stdout=subprocess.PIPE
    )
    running = mjpeg_serve(place, watcher, [watcher])
    place.feed_directory(directory)
    return running


def framepipe_pipe(place: Place) -> Running:
    return mjpeg_serve(place, place.feed_pipe(), [])


def floor(place: Place) -> Running:
    server = place.spawn_behind(place.feed_pipe(), "sendfile_floor", [place.programs / "sendfile_floor"])
    port = place.stage.wait_for_address(server)
    return Running(f"http://127.0.0.1:{port}/", [server.popen.pid], [server.popen.pid])


def script_on_port(place: Place, script: str, scheme: str) -> Running:
    port = free_port()
    server = place.spawn_behind(place.feed_pipe(), script, [PEERS / script, port])
    place.stage.wait_for_port(server, port)
    return Running(f"{scheme}://127.0.0.1:{port}/", [server.popen.pid], [server.popen.pid])


def gstreamer(place: Place) -> Running:
    return script_on_port(place, "gst.sh", "tcp")


def ffmpeg(place: Place) -> Running:
    return script_on_port(place, "ffmpeg.sh", "http")


def fastapi(place: Place) -> Running:
    directory = place.directory()
    port = free_port()
    # Debian's python3 by name: its packages are not those of another python3 on PATH.
    server = place.stage.spawn("fastapi", ["/usr/bin/python3", PEERS / "fastapi_server.py", directory, port])
    place.stage.wait_for_port(server, port)
    place.feed_directory(directory)
    return Running(f"http://127.0.0.1:{port}/stream", [server.popen.pid], [server.popen.pid])


CONTENDERS = [
    Contender("framepipe-dir", framepipe_directory),
    Contender("framepipe-pipe", framepipe_pipe, in_scenarios=False),
    Contender("gstreamer", gstreamer, peer=True, raw=True),
    Contender("fastapi", fastapi, peer=True),
    Contender("ffmpeg", ffmpeg, peer=True, max_viewers=1, in_scenarios=False),
    Contender("floor", floor),
]
