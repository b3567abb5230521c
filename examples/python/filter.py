#!/usr/bin/env python3
# A filter for mjpeg-serve --filter: reads frames, says something about each, and writes it again.
import sys

for line in iter(sys.stdin.buffer.readline, b""):
    if line.startswith(b"--"):
        header = b"".join(iter(sys.stdin.buffer.readline, b"\r\n"))
        size = next(int(line[15:]) for line in header.splitlines() if line.startswith(b"Content-Length:"))
        jpeg = sys.stdin.buffer.read(size)
        header += b'X-Detections: {"model":"size","objects":[{"label":"%d bytes"}]}\r\n' % size
        sys.stdout.buffer.write(b"--frame\r\n" + header + b"\r\n" + jpeg + b"\r\n")
        sys.stdout.buffer.flush()
