#!/usr/bin/python3
"""A hostile peer: thousands of mutated offers, candidates and messages, and a good session now and then.

webrtc_mutate.py URL --kind whep|ws|ingest --count N --seed S

URL is that of webrtc_viewer.py (whep, ws) or webrtc_sender.py (ingest). Whatever the server answers is fine as long as it
answers: after each --every messages a good session must come about. Prints one line of JSON; status 1 when the server is
gone, says 5xx other than 503, or a good session fails. The same seed sends the same.
"""
import argparse
import asyncio
import collections
import glob
import json
import os
import random
import re
import sys
import urllib.parse

import rtc_peer
import webrtc_sender
import webrtc_viewer

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "rtc")
NUMBERS = ["-1", "0", "1", "127", "128", "255", "256", "65535", "65536", "2147483648", "4294967296", "18446744073709551616",
           "9" * 400, "1e308", "0x7f", "", " "]
MOST = 100_000  # characters; over what any server takes
NEEDED = ("v=", "o=", "m=", "a=group", "a=mid", "a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup", "a=sctp")
WORDS = ["video", "audio", "application", "recvonly", "sendonly", "inactive", "actpass", "active", "passive", "VP8", "H264",
         "rtx", "red", "BUNDLE", "mid", "setup", "fingerprint", "ice-ufrag", "ice-pwd", "candidate", "sctp-port", "rtcp-mux",
         "UDP/TLS/RTP/SAVPF", "UDP/DTLS/SCTP", "RTP/AVP", "webrtc-datachannel", "typ", "host", "relay", "udp", "tcp", "IP4",
         "IP6", "127.0.0.1", "::1", "224.0.0.1", "x.local"]
CANDIDATES = ["candidate:1 1 udp 2122194687 127.0.0.1 9 typ host generation 0 network-id 1",
              "candidate:2 1 tcp 1518214911 127.0.0.1 9 typ host tcptype active",
              "candidate:3 1 udp 1677729535 127.0.0.1 9 typ srflx raddr 0.0.0.0 rport 0",
              "candidate:4 1 udp 2113937151 91b1b43a-6f50-4a27-834f-37764ef99f48.local 9 typ host"]
MESSAGES = [{"type": "ping", "t": 1.5}, {"type": "bye"}, {"type": "hello", "name": "tablet 3"}, {"renegotiate": True},
            {"type": "figures", "every_ms": 250}, {"type": "transceiverRequest", "transceiverRequest": {"kind": "video"}},
            {"type": "times", "frame": 1, "T_end": 1.5, "offset_ms": 0, "error_ms": 1},
            {"type": "result", "frame": 1}, {"signal": {"type": "offer", "sdp": rtc_peer.NOTHING}}]


class Hung(rtc_peer.Gone):
    """It is there, and says nothing."""


def clean(message):
    """As text that a WebSocket can have: UTF-8; half of a pair is not."""
    text = message if isinstance(message, str) else json.dumps(message)
    return text.encode("utf-8", "replace").decode()


