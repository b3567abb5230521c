#!/usr/bin/python3
"""Watches a webrtc-serve for ever, and connects again when it is lost: webrtc_watch.py WS-URL

Prints up to four lines a second: when a picture had been captured (seconds since the epoch) that the server's figures say was
sent, as soon as the next picture has been decoded.
"""
import asyncio
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import rtc_peer
from aiortc.mediastreams import MediaStreamError

SILENCE_S = 6.0  # without a picture; longer than a server is stopped
BEGIN_S = 5.0


class Watch:
    def __init__(self, url):
        self.url = url
        self.told = None  # by the last figures, and not printed yet
        self.came = asyncio.Event()

    async def run(self):
        while True:
            try:
                await self.watch()
            except (rtc_peer.Gone, MediaStreamError, asyncio.TimeoutError, OSError):
                pass
            await asyncio.sleep(0.1)

    async def watch(self):
        peer = rtc_peer.peer_connection()
        tracks = []
        peer.on("track", lambda track: tracks.append(asyncio.ensure_future(self.decode(track))))
        try:
            async with rtc_peer.Signals(self.url) as signals:
                peer.addTransceiver("video", direction="recvonly")
                await signals.send({"type": "offer", "sdp": await rtc_peer.local_offer(peer)})
                await signals.send({"type": "figures", "every_ms": 250})
                tracks.append(asyncio.ensure_future(self.read(peer, signals)))
                wait = BEGIN_S
                while True:
                    self.came.clear()
                    news = asyncio.ensure_future(self.came.wait())
                    try:
                        done, _ = await asyncio.wait({news, *tracks}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        news.cancel()
                    if not done:
                        raise asyncio.TimeoutError
                    for ended in done - {news}:
                        ended.result()
                        return
                    wait = SILENCE_S
        finally:
            for task in tracks:
                task.cancel()
            await asyncio.gather(*tracks, return_exceptions=True)
            await peer.close()

    async def decode(self, track):
        while True:
            await track.recv()
            self.came.set()
            if self.told:
                print(self.told / 1000, flush=True)
                self.told = None

    async def read(self, peer, signals):
        while True:
            message = await signals.receive()
            if message["type"] == "answer":
                await rtc_peer.take(peer, "answer", message["sdp"])
            elif message["type"] == "error":
                raise rtc_peer.Gone(message["error"])
            elif message["type"] == "figures" and message["captured_ms"]:
                self.told = message["captured_ms"]


rtc_peer.use_network()
asyncio.run(Watch(sys.argv[1]).run())
