"""A viewer of the long runs: it watches for ever, connects again whenever it is lost, and checks what it is shown."""
import asyncio
import time


class Viewer:
    """What is behind `connect`, a function that is awaited and gives (reader, writer); with `path` by HTTP, else a bare stream.

    A picture that `broken`, which gets the bytes and X-Signal, gives a reason for, and a live frame with an older X-Timestamp
    than one before are findings.
    With `silence` a connection that brings nothing for so many seconds is left for a new one.
    """

    def __init__(self, name, connect, findings, path=None, broken=None, silence=None):
        self.name = name
        self.connect = connect
        self.findings = findings
        self.path = path
        self.broken = broken or (lambda jpeg, _: not_whole(jpeg))
        self.silence = silence
        self.frames = 0
        self.last_live = 0.0  # when it came
        self.newest = 0.0     # X-Timestamp
        self.forgiving = False  # its frames may be other ones than were sent: see forgive()
        self.spoilt = 0       # that were found broken meanwhile
        self.news = asyncio.Event()
        self.task = asyncio.create_task(self.run())

    async def run(self):
        while True:
            try:
                await self.watch()
            except (OSError, EOFError, asyncio.TimeoutError):
                pass
            except (ValueError, KeyError, asyncio.LimitOverrunError) as error:
                self.findings.append(f"{self.name}: no part of a stream: {error!r}")
            await asyncio.sleep(0.02)

    async def watch(self):
        reader, writer = await self.within(self.connect())
        try:
            if self.path is not None:
                writer.write(f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                if b" 200 " not in await self.within(reader.readuntil(b"\r\n\r\n")):
                    return
            while True:
                head = (await self.within(reader.readuntil(b"\r\n\r\n"))).decode("latin-1")
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n") if ": " in line)
                body = await self.within(reader.readexactly(int(headers["content-length"]) + 2))
                self.take(headers, body[:-2])
        finally:
            writer.close()

    async def within(self, work):
        return await (asyncio.wait_for(work, self.silence) if self.silence else work)

    def take(self, headers, jpeg):
        signal = headers.get("x-signal", "live")
        why = not_whole(jpeg) if self.forgiving else self.broken(jpeg, signal)
        if why:
            self.findings.append(f"{self.name}: a broken picture of {len(jpeg)} bytes: {why}")
        elif self.forgiving and self.broken(jpeg, signal):
            self.spoilt += 1
        if signal != "live":
            return
        taken = float(headers["x-timestamp"])
        if taken < self.newest and not self.forgiving:
            self.findings.append(f"{self.name}: a frame {self.newest - taken:.3f} s older than the one before")
        self.newest = taken if self.forgiving else max(self.newest, taken)
        self.frames += 1
        self.last_live = time.monotonic()
        self.news.set()

    def forgive(self, forgiving):
        """Bytes inside of frames are overwritten on their way: who does not decode cannot know. They must still be whole."""
        self.forgiving = forgiving
        if not forgiving:
            self.newest = min(self.newest, time.time())

    async def live_after(self, moment, limit):
        """When the first live frame after `moment` came; None when none came within `limit` seconds."""
        return await self.until(lambda: self.last_live > moment, limit)

    async def fresh_after(self, captured, limit):
        """When the first frame that was captured after this time came; None when none came within `limit` seconds."""
        return await self.until(lambda: self.newest > captured, limit)

    async def until(self, seen, limit):
        last = time.monotonic() + limit
        while not seen():
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), last - time.monotonic())
            except asyncio.TimeoutError:
                return None
        return self.last_live

    async def leave(self):
        # More than once: asyncio.wait_for() of Python 3.11 forgets a cancellation that comes together with a result.
        while not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task}, timeout=0.1)


def not_whole(jpeg):
    """A reason, or None."""
    return None if jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9") else "it does not go from SOI to EOI"