class Mutator:
    def __init__(self, seed, kind):
        self.random = random.Random(seed)
        self.offers = [rtc_peer.NOTHING]
        for name in sorted(glob.glob(os.path.join(DATA, "*.sdp"))):
            if kind == "ingest" and not name.endswith(("data.sdp", "camera.sdp", "audio-video.sdp")):
                continue
            with open(name, newline="", encoding="utf-8") as file:
                self.offers.append(file.read())

    def text(self, text):
        """`text` with one to four things done to it."""
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 4))):
            text = self.random.choice((self.flip, self.cut, self.line, self.number, self.word, self.foreign))(text)[:MOST]
        return text

    def flip(self, text):
        if not text:
            return "\0"
        at = self.random.randrange(len(text))
        return text[:at] + chr(self.random.choice((ord(text[at]) ^ 1 << self.random.randrange(7), 0, 0x20AC))) + text[at + 1:]

    def cut(self, text):
        begin, end = sorted(self.random.randrange(len(text) + 1) for _ in range(2))
        return self.random.choice((text[:begin], text[:begin] + text[end:], text[begin:]))

    def line(self, text):
        """A line removed, doubled, moved, or there a thousand times."""
        lines = text.splitlines(keepends=True)
        if not lines:
            return text
        at = self.random.randrange(len(lines))
        to = self.random.randrange(len(lines))
        kind = self.random.randrange(8)
        taken = lines[at][:100]
        if kind == 0:
            return "".join(lines[:at] + [taken] * self.random.choice((20, 1000)) + lines[at:])
        if kind < 4:
            del lines[at]
        if kind > 2:
            lines.insert(to, taken)
        return "".join(lines)

    def number(self, text):
        return self.replace(text, r"\d+", NUMBERS)

    def word(self, text):
        return self.replace(text, "|".join(re.escape(word) for word in WORDS), WORDS)

    def replace(self, text, what, by):
        found = list(re.finditer(what, text))
        if not found:
            return text
        one = self.random.choice(found)
        return text[:one.start()] + self.random.choice(by) + text[one.end():]

    def foreign(self, text):
        """A line of another offer, or its whole second half."""
        lines = self.random.choice(self.offers).splitlines(keepends=True)
        mine = text.splitlines(keepends=True)
        at = self.random.randrange(len(mine) + 1)
        other = self.random.randrange(len(lines))
        return "".join(mine[:at] + (lines[other:] if self.random.randrange(4) == 0 else [lines[other]] + mine[at:]))

    def offer(self):
        """Two of three still have what every description must have, so that they come further than to its reader."""
        text = self.random.choice(self.offers)
        if self.random.randrange(3) == 0:
            return self.text(text)
        lines = text.splitlines(keepends=True)
        for _ in range(self.random.choice((1, 2, 5, 20))):
            at = self.random.randrange(len(lines))
            if lines[at].startswith(NEEDED):
                continue
            lines[at] = self.random.choice((
                lambda line: "", lambda line: line[:200] * self.random.choice((2, 300)), lambda line: lines[self.random.randrange(len(lines))],
                self.number, self.number, self.word, self.word))(lines[at])
        return "".join(lines)[:MOST]

    def candidate(self):
        return self.text(self.random.choice(CANDIDATES))

    def value(self):
        return self.random.choice((None, True, -1, 1e300, 2**63, "", "x" * 5000, [], {}, [[[[[]]]]], self.candidate(), "0"))

    def message(self):
        """JSON, or what was."""
        kind = self.random.randrange(6)
        if kind < 2:
            message = {"type": self.random.choice(("offer", "offer", "answer")), "sdp": self.offer()}
        elif kind < 4:
            message = {"type": "ice-candidate", "candidate": {
                "candidate": self.candidate(), "sdpMid": "0", "sdpMLineIndex": 0}}
        else:
            message = dict(self.random.choice(MESSAGES))
        if self.random.randrange(6) == 0:
            message[self.random.choice(list(message) + ["type"])] = self.value()
        if self.random.randrange(12) == 0:
            message = self.random.choice(({"signal": message}, [message], {"type": message}, {"candidate": message}))
        text = json.dumps(message)
        if self.random.randrange(6) == 0:
            text = self.text(text)
        if self.random.randrange(50) == 0:
            text = "[" * 40_000 + text
        return clean(text)


