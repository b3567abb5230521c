#!/usr/bin/env python3
"""A filter for the tests: finds what the header X-Square says, "X Y W H", as long as it is asked.

find-square.py [LABEL [MS [COUNT]]]; with the label "error" the picture cannot be worked on, with "closed" it is not
looked at, and after COUNT answers it gives no more.
"""
import json
import sys

label = sys.argv[1] if len(sys.argv) > 1 else "lid"
ms = float(sys.argv[2]) if len(sys.argv) > 2 else 7.5
left = int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize
source, sink = sys.stdin.buffer, sys.stdout.buffer


def detections(headers):
    if label == "error":
        return {"model": "squares", "error": "no square fits", "objects": []}
    square = next((value for name, value in headers if name.lower() == "x-square"), None)
    found = {"label": label, "confidence": 0.906, "box": [float(number) for number in (square or "").split()]}
    return {"model": "squares", "ms": ms, "objects": [found] if square else []}


while line := source.readline():
    if not line.strip().startswith(b"--"):
        continue
    headers = []
    while (line := source.readline().decode("ascii").strip()) != "":
        name, _, value = line.partition(":")
        headers.append((name.strip(), value.strip()))
    length = next(int(value) for name, value in headers if name.lower() == "content-length")
    jpeg = source.read(length)
    if left == 0:
        continue
    left -= 1
    if label != "closed":
        headers.append(("X-Detections", json.dumps(detections(headers))))
    lines = ["--frame", *(f"{name}: {value}" for name, value in headers), "", ""]
    sink.write("\r\n".join(lines).encode("ascii") + jpeg + b"\r\n")
    sink.flush()
