#!/usr/bin/python3
"""Says words to a WebSocket and prints what comes back.

websocket_words.py URL [--binary] [--deep N] [--large N] [--offers N] [WORD...]   sends each WORD, then a ping
({"type":"ping","t":424242}), and prints every message until that is answered or the server closes: "closed CODE REASON".
--deep and --large add words that are nested so deep, and as long; --offers so many offers of nothing.
"""
import argparse
import asyncio
import json

import websockets


def words_of(options):
    yield from options.words
    if options.deep:
        yield '{"type":"hello","name":' + "[" * options.deep + "]" * options.deep + "}"
    if options.large:
        yield json.dumps({"type": "hello", "name": "x" * options.large})
        yield json.dumps({"type": "offer", "sdp": "v=0\r\n" + "a=x\r\n" * (options.large // 5)})
    for _ in range(options.offers):
        yield json.dumps({"type": "offer", "sdp": "v=0\r\n"})


async def talk(options):
    async with websockets.connect(options.url, max_size=None, open_timeout=30) as socket:
        try:
            for word in words_of(options):
                await socket.send(word.encode() if options.binary else word)
            await socket.send('{"type":"ping","t":424242}')
            while True:
                message = await socket.recv()
                print(message)
                if json.loads(message).get("t") == 424242:
                    return
        except websockets.ConnectionClosed as closed:
            print("closed", closed.rcvd.code if closed.rcvd else 1006, closed.rcvd.reason if closed.rcvd else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--binary", action="store_true")
    parser.add_argument("--deep", type=int, default=0)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--offers", type=int, default=0)
    asyncio.run(asyncio.wait_for(talk(parser.parse_intermixed_args()), 60))


if __name__ == "__main__":
    main()
