#!/usr/bin/env python3
"""Reads a stream of mjpeg-serve with nothing but the standard library, and says what comes: watch.py [URL]

Every part has a Content-Length, so no byte of a picture is looked at to find its end. For pictures as arrays:
cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR).
"""
import sys
import time
import urllib.request


def frames(url):
    """Yields each frame as (headers, jpeg)."""
    with urllib.request.urlopen(url, timeout=30) as stream:
        while line := stream.readline():
            if not line.startswith(b"--"):
                continue  # the line end behind a picture
            headers = {}
            while line := stream.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            yield headers, stream.read(int(headers["content-length"]))


if __name__ == "__main__":
    try:
        for headers, jpeg in frames(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/stream"):
            age_ms = (time.time() - float(headers["x-timestamp"])) * 1000
            extra = {name: value for name, value in headers.items() if name.startswith("x-")}
            print(f"{len(jpeg)} bytes, {age_ms:.1f} ms old, {extra}", flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
