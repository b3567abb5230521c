"""What the WebRTC peers of the tests share: aiortc (Debian's python3-aiortc), HTTP and WebSockets as a page would use them.

aiortc leaves loopback out. Here it uses one address alone, 127.0.0.1 unless use_network() is told otherwise, so that a
machine without a network can run the tests.
"""
import asyncio
import json
import ssl
import urllib.error
import urllib.request

import websockets
from aioice import ice
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

NOTHING = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


class Gone(Exception):
    """The server has closed the connection, or refused it."""


def use_network(address="127.0.0.1", relay_only=False):
    """`relay_only`: no address at all; what is left is that of a TURN server."""
    ice.get_host_addresses = lambda use_ipv4, use_ipv6: [] if relay_only else [address]


def tls(url, ca=None):
    """The context for `url`; None where it is not encrypted."""
    return ssl.create_default_context(cafile=ca) if url.startswith(("https:", "wss:")) else None


def peer_connection(turn=None):
    """`turn`: USER:PASSWORD@HOST:PORT."""
    if not turn:
        return RTCPeerConnection()
    user, _, at = turn.rpartition("@")
    name, _, password = user.partition(":")
    return RTCPeerConnection(RTCConfiguration([RTCIceServer(f"turn:{at}", name, password)]))


async def local_offer(pc):
    """Its SDP with all candidates."""
    await pc.setLocalDescription(await pc.createOffer())
    return pc.localDescription.sdp


async def take(pc, kind, sdp):
    await pc.setRemoteDescription(RTCSessionDescription(sdp, kind))


async def take_candidate(pc, message):
    """In any of the shapes of lib/rtc/message.h; what says that there will be no more is left out."""
    inside = message["candidate"]
    if isinstance(inside, dict):
        message = inside
    text = message["candidate"]
    if not text:
        return
    candidate = candidate_from_sdp(text.removeprefix("candidate:"))
    candidate.sdpMid = message.get("sdpMid")
    candidate.sdpMLineIndex = message.get("sdpMLineIndex")
    await pc.addIceCandidate(candidate)


def beside(work, fail):
    """Runs `work` besides; calls fail(why) when it raises."""
    def ended(task):
        if not task.cancelled() and task.exception():
            fail(str(task.exception()) or repr(task.exception()))
    task = asyncio.ensure_future(work)
    task.add_done_callback(ended)
    return task


def pair(pc):
    """The types of the two ends' candidates that are used: ("host", "prflx")."""
    transports = [t.receiver.transport for t in pc.getTransceivers()]
    if pc.sctp:
        transports.append(pc.sctp.transport)
    for transport in transports:
        for nominated in transport.transport._connection._nominated.values():
            return nominated.local_candidate.type, nominated.remote_candidate.type
    return None


async def request(method, url, body=None, kind=None, ca=None):
    """(status, headers, body as bytes), also of refusals. Raises Gone when there is no answer."""
    def ask():
        asked = urllib.request.Request(url, data=body, method=method)
        if kind:
            asked.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(asked, timeout=30, context=tls(url, ca)) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, refused.read()
        except OSError as error:
            raise Gone(f"{method} {url}: {error}") from error
    return await asyncio.to_thread(ask)


class Signals:
    """JSON over a WebSocket: `async with Signals(url, ca) as signals`."""

    def __init__(self, url, ca=None):
        self._url = url
        self._ca = ca
        self._socket = None

    async def __aenter__(self):
        try:
            self._socket = await websockets.connect(
                self._url, ssl=tls(self._url, self._ca), max_size=None, open_timeout=30, close_timeout=5)
        except (OSError, websockets.WebSocketException, asyncio.TimeoutError) as error:
            raise Gone(f"{self._url}: {error}") from error
        return self

    async def __aexit__(self, *_):
        await self._socket.close()

    async def send(self, message):
        """An object as JSON, a string as it is."""
        try:
            await self._socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
        except websockets.ConnectionClosed as closed:
            raise Gone(f"{self._url}: {closed}") from closed

    async def receive(self):
        try:
            return json.loads(await self._socket.recv())
        except websockets.ConnectionClosed as closed:
            raise Gone(f"{self._url}: {closed}") from closed
