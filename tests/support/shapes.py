#!/usr/bin/env python3
"""Pictures with a circle, a square and a triangle each, and where these are.

shapes.py DIR [--seed N]

Writes six JPEGs of 128x128 to 1280x720 into DIR, and truth.json: for each picture its objects, with label and box as
[x0, y0, x1, y1] in pixels. The same seed draws the same bytes with the same cjpeg; tests/data/detect was drawn with 77.
Backgrounds are dark in one picture and bright in the next, as the shapes are the other way round; all is noisy.
"""
import argparse
import json
import math
import pathlib
import subprocess

import numpy as np

LABELS = ("circle", "square", "triangle")
SIZES = ((640, 480), (640, 480), (1280, 720), (1280, 720), (320, 240), (128, 128))
SMALL = 3  # the picture whose shapes are smaller than the others'


def corners(label, radius):
    """Of a shape around the origin that stands upright, clockwise as it is seen."""
    if label == "square":
        return [(-radius, -radius), (radius, -radius), (radius, radius), (-radius, radius)]
    return [(0, -radius), (radius * .9, radius * .75), (-radius * .9, radius * .75)]


def draw(image, label, x, y, radius, angle, colour):
    """Paints the shape turned by `angle` around (x, y), and returns its box."""
    height, width, _ = image.shape
    down, right = np.mgrid[0:height, 0:width] + .5
    right, down = right - x, down - y
    if label == "circle":
        image[right * right + down * down <= radius * radius] = colour
        box = (x - radius, y - radius, x + radius, y + radius)
    else:
        cos, sin = math.cos(angle), math.sin(angle)
        u, v = right * cos + down * sin, down * cos - right * sin
        points = corners(label, radius)
        inside = np.ones_like(u, bool)
        for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1]):
            inside &= (bx - ax) * (v - ay) - (by - ay) * (u - ax) >= 0
        image[inside] = colour
        turned = [(x + px * cos - py * sin, y + px * sin + py * cos) for px, py in points]
        box = (min(p[0] for p in turned), min(p[1] for p in turned), max(p[0] for p in turned), max(p[1] for p in turned))
    return [round(float(edge), 1) for edge in box]


def picture(rng, number, width, height):
    """Returns the pixels, RGB, and the objects."""
    image = np.empty((height, width, 3))
    bright = number % 2 == 0
    image[:] = rng.uniform(150, 230, 3) if bright else rng.uniform(20, 90, 3)
    scale = max(width, height) / 128  # of the network's input
    objects = []
    for i, label in enumerate(LABELS):
        radius = (rng.uniform(8, 12) if number == SMALL else rng.uniform(10, 17)) * scale
        x = (i + .5) * width / len(LABELS)
        y = height / 2 + rng.uniform(-.15, .15) * height
        colour = rng.uniform(0, 90, 3) if image[0, 0].mean() > 120 else rng.uniform(150, 255, 3)
        box = draw(image, label, x, y, min(radius, height * .3), rng.uniform(-.2, .2), colour)
        objects.append({"label": label, "box": box})
    return (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype("u1"), objects


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1001)
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(given.seed)
    truth = {}
    for number, (width, height) in enumerate(SIZES):
        pixels, objects = picture(rng, number, width, height)
        name = f"shapes{number}_{width}x{height}"
        subprocess.run(["cjpeg", "-quality", "90", "-outfile", given.folder / f"{name}.jpg"],
                       input=b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes(), check=True)
        truth[name] = objects
    (given.folder / "truth.json").write_text(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main()
