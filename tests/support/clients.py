#!/usr/bin/env python3
"""How well-known programs read a stream or a snapshot: what each of them needs, in a few lines, and nothing of ours.

clients.py mainsail URL ORIGIN COUNT...  Mainsail and Fluidd: a script of another origin, which connects anew after each
                                         COUNT of frames; one line for each: its SHA1
clients.py still URL [USER:PASSWORD]     Home Assistant: a picture out of a stream
clients.py proxy URL                     Home Assistant: hands the stream on to its own viewers; prints its port
clients.py snapshot URL [USER:PASSWORD]  OctoPrint: a picture for a time lapse
clients.py puller URL COUNT              ZoneMinder: a stream, or a snapshot again and again; SHA1s as above
clients.py keepalive URL COUNT           motion: snapshots over one connection; SHA1s as above

Certificates are not looked at, as each of these programs can be told.
"""
import base64
import hashlib
import http.client
import http.server
import re
import socket
import ssl
import sys
import time
import urllib.parse
import urllib.request

TIMEOUT_S = 30


def say(jpeg):
    print(hashlib.sha1(jpeg).hexdigest(), flush=True)


def ask(url, headers=(), login=None):
    request = urllib.request.Request(url, headers={"Accept": "*/*", **dict(headers)})
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    return urllib.request.urlopen(request, timeout=TIMEOUT_S, context=ssl._create_unverified_context())


def chunks(answer):
    while chunk := answer.read1(4096):
        yield chunk


def mainsail(url, origin, *counts):
    """A frame begins with FF D8, all before that is its header; it is shown when one more byte than its length came."""
    for count in map(int, counts):
        stamp = ("&" if "?" in url else "?") + f"timestamp={time.time_ns() // 1000000}"
        with ask(url + stamp, {"Origin": origin, "Sec-Fetch-Mode": "cors"}) as answer:
            if answer.headers["Access-Control-Allow-Origin"] not in ("*", origin):
                sys.exit("a browser would not let the page read this")
            data = b""
            while count > 0:
                start = data.find(b"\xff\xd8")
                length = re.search(rb"content-length: *(\d+)", data[:max(start, 0)], re.IGNORECASE)
                if start >= 0 and not length:
                    sys.exit("a frame without a Content-Length")
                if start < 0 or len(data) <= start + int(length[1]):
                    data += next(chunks(answer))
                    continue
                say(data[start:start + int(length[1])])
                data = data[start + int(length[1]):]
                count -= 1


def still(url, login=None):
    """From the first FF D8 to the first FF D9."""
    with ask(url, login=login) as answer:
        data = b""
        while (end := data.find(b"\xff\xd9")) < 0:
            data += next(chunks(answer))
    sys.stdout.buffer.write(data[data.find(b"\xff\xd8"):end + 2])


def proxy(url):
    """The bytes and the Content-Type as they come; what this proxy's own viewer asks for is not passed on."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with ask(url) as answer:
                self.send_response(200)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.end_headers()
                for chunk in chunks(answer):
                    self.wfile.write(chunk)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


def snapshot(url, login=None):
    with ask(url, {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}, login) as answer:
        if not answer.headers["Content-Type"].startswith("image/"):
            sys.exit(f"no picture but {answer.headers['Content-Type']}")
        sys.stdout.buffer.write(answer.read())


class Puller:
    """HTTP by hand: version 1.0, yet 'Keep-Alive', a Host without the port, header lines found with regular expressions."""

    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((where.hostname, where.port), TIMEOUT_S)
        path = where.path + (f"?{where.query}" if where.query else "")
        self.socket.sendall(f"GET {path} HTTP/1.0\r\nUser-Agent: puller/1.0\r\nHost: {where.hostname}\r\n"
                            "Connection: Keep-Alive\r\n\r\n".encode())
        self.data = b""

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            sys.exit("the server closed the connection")
        self.data += data

    def take(self, pattern):
        """What matches at the beginning, as soon as it is there."""
        while not (found := re.match(pattern, self.data, re.DOTALL)):
            self.more()
        self.data = self.data[found.end():]
        return found[1]

    def take_picture(self, head):
        if not re.search(rb"content-type: ?image/jpe?g\r?\n", head, re.IGNORECASE):
            sys.exit(f"no picture: {head!r}")
        length = int(re.search(rb"content-length: ?([0-9]+)\r?\n", head, re.IGNORECASE)[1])
        while len(self.data) < length:
            self.more()
        jpeg, self.data = self.data[:length], self.data[length:]
        return jpeg


def puller(url, count):
    at = Puller(url)
    for number in range(int(count)):
        if number == 0 or not boundary:
            if number:
                at = Puller(url)
            head = at.take(rb"(.+?\r?\n\r?\n)")
            if not re.match(rb"HTTP/1\.[01] +2[0-9][0-9] +.", head):
                sys.exit(head.decode())
            boundary = re.search(rb"content-type: ?multipart/x-mixed-replace; ?boundary=(.+?)\r?\n", head, re.IGNORECASE)
        if boundary:
            head = at.take(rb"((?:\r?\n){0,2}(?:--)?" + re.escape(boundary[1]) + rb"\r?\n.+?\r?\n\r?\n)")
        say(at.take_picture(head))


def keepalive(url, count):
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=TIMEOUT_S)
    connection.connect()
    first = connection.sock
    for _ in range(int(count)):
        connection.request("GET", where.path + (f"?{where.query}" if where.query else ""))
        answer = connection.getresponse()
        say(answer.read())
        if connection.sock is not first:
            sys.exit("the server closed the connection")


if __name__ == "__main__":
    patterns = {"mainsail": mainsail, "still": still, "proxy": proxy, "snapshot": snapshot, "puller": puller,
                "keepalive": keepalive}
    patterns[sys.argv[1]](*sys.argv[2:])
