#!/usr/bin/env python3
"""Whether the X-Detections of frame-detect are what they should be. Says what is not, and ends with 1.

detections.py truth FOUND TRUTH NAME [--iou .8] [--confidence .4]
    each object of NAME in TRUTH (label, box as x0, y0, x1, y1: tests/support/shapes.py) is found once, and nothing else
detections.py case FOUND CASE [--within 1e-4] [--no-labels]
    the objects of a CASE of tests/support/networks.py are found, in this order, to this precision: absolute below 1,
    else relative
detections.py label FOUND LABEL [--confidence .4]
    LABEL is recognised, and nothing else
detections.py near FOUND X Y WIDTH HEIGHT [X Y]... [--within 5]
    one object is found; its box and its first keypoints are within so many pixels of these
detections.py truncated FOUND
    objects were left out, and it says so; the surest come first

FOUND is a file, or - for standard input: one JSON object a line, or a stream of mjpeg-frames(5), of which the lines
"X-Detections: {...}" are taken. Each must be ASCII, at most 16 KiB, and of the shape that X-Detections have. The last one
counts; for `label` all of them.
"""
import argparse
import json
import math
import pathlib
import sys

MOST_HEADER_BYTES = 16 << 10


def detections(name):
    """Each that the file holds. Anything that is not as the contract has it ends the program."""
    data = sys.stdin.buffer.read() if name == "-" else pathlib.Path(name).read_bytes()
    lines = [line.strip() for line in data.splitlines()]
    lines = [line.partition(b":")[2] if line.lower().startswith(b"x-detections:") else line for line in lines]
    found = []
    for line in lines:
        line = line.strip()
        if not line.startswith(b"{"):
            continue
        if len(line) > MOST_HEADER_BYTES:
            sys.exit(f"{name}: {len(line)} bytes: too many for a header")
        if not line.isascii():
            sys.exit(f"{name}: not ASCII: {line[:80]!r}")
        found.append(checked(json.loads(line, parse_constant=lambda word: sys.exit(f"{name}: {word} is no JSON"))))
    if not found:
        sys.exit(f"{name}: no detections in it")
    return found


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def checked(one):
    """The shape that X-Detections must have; what else is in it is nobody's business here."""
    def demand(right, words):
        if not right:
            sys.exit(f"{words}: {json.dumps(one)[:300]}")

    demand("error" not in one, "an error instead of objects")
    demand(isinstance(one.get("model"), str), "no model")
    demand(is_number(one.get("ms")) and one["ms"] >= 0, "no ms")
    demand(isinstance(one.get("objects"), list), "no objects")
    for found in one["objects"]:
        demand(isinstance(found.get("label"), str), "no label")
        demand(is_number(found.get("confidence")) and 0 <= found["confidence"] <= 1, "no confidence from 0 to 1")
        if "box" in found:
            demand(len(found["box"]) == 4 and all(map(is_number, found["box"])), "a box that is not four numbers")
            demand(found["box"][2] >= 0 and found["box"][3] >= 0, "a box of negative size")
        for keypoint in found.get("keypoints", []):
            demand(len(keypoint) == 3 and all(map(is_number, keypoint)), "a keypoint that is not three numbers")
    return one


