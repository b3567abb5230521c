"""Debian's python3-websockets against websocket_echo: websocket_client.py URL [CA].

Texts and bytes of many sizes, in fragments, compression offered, many peers at once, closing by either side, a message over
the limit. Says "ok" at the end.
"""
import asyncio
import ssl
import sys

import websockets

URL = sys.argv[1]
TLS = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None


def connect(**options):
    return websockets.connect(URL, ssl=TLS, open_timeout=30, close_timeout=30, max_size=None, **options)


async def expect_close(peer, code):
    try:
        await peer.recv()
    except websockets.ConnectionClosed as closed:
        assert closed.rcvd is not None and closed.rcvd.code == code, closed
    else:
        raise AssertionError("not closed")


async def one(number):
    async with connect() as peer:
        for size in (0, 1, 125, 126, 65535, 65536, 131072):
            data = bytes((number + i) % 256 for i in range(size))
            await peer.send(data)
            assert await peer.recv() == data
            text = ("grün€" * (size // 8))[:size // 4]
            await peer.send(text)
            assert await peer.recv() == text
        await peer.send(["in ", "", "pieces"])
        assert await peer.recv() == "in pieces"
        await (await peer.ping())


async def main():
    await asyncio.gather(*(one(number) for number in range(20)))
    async with connect() as peer:
        await peer.send("close")
        await expect_close(peer, 4000)
    async with connect() as peer:
        await peer.send(b"x" * 131073)
        await expect_close(peer, 1009)
    try:
        async with connect(origin="https://evil.example"):
            raise AssertionError("let in")
    except websockets.InvalidStatusCode as refused:
        assert refused.status_code == 403, refused
    print("ok")


asyncio.run(asyncio.wait_for(main(), 60))
