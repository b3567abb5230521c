#!/usr/bin/python3
"""A second implementation that sends: aiortc against webrtc-ingest.

webrtc_sender.py URL [OPTION]...   URL ends in /ws. Sends --count pictures over a data channel in chunks (or as a track), and
                                   prints one line of JSON for each message that comes back, and for each picture that was
                                   sent: {"type":"sent","frame":N,"sha1":...,"bytes":N}. It leaves when --expect results or
                                   receipts have come; status 1 when they do not come within --timeout.
"""
import argparse
import asyncio
import fractions
import glob
import hashlib
import io
import json
import os
import random
import signal
import struct
import sys
import time

import av
from aiortc import RTCRtpSender, VideoStreamTrack
from PIL import Image

import rtc_peer

MOST_BUFFERED = 500_000
av.logging.set_level(av.logging.PANIC)  # libx264 tells of itself on standard error


def colour(number):
    return (number * 37 % 256, number * 91 % 256, number * 153 % 256)


def pictures(options):
    """The bytes of one picture after the other, for ever."""
    if options.frames:
        files = sorted(glob.glob(os.path.join(options.frames, "*.jpg")) + glob.glob(os.path.join(options.frames, "*.png")))
        if not files:
            sys.exit(f"{options.frames}: no pictures")
        while True:
            for name in files:
                with open(name, "rb") as file:
                    yield file.read()
    number = 0
    while True:
        made = io.BytesIO()
        Image.new("RGB", options.size, colour(number)).save(made, "PNG" if options.png else "JPEG")
        yield made.getvalue()
        number += 1


