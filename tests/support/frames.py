#!/usr/bin/env python3
"""An independent reader of multipart streams for the tests: strict, small, and nothing of ours in it.

frames.py count FILE             how many whole frames FILE holds
frames.py list FILE              one line for each: SHA1 SIZE SEQUENCE CAMERA SIGNAL ("-" where there is none)
frames.py headers FILE           one line for each part: its headers as JSON
frames.py payloads FILE [TYPE]   all pictures (or parts of another TYPE), one behind the other
frames.py split FILE PREFIX      PREFIX1.jpg, PREFIX2.jpg, ...
frames.py tail FILE              what is left behind the last whole frame
frames.py strip-tables IN OUT    the JPEG without its DHT segments, as UVC cameras send them
frames.py advance FILE           as list, for parts without a length: those that the whole head of the next one follows

A frame is whole with the line end behind it. What is left at the end is no error: the file may still grow.
"""
import hashlib
import json
import sys


def parts(data):
    """Yields (headers, payload, end) of each whole part with a Content-Length."""
    at = 0
    while True:
        while data[at:at + 2] == b"\r\n":
            at += 2
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            return
        lines = data[at:end].decode("latin-1").split("\r\n")
        if not lines[0].startswith("--"):
            sys.exit(f"no boundary at byte {at}: {lines[0][:60]!r}")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                sys.exit(f"no header: {line[:60]!r}")
            headers[name.lower()] = value.strip()
        begin = end + 4
        stop = begin + int(headers["content-length"])
        if len(data) < stop + 2:
            return
        if data[stop:stop + 2] != b"\r\n":
            sys.exit(f"no line end behind the part at byte {at}")
        yield headers, data[begin:stop], stop + 2
        at = stop + 2


def pictures(data):
    for headers, payload, end in parts(data):
        if headers.get("content-type", "").startswith("image/"):
            yield headers, payload, end


def advance_pictures(data):
    first = data.split(b"\r\n", 1)[0]
    *whole, head = (b"\r\n" + data).split(b"\r\n" + first + b"\r\n")
    if not head.endswith(b"\r\n\r\n"):
        whole = whole[:-1]  # the head of the next part is not whole yet
    for piece in whole:
        payload = piece.partition(b"\r\n\r\n")[2]
        if payload.startswith(b"\xff\xd8") and payload.endswith(b"\xff\xd9"):
            yield {}, payload, 0


def without_tables(jpeg):
    out = bytearray(jpeg[:2])
    at = 2
    while jpeg[at + 1] != 0xDA:
        size = 2 + int.from_bytes(jpeg[at + 2:at + 4], "big")
        if jpeg[at + 1] != 0xC4:
            out += jpeg[at:at + size]
        at += size
    return bytes(out) + jpeg[at:]


def show(found):
    for headers, payload, _ in found:
        print(hashlib.sha1(payload).hexdigest(), len(payload),
              *(headers.get(name, "-") for name in ("x-sequence", "x-camera", "x-signal")))


def main(word, path, *more):
    with open(path, "rb") as file:
        data = file.read()
    if word == "count":
        print(sum(1 for _ in pictures(data)))
    elif word == "list":
        show(pictures(data))
    elif word == "advance":
        show(advance_pictures(data))
    elif word == "headers":
        for headers, _, _ in parts(data):
            print(json.dumps(headers))
    elif word == "payloads":
        wanted = more[0] if more else "image/"
        for headers, payload, _ in parts(data):
            if headers.get("content-type", "").startswith(wanted):
                sys.stdout.buffer.write(payload)
                if more:
                    sys.stdout.buffer.write(b"\n")
    elif word == "split":
        for number, (_, payload, _) in enumerate(pictures(data), 1):
            with open(f"{more[0]}{number}.jpg", "wb") as file:
                file.write(payload)
    elif word == "tail":
        end = 0
        for _, _, end in parts(data):
            pass
        sys.stdout.buffer.write(data[end:])
    elif word == "strip-tables":
        with open(more[0], "wb") as file:
            file.write(without_tables(data))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
