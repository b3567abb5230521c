#!/usr/bin/env python3
"""Whether fault_proxy.py does what it says: fault_proxy_check.py FAULT, one of CHECKS. Exits with 1 where it does not."""
import asyncio
import random
import sys
import time

import fault_proxy

PATIENCE_S = 30
QUIET_S = 0.3  # nothing came for so long


async def soon(work):
    return await asyncio.wait_for(work, PATIENCE_S)


async def quiet(reader):
    """Neither bytes nor an end."""
    try:
        await asyncio.wait_for(reader.read(1), QUIET_S)
    except asyncio.TimeoutError:
        return True
    return False


class Rig:
    """A server behind a link; `pair()` gives both ends of a connection through it."""

    def __init__(self):
        self.accepted = asyncio.Queue()
        self.link = None

    async def start(self):
        server = await asyncio.start_server(lambda *ends: self.accepted.put(ends), "127.0.0.1", 0)
        self.link = fault_proxy.Link("link", server.sockets[0].getsockname(), random.Random(1))
        await self.link.start()

    async def pair(self):
        client = await fault_proxy.open_connection(self.link.address)
        return client, await soon(self.accepted.get())


async def carries(rig, client, server):
    for (_, writer), (reader, _) in ((client, server), (server, client)):
        writer.write(b"x" * 100000)
        await soon(reader.readexactly(100000))


async def passes(rig, client, server):
    await carries(rig, client, server)
    client[1].close()
    assert await soon(server[0].read()) == b""


async def holds(rig, client, server):
    rig.link.hold()
    server[1].write(b"late")
    newcomer = await fault_proxy.open_connection(rig.link.address)
    assert await quiet(client[0]) and await quiet(newcomer[0]) and rig.accepted.empty()
    rig.link.heal()
    assert await soon(client[0].readexactly(4)) == b"late"
    await soon(rig.accepted.get())


async def delays(rig, client, server):
    rig.link.delay(0.5)
    began = time.monotonic()
    server[1].write(b"x")
    await soon(client[0].readexactly(1))
    assert time.monotonic() - began >= 0.5


async def abandons(rig, client, server):
    rig.link.abandon()
    rig.link.heal()
    client[1].write(b"x")
    server[1].write(b"x")
    assert await quiet(client[0]) and await quiet(server[0])
    await carries(rig, *await rig.pair())


async def resets(rig, client, server):
    rig.link.reset()
    for reader, _ in (client, server):
        try:
            await soon(reader.read())
        except ConnectionResetError:
            continue
        raise AssertionError("it ended without a reset")
    await carries(rig, *await rig.pair())


async def truncates(rig, client, server):
    rig.link.truncate()
    server[1].write(b"x" * 1000)
    assert len(await soon(client[0].read())) <= 1000
    await carries(rig, *await rig.pair())


async def spoils(rig, client, server):
    stream = b"".join(b"\r\n--frame\r\nContent-Length: 5000\r\n\r\n" + bytes([number]) * 5000 for number in range(100))
    for make in (fault_proxy.noise, fault_proxy.garbage, fault_proxy.cut, fault_proxy.missing):
        dice = random.Random(1)
        spoiler = make(dice)
        spoilt = b"".join(spoiler(stream[at:at + 16384]) for at in range(0, len(stream), 16384))
        assert spoilt != stream, make
        if make is fault_proxy.noise:
            assert len(spoilt) == len(stream)
        if make is fault_proxy.garbage:
            assert len(spoilt) > len(stream)
        if make in (fault_proxy.cut, fault_proxy.missing):
            assert len(spoilt) < len(stream)
    rig.link.spoil(lambda data: data.upper(), "up")
    client[1].write(b"up")
    server[1].write(b"down")
    assert await soon(server[0].readexactly(2)) == b"UP" and await soon(client[0].readexactly(4)) == b"down"


CHECKS = {"pass": passes, "hold": holds, "delay": delays, "abandon": abandons, "reset": resets, "truncate": truncates,
          "spoil": spoils}


async def main(name):
    rig = Rig()
    await rig.start()
    client, server = await rig.pair()
    await carries(rig, client, server)
    await CHECKS[name](rig, client, server)
    await rig.link.close()


asyncio.run(main(sys.argv[1]))
