#!/usr/bin/env python3
"""Windows of 30 frames in which a bright disc swipes to the left, to the right, up, down, or stays.

gestures.py DIR [--seed N] [--vary]

Writes LABEL.mjpeg into DIR for each label: grey JPEGs of 320x240, one behind the other, and truth.json, which names the
label of each file. The same seed draws the same bytes with the same cjpeg; tests/data/detect was drawn with 3. The disc
sets out at the sixth frame and arrives 18 frames later; each frame has noise of its own. With --vary it is also brighter or
darker than its surroundings, larger or smaller, sets out and arrives at other times, and off the middle.
"""
import argparse
import json
import pathlib
import subprocess

import numpy as np

FRAMES = 30
WIDTH, HEIGHT = 320, 240
DIRECTIONS = {"swipe-left": (-1, 0), "swipe-right": (1, 0), "swipe-up": (0, -1), "swipe-down": (0, 1), "none": (0, 0)}


class Disc:
    """How it looks and goes: as always, or as a generator has it."""

    def __init__(self, rng=None):
        self.ground, self.grey, self.radius, self.begin, self.frames, self.aside = 90., 200., .12, 5, 18, 0.
        if rng is not None:
            self.ground = rng.uniform(90, 160)
            self.grey = self.ground + rng.choice((-1, 1)) * rng.uniform(65, 90)
            self.radius, self.aside = rng.uniform(.09, .15), rng.uniform(-.15, .15)
            self.begin, self.frames = rng.integers(1, 8), rng.integers(12, 20)

    def place(self, frame, direction):
        """Of its middle, from 0 to 1."""
        way = np.clip((frame - self.begin) / self.frames, 0, 1) - .5
        return (.5 + part * way * .8 + (0 if part else self.aside) for part in direction)


def window(rng, direction, disc):
    down, right = np.mgrid[0:HEIGHT, 0:WIDTH]
    for i in range(FRAMES):
        x, y = disc.place(i, direction)
        image = np.full((HEIGHT, WIDTH), disc.ground) + rng.normal(0, 5, (HEIGHT, WIDTH))
        image[((right - x * WIDTH) / (WIDTH * disc.radius)) ** 2 + ((down - y * HEIGHT) / (HEIGHT * disc.radius)) ** 2 < 1] = disc.grey
        yield image.clip(0, 255).astype("u1")


def jpeg(pixels):
    return subprocess.run(["cjpeg", "-grayscale", "-quality", "85"], check=True, stdout=subprocess.PIPE,
                          input=b"P5\n%d %d\n255\n" % (WIDTH, HEIGHT) + pixels.tobytes()).stdout


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1001)
    arguments.add_argument("--vary", action="store_true")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(given.seed)
    for label, direction in DIRECTIONS.items():
        disc = Disc(rng if given.vary else None)
        (given.folder / f"{label}.mjpeg").write_bytes(b"".join(map(jpeg, window(rng, direction, disc))))
    truth = {f"{label}.mjpeg": label for label in DIRECTIONS}
    (given.folder / "truth.json").write_text(json.dumps(truth, indent=1))


if __name__ == "__main__":
    main()
