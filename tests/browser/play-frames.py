#!/usr/bin/env python3
"""Writes the frames of a folder as mjpeg-frames(5), again and again: play-frames.py FOLDER FPS.

NAME.jpg goes with the header lines of NAME.txt.
"""
import pathlib
import sys
import time

folder, fps = pathlib.Path(sys.argv[1]), float(sys.argv[2])
frames = []
for path in sorted(folder.glob("*.jpg")):
    lines = path.with_suffix(".txt").read_text("ascii").splitlines()
    frames.append((lines, path.read_bytes()))

sequence = 0
due = time.monotonic()
while True:
    lines, jpeg = frames[sequence % len(frames)]
    head = [
        "--frame",
        "Content-Type: image/jpeg",
        f"Content-Length: {len(jpeg)}",
        f"X-Timestamp: {time.time():.6f}",
        f"X-Sequence: {sequence}",
        *lines,
    ]
    sys.stdout.buffer.write("\r\n".join([*head, "", ""]).encode("ascii") + jpeg + b"\r\n")
    sys.stdout.buffer.flush()
    sequence += 1
    due = max(due + 1 / fps, time.monotonic() - 1)
    time.sleep(max(0.0, due - time.monotonic()))