class Track(VideoStreamTrack):
    """Plain pictures whose colour changes slowly."""

    def __init__(self, options):
        super().__init__()
        self.options = options
        self.number = 0

    async def recv(self):
        await asyncio.sleep(1 / self.options.fps)
        frame = av.VideoFrame.from_image(Image.new("RGB", self.options.size, colour(self.number // 30)))
        frame.pts = int(self.number * 90000 / self.options.fps)
        frame.time_base = fractions.Fraction(1, 90000)
        self.number += 1
        return frame


class Sender:
    def __init__(self, options):
        self.options = options
        self.pc = rtc_peer.peer_connection(options.turn)
        self.answered = 0
        self.offset = None
        self.done = asyncio.get_running_loop().create_future()
        self.lines = []

    def print(self, message):
        self.lines.append(message)
        if not self.options.quiet:
            print(json.dumps(message), flush=True)

    def fail(self, why):
        if not self.done.done():
            self.done.set_exception(rtc_peer.Gone(why))

    async def offer(self, signals):
        sdp = await rtc_peer.local_offer(self.pc)
        if not self.options.simple_peer:
            await signals.send({"type": "offer", "sdp": sdp})
            return
        # As simple-peer trickles: the offer without candidates, then each by itself.
        lines = sdp.splitlines()
        rest = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
        await signals.send({"type": "offer", "sdp": "\r\n".join(rest) + "\r\n"})
        for line in lines:
            if line.startswith("a=candidate:"):
                await signals.send({"type": "candidate", "candidate": {
                    "candidate": line[2:], "sdpMid": "0", "sdpMLineIndex": 0}})

    async def read(self, signals):
        while True:
            message = await signals.receive()
            kind = message.get("type")
            if kind == "answer":
                await rtc_peer.take(self.pc, kind, message["sdp"])
            elif kind in ("ice-candidate", "candidate"):
                await rtc_peer.take_candidate(self.pc, message)
            elif kind == "pong":
                now = time.time() * 1000
                self.offset = (message["server"] - (now + message["t"]) / 2, (now - message["t"]) / 2)
            self.print(message)
            if kind in ("result", "received"):
                await self.count(signals, message)

    async def count(self, signals, message):
        if self.offset and not self.options.simple_peer and message.get("frame") is not None:
            offset, error = self.offset
            await signals.send({"type": "times", "frame": message["frame"], "T_end": time.time() * 1000,
                                "offset_ms": offset, "error_ms": error})
        self.answered += 1
        if self.answered == self.options.expect and not self.done.done():
            self.done.set_result(True)

    async def send_pictures(self, channel):
        options = self.options
        junk = random.Random(options.seed)
        source = pictures(options)
        for number in range(options.first, options.first + options.count):
            began = time.monotonic()
            for _ in range(options.junk):
                channel.send(junk.randbytes(junk.randrange(40)) if junk.randrange(4) else "junk \u20ac")
            picture = next(source)
            self.send_picture(channel, number, picture)
            self.print({"type": "sent", "frame": number, "bytes": len(picture),
                        "sha1": hashlib.sha1(picture).hexdigest()})
            await asyncio.sleep(max(0, 1 / options.fps - (time.monotonic() - began)))
            while channel.bufferedAmount > MOST_BUFFERED:
                await asyncio.sleep(0.01)
        if options.kill:
            while channel.bufferedAmount > 0:
                await asyncio.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)

    def send_picture(self, channel, number, picture):
        if self.options.whole:
            channel.send(picture)
            return
        size = self.options.chunk
        pieces = [picture[at:at + size] for at in range(0, len(picture), size)]
        captured = time.time() * 1000
        for index, piece in enumerate(pieces):
            channel.send(struct.pack(">IHHd", number, index, len(pieces), captured) + piece)

    async def start(self, signals):
        options = self.options
        if not options.simple_peer:
            await signals.send({"type": "hello", "name": options.name} if options.name else {"type": "hello"})
            await signals.send({"type": "ping", "t": time.time() * 1000})
        if options.mode == "track":
            self.pc.addTrack(Track(options))
            if options.codec:
                known = RTCRtpSender.getCapabilities("video").codecs
                wanted = f"video/{options.codec}".lower()
                self.pc.getTransceivers()[0].setCodecPreferences([c for c in known if c.mimeType.lower() == wanted])
        else:
            channel = self.pc.createDataChannel("frames")
            channel.on("open", lambda: rtc_peer.beside(self.send_pictures(channel), self.fail))
            channel.on("message", lambda text: self.print({"type": "channel", "text": text}))
        await self.offer(signals)

    async def talk(self):
        async with rtc_peer.Signals(self.options.url, self.options.ca) as signals:
            reading = rtc_peer.beside(self.read(signals), self.fail)
            await self.start(signals)
            await self.done
            reading.cancel()
            await signals.send({"type": "bye"})

    async def run(self):
        """Why it was in vain; None when all has come."""
        why = None
        try:
            await asyncio.wait_for(self.talk(), self.options.timeout)
        except rtc_peer.Gone as gone:
            why = str(gone)
        except asyncio.TimeoutError:
            why = f"{self.answered} answers within {self.options.timeout} s"
        await self.pc.close()
        return why


def size(text):
    return tuple(int(number) for number in text.split("x"))


def parse(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--mode", choices=["data", "track"], default="data")
    parser.add_argument("--frames", metavar="DIR", help="with *.jpg and *.png; else plain pictures are made")
    parser.add_argument("--size", type=size, default=(320, 240), metavar="WxH")
    parser.add_argument("--png", action="store_true")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="number of the first picture")
    parser.add_argument("--expect", type=int, help="results and receipts to wait for; --count unless said")
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--chunk", type=int, default=16384 - 16, metavar="BYTES")
    parser.add_argument("--whole", action="store_true", help="each picture as one message without a header")
    parser.add_argument("--junk", type=int, default=0, help="messages of nonsense before each picture")
    parser.add_argument("--seed", type=int, default=1, help="of the nonsense")
    parser.add_argument("--name", help="said in hello")
    parser.add_argument("--simple-peer", action="store_true", help="trickle as simple-peer does, and never say hello")
    parser.add_argument("--codec", choices=["vp8", "h264"])
    parser.add_argument("--kill", action="store_true", help="vanish without a word when all is sent")
    parser.add_argument("--turn", metavar="USER:PASSWORD@HOST:PORT")
    parser.add_argument("--relay-only", action="store_true")
    parser.add_argument("--address", default="127.0.0.1", help="of this machine, for media")
    parser.add_argument("--ca", help="file with the authority of the server's certificate")
    parser.add_argument("--timeout", type=float, default=30, help="seconds")
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args(arguments)
    if options.expect is None:
        options.expect = options.count
    rtc_peer.use_network(options.address, options.relay_only)
    return options


async def main():
    why = await Sender(parse()).run()
    if why:
        print(json.dumps({"type": "failed", "error": why}), flush=True)
    return 1 if why else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
