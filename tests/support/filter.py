# What the filters of tests have in common: frames come in, frames go out.
import os, sys, time


def frames(stream=sys.stdin.buffer):
    """Header, by names in lower case, and picture of each part."""
    while line := stream.readline():
        if not line.startswith(b"--"):
            continue
        header = {}
        while (line := stream.readline()).strip():
            name, value = line.decode().split(":", 1)
            header[name.lower()] = value.strip()
        yield header, stream.read(int(header["content-length"]))


def write(picture, header=None, *more):
    """A part with the X- lines of `header`, but for orders, and `more`."""
    lines = ["--frame", "Content-Type: image/jpeg", "Content-Length: %d" % len(picture)]
    for name, value in (header or {}).items():
        if name.startswith("x-") and name not in ("x-gate", "x-overlay"):
            lines.append(name + ": " + value)
    head = "\r\n".join([*lines, *more, "", ""])
    sys.stdout.buffer.write(head.encode() + picture + b"\r\n")
    sys.stdout.buffer.flush()
