#!/usr/bin/env python3
"""Windows of 30 frames in which a bright disc swipes to the left, to the right, up, down, or stays.

gestures.py DIR [--seed N]

Writes LABEL.mjpeg into DIR for each label: grey JPEGs of 320x240, one behind the other, and truth.json, which names the
label of each file. The same seed draws the same bytes with the same cjpeg; tests/data/detect was drawn with 3. The disc
sets out at the sixth frame and arrives 18 frames later; each frame has noise of its own.
"""
import argparse
import json
import pathlib
import subprocess

import numpy as np

FRAMES = 30
WIDTH, HEIGHT = 320, 240
DIRECTIONS = {"swipe-left": (-1, 0), "swipe-right": (1, 0), "swipe-up": (0, -1), "swipe-down": (0, 1), "none": (0, 0)}


def window(rng, direction):
    down, right = np.mgrid[0:HEIGHT, 0:WIDTH]
    for i in range(FRAMES):
        way = np.clip((i - 5) / 18, 0, 1) - .5
        x, y = (.5 + part * way * .8 for part in direction)
        image = np.full((HEIGHT, WIDTH), 90.) + rng.normal(0, 5, (HEIGHT, WIDTH))
        image[((right - x * WIDTH) / (WIDTH * .12)) ** 2 + ((down - y * HEIGHT) / (HEIGHT * .12)) ** 2 < 1] = 200
        yield image.clip(0, 255).astype("u1")


def jpeg(pixels):
    return subprocess.run(["cjpeg", "-grayscale", "-quality", "85"], check=True, stdout=subprocess.PIPE,
                          input=b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT) + pixels.tobytes()).stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1001)
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(given.seed)
    for label, direction in DIRECTIONS.items():
        (given.folder / f"{label}.mjpeg").write_bytes(b"".join(map(jpeg, window(rng, direction))))
    truth = {f"{label}.mjpeg": label for label in DIRECTIONS}
    (given.folder / "truth.json").write_text(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main()