def overlap(a, b):
    """Intersection over union of two boxes given as x0, y0, x1, y1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0


def edges(box):
    return [box[0], box[1], box[0] + box[2], box[1] + box[3]]


def compare_truth(given):
    """Yields what is wrong."""
    truth = json.loads(pathlib.Path(given.truth).read_text())
    if given.name not in truth:
        sys.exit(f"{given.truth}: no {given.name} in it")
    found = detections(given.found)[-1]["objects"]
    left = [one for one in found if one["confidence"] >= given.confidence]
    worst = 1
    for wanted in truth[given.name]:
        words = f"{wanted['label']} at {wanted['box']}"
        same = [one for one in left if one["label"] == wanted["label"] and "box" in one]
        if not same:
            yield f"{words}: not found"
            continue
        best = max(same, key=lambda one: overlap(edges(one["box"]), wanted["box"]))
        iou = overlap(edges(best["box"]), wanted["box"])
        if iou < given.iou:
            yield f"{words}: the nearest is at {edges(best['box'])}, IoU {iou:.3f} and not {given.iou}"
        left.remove(best)
        worst = min(worst, iou)
    for extra in left:
        yield f"{extra['label']} at {extra.get('box')}: nothing is there"
    print(f"{given.name}: {len(truth[given.name])} objects, the worst IoU is {worst:.3f}")


def compare_case(given):
    case = json.loads(pathlib.Path(given.case).read_text())
    found = detections(given.found)[-1]["objects"]
    if "scores" in case:
        wanted = [{"label": case["label"], "confidence": case["scores"][case["class"]]}]
    else:
        wanted = case["objects"]
    if len(found) != len(wanted):
        yield f"{len(found)} objects and not {len(wanted)}"
    for i, (got, right) in enumerate(zip(found, wanted)):
        if right.get("label") and not given.no_labels and got["label"] != right["label"]:
            yield f"object {i}: {got['label']!r} and not {right['label']!r}"
        for key in ("confidence", "box", "keypoints"):
            if (key in got) != (key in right):
                yield f"object {i}: {key} {'is there' if key in got else 'is missing'}"
            elif key in right:
                yield from differences(f"object {i}: {key}", got[key], right[key], given.within)


def differences(words, got, right, within):
    if isinstance(right, list):
        if len(got) != len(right):
            yield f"{words}: {len(got)} of them and not {len(right)}"
        for i, (mine, other) in enumerate(zip(got, right)):
            yield from differences(f"{words} {i}", mine, other, within)
    elif abs(got - right) > within * max(1, abs(right)):
        yield f"{words}: {got} and not {right}"


def compare_label(given):
    labels = [one["label"] for each in detections(given.found) for one in each["objects"]
              if one["confidence"] >= given.confidence]
    if set(labels) != {given.label}:
        yield f"{sorted(set(labels)) or 'nothing'} recognised, and not {given.label}"


def compare_near(given):
    found = detections(given.found)[-1]["objects"]
    if len(found) != 1:
        yield f"{len(found)} objects and not one"
    for one in found:
        numbers = [*one["box"], *(number for point in one.get("keypoints", []) for number in point[:2])]
        for i, wanted in enumerate(given.numbers):
            if len(numbers) <= i or abs(numbers[i] - wanted) > given.within:
                yield f"number {i} of {numbers}: not within {given.within} of {wanted}"


def is_truncated(given):
    last = detections(given.found)[-1]
    if last.get("truncated") is not True:
        yield f"{len(last['objects'])} objects, and no word of others"
    confidences = [one["confidence"] for one in last["objects"]]
    if confidences != sorted(confidences, reverse=True):
        yield "the surest do not come first"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ways = arguments.add_subparsers(required=True)
    truth = ways.add_parser("truth")
    truth.set_defaults(compare=compare_truth)
    case = ways.add_parser("case")
    case.set_defaults(compare=compare_case)
    label = ways.add_parser("label")
    label.set_defaults(compare=compare_label)
    near = ways.add_parser("near")
    near.set_defaults(compare=compare_near)
    truncated = ways.add_parser("truncated")
    truncated.set_defaults(compare=is_truncated)
    for way in (truth, case, label, near, truncated):
        way.add_argument("found")
    near.add_argument("numbers", type=float, nargs="+")
    near.add_argument("--within", type=float, default=5)
    truth.add_argument("truth")
    truth.add_argument("name")
    truth.add_argument("--iou", type=float, default=.8)
    case.add_argument("case")
    case.add_argument("--within", type=float, default=1e-4)
    case.add_argument("--no-labels", action="store_true")
    label.add_argument("label")
    for way in (truth, label):
        way.add_argument("--confidence", type=float, default=.4)
    given = arguments.parse_args()
    wrong = list(given.compare(given))
    for words in wrong:
        print(words, file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
