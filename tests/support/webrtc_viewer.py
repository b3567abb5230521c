#!/usr/bin/python3
"""A second implementation that watches: aiortc against webrtc-serve.

webrtc_viewer.py URL [OPTION]...   waits for --frames decoded pictures and prints one line of JSON: frames, size, codec,
                                   mean colour (R, G, B) of the last, seconds to the first, types of the candidates in use,
                                   types of messages that it does not know. "error" where it was in vain, and status 1.

URL ends in /whep or /api/webrtc/ws; by its scheme it is the one or the other.
"""
import argparse
import asyncio
import json
import os
import signal
import sys
import time
import urllib.parse

from aiortc import RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError

import rtc_peer


class Viewer:
    def __init__(self, options):
        self.options = options
        self.pc = rtc_peer.peer_connection(options.turn)
        self.began = time.monotonic()
        self.result = {"frames": 0, "unknown": []}
        self.enough = asyncio.get_running_loop().create_future()
        self.pc.on("track", lambda track: rtc_peer.beside(self.watch(track), self.fail))

    async def watch(self, track):
        result = self.result
        try:
            while result["frames"] < self.options.frames:
                frame = await track.recv()
                result["frames"] += 1
                if result["frames"] == 1:
                    result["first_s"] = round(time.monotonic() - self.began, 3)
        except MediaStreamError:
            return self.fail("the track has ended")
        result["size"] = [frame.width, frame.height]
        result["colour"] = [round(c) for c in frame.to_ndarray(format="rgb24").mean(axis=(0, 1))]
        if not self.enough.done():
            self.enough.set_result(True)

    def fail(self, why):
        if not self.enough.done():
            self.enough.set_exception(rtc_peer.Gone(why))

    def receive_video(self):
        transceiver = self.pc.addTransceiver("video", direction="recvonly")
        if self.options.codec:
            known = RTCRtpReceiver.getCapabilities("video").codecs
            wanted = f"video/{self.options.codec}".lower()
            transceiver.setCodecPreferences([c for c in known if c.mimeType.lower() == wanted])

    async def whep(self):
        options = self.options
        self.receive_video()
        offer = await rtc_peer.local_offer(self.pc)
        status, headers, body = await rtc_peer.request(
            "POST", options.url, offer.encode(), "application/sdp", options.ca)
        if status != 201:
            raise rtc_peer.Gone(f"status {status}: {body.decode(errors='replace').strip()}")
        session = urllib.parse.urljoin(options.url, headers["Location"])
        await rtc_peer.take(self.pc, "answer", body.decode())
        await self.enough
        self.finish()
        status, _, _ = await rtc_peer.request("DELETE", session, ca=options.ca)
        if status != 200:
            raise rtc_peer.Gone(f"DELETE: status {status}")

    async def websocket(self):
        options = self.options
        async with rtc_peer.Signals(options.url, options.ca) as signals:
            if options.no_mline:
                sdp = rtc_peer.NOTHING
            else:
                if options.application_only:
                    self.pc.createDataChannel("words")
                else:
                    self.receive_video()
                sdp = await rtc_peer.local_offer(self.pc)
            await signals.send({"type": "offer", "sdp": sdp})
            reading = rtc_peer.beside(self.read(signals), self.fail)
            await self.enough
            self.finish()
            reading.cancel()
            await signals.send({"type": "bye"})

    async def read(self, signals):
        while True:
            message = await signals.receive()
            kind = message.get("type")
            if kind == "answer":
                if not self.options.no_mline:
                    await rtc_peer.take(self.pc, kind, message["sdp"])
            elif kind == "offer":
                await rtc_peer.take(self.pc, kind, message["sdp"])
                await self.pc.setLocalDescription(await self.pc.createAnswer())
                await signals.send({"type": "answer", "sdp": self.pc.localDescription.sdp})
            elif kind == "ice-candidate":
                await rtc_peer.take_candidate(self.pc, message)
            elif kind == "error":
                raise rtc_peer.Gone(message["error"])
            else:
                self.result["unknown"].append(kind)

    def finish(self):
        video = self.pc.remoteDescription.sdp.partition("m=video")[2]
        self.result["codec"] = video.partition("a=rtpmap:")[2].split()[1].partition("/")[0].lower()
        self.result["candidates"] = rtc_peer.pair(self.pc)
        if self.options.kill:
            print(json.dumps(self.result), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    async def run(self):
        watching = self.whep() if self.options.url.startswith("http") else self.websocket()
        try:
            await asyncio.wait_for(watching, self.options.timeout)
        except rtc_peer.Gone as gone:
            self.result["error"] = str(gone)
        except asyncio.TimeoutError:
            self.result["error"] = f"not within {self.options.timeout} s"
        await self.pc.close()
        return self.result


def parse(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--codec", choices=["vp8", "h264"])
    parser.add_argument("--no-mline", action="store_true", help="WebSocket: offer nothing, and take the server's offer")
    parser.add_argument("--application-only", action="store_true", help="WebSocket: offer a data channel alone")
    parser.add_argument("--kill", action="store_true", help="vanish without a word when the frames are there")
    parser.add_argument("--turn", metavar="USER:PASSWORD@HOST:PORT")
    parser.add_argument("--relay-only", action="store_true")
    parser.add_argument("--address", default="127.0.0.1", help="of this machine, for media")
    parser.add_argument("--ca", help="file with the authority of the server's certificate")
    parser.add_argument("--timeout", type=float, default=30, help="seconds")
    options = parser.parse_args(arguments)
    rtc_peer.use_network(options.address, options.relay_only)
    return options


async def main():
    result = await Viewer(parse()).run()
    print(json.dumps(result), flush=True)
    return 1 if "error" in result else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
