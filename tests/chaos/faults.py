"""What is done to the installation. A fault is applied and over when apply() returns: what follows is recovery."""
import asyncio
import time

import fault_proxy
from installation import RELAY_TIMEOUT_S

MQTT_NOTICES_S = 21  # libmosquitto asks after 10 s of silence, and waits as long for an answer
FILL_S = 4
FILLER = b"\0" * 65536


class Fault:
    """`kind` and `place` name it. `spoils`: ends whose frames have other bytes meanwhile than were sent; `costs_recording`:
    frames may be missing in the recording from its begin to the end of the recovery."""

    def __init__(self, kind, place, work, spoils=(), costs_recording=False):
        self.kind = kind
        self.place = place
        self.work = work
        self.spoils = spoils
        self.costs_recording = costs_recording
        self.over = None  # when, if before apply() returned: (UNIX time, monotonic)

    async def apply(self):
        self.over = None
        await self.work(self)
        if self.over is None:
            self.now()

    def now(self):
        self.over = time.time(), time.monotonic()


def kill(installation, unit):
    async def work(fault):
        await installation.compare(unit)  # what this life has left behind
        if unit.name == "frame-record":
            await installation.recordings.audit()
        fault.now()
        unit.kill()
        if unit.name == "frame-record":
            installation.recordings.kills.append(fault.over[0])

    return Fault("kill -9", unit.name, work, costs_recording=unit.name in ("camgrab", "frame-record"))


def pause(installation, unit):
    async def work(_):
        unit.pause(True)
        await asyncio.sleep(installation.dice.uniform(2, 4))
        unit.pause(False)

    return Fault("stop", unit.name, work, costs_recording=unit.name in ("camgrab", "frame-record"))


def unplug_pictures(installation):
    async def work(_):
        installation.pictures.plugged = False
        await asyncio.sleep(installation.dice.uniform(2, 5))
        installation.pictures.plugged = True

    return Fault("unplug", "dirwatch's camera", work)


def unplug_camgrab(installation):
    async def work(_):
        await installation.units["camgrab"].stop()
        await asyncio.sleep(installation.dice.uniform(2, 5))
        await installation.units["camgrab"].start()

    return Fault("unplug", "camgrab's camera", work, costs_recording=True)


def dirt(installation):
    async def work(_):
        installation.pictures.dirty = True
        await asyncio.sleep(3)
        installation.pictures.dirty = False

    return Fault("cut and garbage files", "dirwatch's camera", work)


def full_disk(installation):
    async def work(_):
        await installation.recordings.audit()  # the oldest will be removed
        filler = f"{installation.folder}/rec/filler"
        until = time.monotonic() + FILL_S
        with open(filler, "wb", buffering=0) as file:
            while time.monotonic() < until:
                try:
                    while file.write(FILLER):
                        pass
                except OSError:
                    await asyncio.sleep(0.02)  # until the recorder makes some room
            file.truncate(0)

    return Fault("disk full", "frame-record", work, costs_recording=True)


def broken_link(installation, kind, link, seconds, begin, spoils=()):
    """begin(link), and after `seconds` the link is as before."""
    async def work(_):
        begin(link)
        await asyncio.sleep(seconds)
        link.heal()

    return Fault(kind, f"link {link.name}", work, spoils)


def link_faults(installation, link, notices_s=None, way="down", spoils=(), multipart=False):
    """Those that make sense on it. `notices_s`: how long who is behind it takes to leave a connection that is half-open."""
    dice = installation.dice

    def add(kind, seconds, begin, spoils=()):
        return broken_link(installation, kind, link, seconds, begin, spoils)

    yield add("link lost", dice.uniform(1, 5), lambda it: it.hold())
    yield add("reset", 0, lambda it: it.reset())
    yield add("delay of 0.3 s", 3, lambda it: it.delay(0.3))
    if notices_s:
        yield add("half-open", notices_s, lambda it: it.abandon())
    if way == "down":
        yield add("cut off", 0.5, lambda it: it.truncate())
    if multipart:
        yield add("garbage between frames", 3, lambda it: it.spoil(fault_proxy.garbage(dice)))
        yield add("cut frames", 3, lambda it: it.spoil(fault_proxy.cut(dice)))
    elif spoils:
        yield add("missing bytes", 3, lambda it: it.spoil(fault_proxy.missing(dice), way), spoils)
    if spoils:
        yield add("noise in frames", 3, lambda it: it.spoil(fault_proxy.noise(dice), way), spoils)


def all_faults(installation):
    """A new list, with other durations each time."""
    links = installation.links
    faults = [make(installation, unit) for unit in installation.units.values() for make in (kill, pause)]
    faults += [unplug_pictures(installation), unplug_camgrab(installation), dirt(installation)]
    if installation.has_disk:
        faults.append(full_disk(installation))
    faults += link_faults(installation, links["relay"], RELAY_TIMEOUT_S + 1, spoils=("relay yard", "relay gate"), multipart=True)
    # A unix socket's peer cannot vanish without a word.
    faults += link_faults(installation, links["pipe"], spoils=("serve detect", "WebRTC"), multipart=True)
    faults += link_faults(installation, links["publisher"], MQTT_NOTICES_S, "up", spoils=("subscriber",))
    faults += link_faults(installation, links["subscriber"], MQTT_NOTICES_S, spoils=("subscriber",))
    faults += link_faults(installation, links["viewer"], 3)
    return faults
