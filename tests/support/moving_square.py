#!/usr/bin/python3
"""A square that is somewhere else in each frame, so that detections tell which picture they were found in.

moving_square.py make DIR            one picture for each place, and an empty one
moving_square.py stream DIR --frames N [--fps RATE] [--begin N] [--empty N]
    a stream of mjpeg-frames(5) on standard output: the square of the frame with X-Sequence S is at place S modulo PLACES,
    after --empty frames without it; --fps 0 (the usual) as fast as it is read, with times a tenth of a second apart
moving_square.py check DIR FILE [--every] [--found N] [--label NAME]
    FILE is such a stream behind frame-detect: each picture must be byte for byte the one of its X-Sequence, which only
    grows, and its X-Detections, if there are any, must have one NAME where the square of that picture is. --every: all
    frames have them; --found: so many at least. Prints how many frames there are, and how many with detections.

The shapes' network of tests/data/detect finds the square.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np

import detections
import frames
import shapes

PLACES = 7
SIZE = 256
RADIUS = 26
BEGIN = 1700000000


def centre(sequence):
    place = sequence % PLACES
    return 40 + 29 * place, 60 + 22 * (place * 3 % PLACES)


def box(sequence):
    x, y = centre(sequence)
    return [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS]


def make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for place in (*range(PLACES), None):
        rng = np.random.default_rng(5)
        image = np.full((SIZE, SIZE, 3), (60., 70., 55.))
        if place is not None:
            shapes.draw(image, "square", *centre(place), RADIUS, 0, np.array((230., 200., 210.)))
        pixels = (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype("u1")
        name = "empty.jpg" if place is None else f"{place}.jpg"
        subprocess.run(["cjpeg", "-quality", "90", "-outfile", folder / name],
                       input=b"P6\n%d %d\n255\n" % (SIZE, SIZE) + pixels.tobytes(), check=True)


def pictures(folder):
    return [(folder / f"{place}.jpg").read_bytes() for place in range(PLACES)]


def stream(given):
    jpegs = pictures(given.folder)
    empty = (given.folder / "empty.jpg").read_bytes()
    begin = time.monotonic()
    for i in range(given.frames):
        sequence = given.begin + i
        captured = BEGIN + sequence / 10
        if given.fps:
            time.sleep(max(0, begin + i / given.fps - time.monotonic()))
            captured = time.time()
        jpeg = empty if i < given.empty else jpegs[sequence % PLACES]
        head = (f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Timestamp: {captured:.6f}\r\n"
                f"X-Sequence: {sequence}\r\n\r\n")
        sys.stdout.buffer.write(head.encode() + jpeg + b"\r\n")
        sys.stdout.buffer.flush()


def check(given):
    jpegs = pictures(given.folder)
    last, count, found = -1, 0, 0
    for headers, payload, _ in frames.pictures(given.file.read_bytes()):
        sequence = int(headers["x-sequence"])
        words = f"frame {sequence}"
        if sequence <= last:
            sys.exit(f"{words}: comes after {last}")
        if payload != jpegs[sequence % PLACES]:
            sys.exit(f"{words}: has another picture")
        last, count = sequence, count + 1
        if "x-detections" not in headers:
            if given.every:
                sys.exit(f"{words}: nobody has looked at it")
            continue
        found += 1
        objects = detections.checked(json.loads(headers["x-detections"]))["objects"]
        if len(objects) != 1 or objects[0]["label"] != given.label:
            sys.exit(f"{words}: {objects} and not one {given.label}")
        iou = detections.overlap(detections.edges(objects[0]["box"]), box(sequence))
        if iou < .6:  # of neighbouring places it is .23 at most
            sys.exit(f"{words}: {objects[0]['box']} is not where its square is, {box(sequence)}: IoU {iou:.2f}")
    print(count, found)
    if found < given.found:
        sys.exit(f"{found} frames with detections, wanted {given.found}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = arguments.add_subparsers(required=True)
    making, streaming, checking = (ways.add_parser(name) for name in ("make", "stream", "check"))
    for way in (making, streaming, checking):
        way.add_argument("folder", type=pathlib.Path)
    making.set_defaults(run=lambda given: make(given.folder))
    streaming.set_defaults(run=stream)
    streaming.add_argument("--frames", type=int, required=True)
    streaming.add_argument("--fps", type=float, default=0)
    streaming.add_argument("--begin", type=int, default=0)
    streaming.add_argument("--empty", type=int, default=0)
    checking.set_defaults(run=check)
    checking.add_argument("file", type=pathlib.Path)
    checking.add_argument("--every", action="store_true")
    checking.add_argument("--found", type=int, default=0)
    checking.add_argument("--label", default="square")
    given = arguments.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
