"""What is done to the installation. A fault is applied and over when apply() returns: what follows is recovery."""
import asyncio
import time

import fault_proxy
from installation import SEGMENT_S

MQTT_NOTICES_S = 20  # libmosquitto asks after 10 s of silence, and waits as long for an answer
FILL_S = 4
MQTT = ("publisher", "subscriber")
FILLER = b"\0" * 65536


class Fault:
    """`kind` and `place` name it. `spoils`: ends whose frames have other bytes meanwhile than were sent. `costs_recording`:
    frames may be missing in the recording from so many seconds before its begin to the end of the recovery. `notices_s`: it is
    over only when it has been noticed, which may take so long."""

    def __init__(self, kind, place, work, spoils=(), costs_recording=None, notices_s=0):
        self.kind = kind
        self.place = place
        self.work = work
        self.spoils = spoils
        self.costs_recording = costs_recording
        self.notices_s = notices_s
        self.over = None  # when, if before apply() returned: (UNIX time, monotonic)

    async def apply(self):
        self.over = None
        await self.work(self)
        if self.over is None:
            self.now()

    def now(self):
        self.over = time.time(), time.monotonic()


def cost_of(unit):
    return 0 if unit.name in ("camgrab", "frame-record") else None


def kill(installation, unit):
    async def work(fault):
        await installation.compare(unit)  # what this life has left behind
        if unit.name == "frame-record":
            await installation.recordings.audit()
        fault.now()
        unit.kill()
        if unit.name == "frame-record":
            installation.recordings.kills.append(fault.over[0])

    return Fault("kill -9", unit.name, work, costs_recording=cost_of(unit))


def pause(installation, unit):
    async def work(_):
        unit.pause(True)
        await asyncio.sleep(installation.dice.uniform(2, 4))
        unit.pause(False)

    return Fault("stop", unit.name, work, costs_recording=cost_of(unit))


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

    return Fault("unplug", "camgrab's camera", work, costs_recording=0)


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

    return Fault("disk full", "frame-record", work, costs_recording=SEGMENT_S + 1)  # also what was open


def broken_link(kind, link, seconds, begin, spoils=(), notices_s=0):
    """begin(link), and after `seconds` the link is as before."""
    async def work(_):
        begin(link)
        await asyncio.sleep(seconds)
        link.heal()

    return Fault(kind, f"link {link.name}", work, spoils, notices_s=notices_s)


def link_faults(installation, link, way="down", spoils=(), multipart=False):
    """Those that make sense on it; frames go `way`."""
    dice = installation.dice
    notices_s = MQTT_NOTICES_S if link.name in MQTT else 0

    def add(kind, seconds, begin, *more):
        return broken_link(kind, link, seconds, begin, *more)

    yield add("link lost", dice.uniform(1, 5), lambda it: it.hold())
    yield add("reset", 0, lambda it: it.reset())
    yield add("delay of 0.3 s", 3, lambda it: it.delay(0.3))
    if link.name != "pipe":  # a unix socket's peer cannot vanish without a word
        yield add("half-open", 0, lambda it: it.abandon(), (), notices_s)
    if way == "down":
        yield add("cut off", 0.5, lambda it: it.truncate())
    if multipart:
        yield add("garbage between frames", 3, lambda it: it.spoil(fault_proxy.garbage(dice)))
        yield add("cut frames", 3, lambda it: it.spoil(fault_proxy.cut(dice)))
    elif spoils:
        yield add("missing bytes", 3, lambda it: it.spoil(fault_proxy.missing(dice), way), spoils, notices_s)
    if spoils:
        yield add("noise in frames", 3, lambda it: it.spoil(fault_proxy.noise(dice), way), spoils, notices_s)


def all_faults(installation):
    """A new list, with other durations each time."""
    links = installation.links
    faults = [make(installation, unit) for unit in installation.units.values() for make in (kill, pause)]
    faults += [unplug_pictures(installation), unplug_camgrab(installation), dirt(installation)]
    if installation.has_disk:
        faults.append(full_disk(installation))
    faults += link_faults(installation, links["relay"], spoils=("relay yard", "relay gate"), multipart=True)
    faults += link_faults(installation, links["pipe"], spoils=("serve detect", "WebRTC"), multipart=True)
    faults += link_faults(installation, links["publisher"], "up", spoils=("subscriber",))
    faults += link_faults(installation, links["subscriber"], spoils=("subscriber",))
    faults += link_faults(installation, links["viewer"])
    return faults
