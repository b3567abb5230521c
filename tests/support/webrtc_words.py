#!/usr/bin/python3
"""Words to webrtc-serve or webrtc-ingest over a WebSocket, as they stand: webrtc_words.py [--origin ORIGIN] URL COUNT WORD...

Sends each WORD as a text (as bytes, when it begins with "bytes:") and prints the COUNT messages that come first, one on a
line; a closing by the server is printed as "closed CODE", and a handshake that is refused as "status CODE".
"""
import asyncio
import sys

import websockets


async def talk(url, count, words, origin):
    try:
        async with websockets.connect(url, origin=origin, open_timeout=30, close_timeout=30) as socket:
            for word in words:
                await socket.send(word.removeprefix("bytes:").encode() if word.startswith("bytes:") else word)
            for _ in range(count):
                print(await asyncio.wait_for(socket.recv(), 30))
    except websockets.InvalidStatusCode as refused:
        print("status", refused.status_code)
    except websockets.ConnectionClosed as closed:
        print("closed", closed.code)


arguments = sys.argv[1:]
page = None
if arguments[0] == "--origin":
    page, arguments = arguments[1], arguments[2:]
asyncio.run(talk(arguments[0], int(arguments[1]), arguments[2:], page))
