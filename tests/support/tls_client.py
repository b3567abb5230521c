"""Peers of a TLS port, good and bad: tls_client.py PATTERN URL ARG...

late URL FILE     asks, reads the head, and reads on only when FILE is there: a viewer whose network stood still
many URL N COUNT  N viewers at once; each leaves when it has COUNT frames, and the last line says how many did
half URL N        N handshakes that begin and never end; waits until the server has closed them all
noise URL N       N connections that send random bytes, every other one behind the head of a TLS record
"""
import os
import random
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

TIMEOUT_S = 30
CONTEXT = ssl._create_unverified_context()


def connect(url, window=None):
    peer = socket.socket()
    # Before connecting, when the window is agreed on: what the kernel holds for a slow reader hides it.
    if window:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    peer.settimeout(TIMEOUT_S)
    peer.connect((url.hostname, url.port))
    return peer


def ask(url, window=None):
    peer = CONTEXT.wrap_socket(connect(url, window), server_hostname=url.hostname)
    peer.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
    return peer


def late(url, file):
    peer = ask(url, 8192)
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(4096)
    sys.stdout.buffer.write(data.partition(b"\r\n\r\n")[2])
    sys.stdout.buffer.flush()
    print("waiting", file=sys.stderr, flush=True)
    while not os.path.exists(file):
        time.sleep(0.01)
    while data := peer.recv(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def many(url, viewers, count):
    whole = []

    def watch():
        peer = ask(url)
        data = b""
        while data.count(b"\xff\xd9\r\n--") < int(count) and (more := peer.recv(65536)):
            data += more
        peer.close()
        whole.append(data.count(b"\xff\xd9\r\n--") >= int(count))

    threads = [threading.Thread(target=watch) for _ in range(int(viewers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(whole))


def half(url, count):
    # A real beginning: the first bytes of what a client says.
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = CONTEXT.wrap_bio(incoming, outgoing, server_hostname=url.hostname)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = outgoing.read()
    peers = [connect(url) for _ in range(int(count))]
    for number, peer in enumerate(peers):
        # Nothing, a byte, all but one, and the whole of it with nothing behind.
        peer.sendall([b"", hello[:1], hello[:-1], hello][number % 4])
    for peer in peers:
        try:
            while peer.recv(65536):
                pass
        except ConnectionResetError:
            pass


def noise(url, count):
    numbers = random.Random(1)
    for number in range(int(count)):
        peer = connect(url)
        data = numbers.randbytes(numbers.randrange(1, 5000))
        if number % 2:
            data = b"\x16\x03\x01" + struct.pack(">H", numbers.randrange(1, 16384)) + b"\x01" + data
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass
        except (ConnectionResetError, BrokenPipeError, OSError):
            pass
        peer.close()


if __name__ == "__main__":
    patterns = {"late": late, "many": many, "half": half, "noise": noise}
    patterns[sys.argv[1]](urllib.parse.urlsplit(sys.argv[2]), *sys.argv[3:])