class Hostile:
    def __init__(self, options):
        self.options = options
        self.mutator = Mutator(options.seed, options.kind)
        self.answers = collections.Counter()
        self.sent = 0
        self.good = 0

    async def whep(self):
        url = self.options.url
        offer = self.mutator.offer().encode("utf-8", "replace")
        status, headers, _ = await rtc_peer.request("POST", url, offer, "application/sdp", self.options.ca)
        self.count(f"POST {status}", status)
        if status != 201:
            return
        session = urllib.parse.urljoin(url, headers["Location"])
        fragment = f"a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na={CANDIDATES[0]}\r\n"
        status, _, _ = await rtc_peer.request(
            "PATCH", session, self.mutator.text(fragment).encode("utf-8", "replace"), "application/trickle-ice-sdpfrag",
            self.options.ca)
        self.count(f"PATCH {status}", status)
        # Some are left to themselves.
        if self.mutator.random.randrange(20) > 0:
            status, _, _ = await rtc_peer.request("DELETE", session, ca=self.options.ca)
            self.count(f"DELETE {status}", status)

    def count(self, what, status=0):
        self.sent += what.startswith(("POST", "message"))
        self.answers[what] += 1
        if status >= 500 and status != 503:
            raise rtc_peer.Gone(f"{what}, message {self.sent}")

    async def websocket(self):
        """Some messages over one WebSocket, until the server has had enough of it."""
        async with rtc_peer.Signals(self.options.url, self.options.ca) as signals:
            heard = asyncio.Queue()
            reading = rtc_peer.beside(self.read(signals, heard), lambda why: heard.put_nowait("closed"))
            try:
                await self.random_of((self.flood, self.talk, self.talk, self.talk, self.talk))(signals, heard)
                # The answer to this one says that all before was read.
                await signals.send({"type": "ping", "t": -self.sent})
                if not await self.hear(heard, ("pong", "closed"), 30):
                    raise Hung(f"no pong within 30 s, message {self.sent}")
            except Hung:
                raise
            except rtc_peer.Gone:
                self.count("closed")
            finally:
                reading.cancel()

    def random_of(self, several):
        return self.mutator.random.choice(several)

    async def read(self, signals, heard):
        while True:
            message = await signals.receive()
            kind = message.get("type")
            self.answers[kind] += 1
            if kind != "pong" or message.get("t") == -self.sent:
                heard.put_nowait(kind)

    async def hear(self, heard, kinds, limit_s):
        """The first of `kinds` that is heard; None when there is none in time."""
        async def wait():
            while (kind := await heard.get()) not in kinds:
                pass
            return kind
        try:
            return await asyncio.wait_for(wait(), limit_s)
        except asyncio.TimeoutError:
            return None

    async def send(self, signals, text):
        self.count("message")
        await signals.send(text)

    async def flood(self, signals, _):
        for _ in range(self.random_of((1, 5, 20))):
            await self.send(signals, self.mutator.message())
            await asyncio.sleep(0)

    async def talk(self, signals, heard):
        """An offer that may be good enough, and what would follow."""
        await self.send(signals, clean({"type": "offer", "sdp": self.mutator.offer()}))
        if await self.hear(heard, ("answer", "error", "closed"), 5) != "answer":
            return
        for _ in range(self.mutator.random.randrange(3)):
            await self.send(signals, clean({"candidate": {"candidate": self.mutator.candidate(), "sdpMLineIndex": 0}}))
        if self.mutator.random.randrange(2) == 0:
            await self.hear(heard, ("offer", "error", "closed"), 0.2)
            await self.send(signals, clean({"type": "answer", "sdp": self.mutator.offer()}))
            await self.hear(heard, ("offer", "error", "closed"), 0.2)

    async def check(self):
        """A good session."""
        options = self.options
        common = ["--timeout", "30"] + (["--ca", options.ca] if options.ca else [])
        if options.kind == "ingest":
            sender = webrtc_sender.Sender(webrtc_sender.parse(
                [options.url, "--count", "3", "--junk", "10", "--seed", str(self.sent), "--quiet"] + common))
            why = await sender.run()
        else:
            why = (await webrtc_viewer.Viewer(webrtc_viewer.parse([options.url, "--frames", "2"] + common)).run()).get("error")
        if why:
            raise rtc_peer.Gone(f"a good session after {self.sent} messages: {why}")
        self.good += 1

    async def run(self):
        one = self.whep if self.options.kind == "whep" else self.websocket
        why = None
        try:
            await self.check()
            while self.sent < self.options.count:
                checked = self.sent // self.options.every
                await one()
                if self.sent // self.options.every > checked:
                    await self.check()
            await self.check()
        except rtc_peer.Gone as gone:
            why = str(gone)
        return {"sent": self.sent, "good": self.good, "answers": self.answers} | ({"error": why} if why else {})


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--kind", choices=["whep", "ws", "ingest"], required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=200, help="messages between good sessions")
    parser.add_argument("--ca", help="file with the authority of the server's certificate")
    return parser.parse_args()


async def main():
    result = await Hostile(parse()).run()
    print(json.dumps(result), flush=True)
    return 1 if "error" in result else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
