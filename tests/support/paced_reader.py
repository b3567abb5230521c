"""A viewer that reads slowly until it is told otherwise: paced_reader.py URL BYTES_PER_SECOND FAST_FILE.

Writes what it gets behind the head to standard output. Once FAST_FILE is there it reads as fast as it can.
"""
import os
import socket
import sys
import time
import urllib.parse

PIECE = 4096

url = urllib.parse.urlsplit(sys.argv[1])
rate = float(sys.argv[2])
fast_file = sys.argv[3]

peer = socket.socket()
# Before connecting, when the window is agreed on: what the kernel holds for a slow reader is read at once, and hides it.
peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
peer.connect((url.hostname, url.port))
peer.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
head = b""
while b"\r\n\r\n" not in head:
    head += peer.recv(PIECE)
sys.stdout.buffer.write(head.partition(b"\r\n\r\n")[2])
due = time.monotonic()
while piece := peer.recv(PIECE):
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    if os.path.exists(fast_file):
        continue
    due = max(due + len(piece) / rate, time.monotonic())
    time.sleep(max(due - time.monotonic(), 0))
