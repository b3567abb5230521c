"""A proxy in front of a server, on TCP or a unix socket, that breaks connections on command, in the caller's asyncio loop.

The kernel's netem is not to be had everywhere, and knows neither resets nor half-open connections. This one works on the
stream: what is lost on a wire comes later with TCP, so a lost link is one on which nothing passes, and the bytes that were
under way come when it is back. A proxy cannot refuse the handshake of a connection that begins meanwhile: it is accepted,
and silent.

An address is (host, port) or the path of a unix socket. "Up" is towards the server, "down" from it.
"""
import asyncio
import socket
import struct

CHUNK = 16384
IN_FLIGHT = 64  # chunks that may be delayed at a time, each way of a connection
BOUNDARY = b"\r\n--frame"


async def open_connection(address):
    if isinstance(address, str):
        return await asyncio.open_unix_connection(address)
    return await asyncio.open_connection(*address)


class Link:
    """Between whoever connects to `address`, which start() sets, and `target`."""

    def __init__(self, name, target, dice):
        self.name = name
        self.target = target
        self.dice = dice
        self.address = None
        self.delay_s = 0.0
        self.spoiler = {"up": None, "down": None}
        self.passing = asyncio.Event()
        self.passing.set()
        self.connections = set()
        self.lost = []  # their sockets stay open, and nobody reads them
        self.server = None

    async def start(self, path=None):
        """On a free port of this machine, or at `path`."""
        if path:
            self.server = await asyncio.start_unix_server(self.serve, path)
            self.address = path
        else:
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            self.address = self.server.sockets[0].getsockname()

    async def serve(self, reader, writer):
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        await connection.run()

    # --- faults; each lasts until heal(), but for those that end connections

    def delay(self, seconds):
        self.delay_s = seconds

    def hold(self):
        """Nothing passes, and nobody is told."""
        self.passing.clear()

    def abandon(self):
        """Half-open: nothing passes on today's connections any more, for ever, and neither end is told. New ones are held."""
        self.hold()
        for connection in list(self.connections):
            connection.abandon()

    def reset(self):
        """Both ends get RST; a unix socket knows no such thing, and just ends."""
        for connection in list(self.connections):
            connection.reset()

    def truncate(self):
        """Each connection ends in the middle of what it carries next."""
        for connection in list(self.connections):
            connection.truncating = True

    def spoil(self, spoiler, way="down"):
        """What goes that way is what `spoiler`, a function of bytes, makes of it."""
        self.spoiler[way] = spoiler

    def heal(self):
        self.delay_s = 0.0
        self.spoiler = {"up": None, "down": None}
        self.passing.set()

    async def close(self):
        self.server.close()
        for connection in list(self.connections):
            connection.end()
        for writer in self.lost:
            writer.transport.abort()


class Connection:
    def __init__(self, link, reader, writer):
        self.link = link
        self.near = (reader, writer)
        self.far = None
        self.truncating = False
        self.task = None

    async def run(self):
        self.task = asyncio.current_task()
        try:
            await self.link.passing.wait()
            self.far = await open_connection(self.link.target)
            (near_in, near_out), (far_in, far_out) = self.near, self.far
            await asyncio.gather(self.carry("up", near_in, far_out), self.carry("down", far_in, near_out))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.link.connections.discard(self)
            self.end()

    async def carry(self, way, reader, writer):
        waiting = asyncio.Queue(IN_FLIGHT)
        delivery = asyncio.create_task(self.deliver(way, waiting, writer))
        try:
            while data := await reader.read(CHUNK):
                await waiting.put((asyncio.get_running_loop().time() + self.link.delay_s, data))
            await waiting.put(None)
            await delivery
        finally:
            delivery.cancel()

    async def deliver(self, way, waiting, writer):
        try:
            await self.write_all(way, waiting, writer)
        except OSError:  # that end is gone
            self.task.cancel()

    async def write_all(self, way, waiting, writer):
        while (item := await waiting.get()) is not None:
            due, data = item
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            await self.link.passing.wait()
            if spoiler := self.link.spoiler[way]:
                data = spoiler(data)
            if self.truncating and way == "down":
                writer.write(data[:self.link.dice.randrange(len(data) + 1)])
                self.task.cancel()
                return
            writer.write(data)
            await writer.drain()
        await self.link.passing.wait()
        writer.write_eof()

    def writers(self):
        return [end[1] for end in (self.near, self.far) if end]

    def abandon(self):
        for reader, writer in filter(None, (self.near, self.far)):
            self.link.lost.append(writer)
            if writer.transport.is_reading():
                writer.transport.pause_reading()
        self.near, self.far = None, None
        self.task.cancel()

    def reset(self):
        for writer in self.writers():
            peer = writer.get_extra_info("socket")
            if peer is not None and peer.family != socket.AF_UNIX:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self.task.cancel()

    def end(self):
        for writer in self.writers():
            writer.close()


# --- spoilers: made with random.Random, called with what passes


def noise(dice):
    """Overwrites a few bytes of every fourth chunk or so."""
    def spoil(data):
        if dice.random() > 0.25:
            return data
        at = dice.randrange(len(data))
        junk = dice.randbytes(dice.randint(1, 16))
        return (data[:at] + junk + data[at + len(junk):])[:len(data)]
    return spoil


def garbage(dice):
    """Puts bytes that are nothing between the parts of a multipart stream."""
    def spoil(data):
        at = data.find(BOUNDARY)
        if at < 0 or dice.random() > 0.5:
            return data
        return data[:at] + b"\r\n" + dice.randbytes(dice.randint(1, 4000)) + data[at:]
    return spoil


def cut(dice):
    """Leaves out the rest of every other part or so: the next part begins in the middle of a picture."""
    cutting = False

    def spoil(data):
        nonlocal cutting
        begin = data.find(BOUNDARY)
        if cutting:
            if begin < 0:
                return b""
            cutting = False
            return data[begin:]
        if dice.random() < 0.5:
            return data
        cutting = begin <= 0
        return data[:dice.randrange(len(data) if cutting else begin)] + (b"" if cutting else data[begin:])
    return spoil


def missing(dice):
    """Leaves out some bytes anywhere: for a protocol that has lengths, the end of the connection."""
    def spoil(data):
        if dice.random() > 0.25:
            return data
        at = dice.randrange(len(data))
        return data[:at] + data[at + dice.randint(1, 500):]
    return spoil
