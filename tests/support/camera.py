"""A camera that speaks HTTP, well or badly: camera.py FOLDER. Prints its port.

The path says what it is asked for; what it sends is in files of FOLDER:
  /stream/FILE        FILE behind a head that announces a multipart stream
  /length/N/FILE      the same with a Content-Length of N
  /chunked/FILE       the same in chunks of 1000 bytes, with an extension and a trailer
  /typed/TYPE/FILE    FILE as that type ("image-jpeg" for image/jpeg)
  /raw/FILE           FILE and nothing else: its own head, or none
  /hold/...           any of these, and then silence
  /slow               a head that never comes
  /redirect/N/...     to /redirect/N-1/..., and at 0 to the rest
  /digest/...         only with user "me" and password "geheim", by Digest
  /status/N           that status
Each request is a line of FOLDER/requests: path, User-Agent, Accept, the kind of Authorization.
"""
import hashlib
import re
import socketserver
import sys
import threading

FOLDER = sys.argv[1]
STREAM = "multipart/x-mixed-replace; boundary=frame"
LOCK = threading.Lock()


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Camera(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) < 2:
            return
        headers = {}
        while (header := self.rfile.readline().decode("latin-1").strip()):
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        kind = headers.get("authorization", "none").split()[0]
        with LOCK, open(FOLDER + "/requests", "a", encoding="latin-1") as log:
            print(line[1], headers.get("user-agent"), headers.get("accept"), kind, file=log)
        try:
            self.answer(line[1], headers)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self, path, headers):
        _, word, *rest = path.split("?")[0].split("/")
        rest_path = "/" + "/".join(rest)
        if word == "hold":
            self.answer(rest_path, headers)
            self.wait_for_the_end()
        elif word == "slow":
            self.wait_for_the_end()
        elif word == "redirect":
            count, target = int(rest[0]), "/" + "/".join(rest[1:])
            self.head("302 Found", "text/html", Location=target if count == 0 else f"/redirect/{count - 1}{target}")
        elif word == "status":
            self.head(rest[0] + " As Asked", "text/plain")
        elif word == "digest":
            if self.digest_is_right(path, headers.get("authorization", "")):
                self.answer(rest_path, headers)
            else:
                self.head("401 Unauthorized", "text/html",
                          **{"WWW-Authenticate": 'Digest realm="cam", nonce="n0", qop="auth", algorithm=MD5'})
        elif word == "stream":
            self.head("200 OK", STREAM)
            self.send(rest[0])
        elif word == "length":
            self.head("200 OK", STREAM, **{"Content-Length": rest[0]})
            self.send(rest[1])
        elif word == "typed":
            self.head("200 OK", rest[0].replace("-", "/"))
            self.send(rest[1])
        elif word == "chunked":
            self.head("200 OK", STREAM, **{"Transfer-Encoding": "chunked"})
            data = self.read(rest[0])
            for at in range(0, len(data), 1000):
                piece = data[at:at + 1000]
                self.wfile.write(b"%x;n=1\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\nX-Trailer: 1\r\n\r\n")
        else:
            self.send(rest[0])

    def digest_is_right(self, path, header):
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', header.partition(" ")[2]))
        if not header.startswith("Digest ") or given.get("uri") != path:
            return False
        secret, request = md5("me:cam:geheim"), md5("GET:" + path)
        return given["response"] == md5(":".join([secret, "n0", given["nc"], given["cnonce"], "auth", request]))

    def head(self, status, kind, **headers):
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *(f"{name}: {value}" for name, value in headers.items())]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def read(self, name):
        with open(FOLDER + "/" + name, "rb") as file:
            return file.read()

    def send(self, name):
        self.wfile.write(self.read(name))

    def wait_for_the_end(self):
        self.wfile.flush()
        while self.rfile.read(1):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server(("127.0.0.1", 0), Camera) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
