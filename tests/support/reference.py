"""What a detector has to make of a picture, in numpy: the network's input, and objects out of its outputs.

Written from the makers' descriptions of their layouts and not from lib/detect, which the tests hold against it. All is in
float64 and plain loops: it is to be read, not to be fast.

An object is {"class": index, "confidence": 0 to 1, "box": [x, y, width, height], "keypoints": [[x, y, confidence], ...]},
in pixels of the frame; box and keypoints only where the layout has them. A box is cut to the frame, keypoints are not;
what lies wholly beside the frame is none.
"""
import math

import numpy as np

GREY = 114  # of the bars around a picture, in the YOLO family
RTMPOSE_MEAN = np.array([123.675, 116.28, 103.53])
RTMPOSE_DEVIATION = np.array([58.395, 57.12, 57.375])
BLAZE_GRIDS = ((16, 2), (8, 6))  # cells a side, anchors a cell
BLAZE_KEYPOINTS = 6


class Letterbox:
    """A frame scaled into an input with its aspect kept, in the middle. What is left over must be whole pixels: how
    halves are shared is nobody's standard."""

    def __init__(self, frame, size):
        self.frame, self.size = frame, size
        self.scale = min(size[0] / frame[0], size[1] / frame[1])
        self.scaled = [side * self.scale for side in frame]
        self.bars = [(whole - part) / 2 for whole, part in zip(size, self.scaled)]
        for number in (*self.scaled, *self.bars):
            assert abs(number - round(number)) < 1e-9, (frame, size)

    def apply(self, pixels):
        """RGB height x width x 3 in, the same of the input's size out. Where it has to be scaled it is of one colour."""
        if pixels.shape[1] == self.size[0] and pixels.shape[0] == self.size[1]:
            return pixels.astype(float)
        assert (pixels == pixels[0, 0]).all(), "only a picture of one colour is scaled the same by everybody"
        result = np.full((self.size[1], self.size[0], 3), float(GREY))
        left, top = (round(bar) for bar in self.bars)
        width, height = (round(side) for side in self.scaled)
        result[top:top + height, left:left + width] = pixels[0, 0]
        return result

    def point(self, x, y):
        return [(x - self.bars[0]) / self.scale, (y - self.bars[1]) / self.scale]

    def box(self, x0, y0, width, height):
        return [*self.point(x0, y0), width / self.scale, height / self.scale]


def network_input(layout, pixels):
    """The tensor of a letterboxed picture."""
    if layout == "blazeface":
        return (pixels / 127.5 - 1)[None]
    if layout == "rtmpose":
        return ((pixels - RTMPOSE_MEAN) / RTMPOSE_DEVIATION).transpose(2, 0, 1)[None]
    if layout == "yolox":
        return pixels[:, :, ::-1].transpose(2, 0, 1)[None]
    return (pixels / 255).transpose(2, 0, 1)[None]


def cells(size):
    """(column, row, stride) of each place of the YOLO family, in their order."""
    return [(x, y, stride) for stride in (8, 16, 32) for y in range(size[1] // stride) for x in range(size[0] // stride)]


def centred(cx, cy, width, height):
    return [cx - width / 2, cy - height / 2, width, height]


def overlap(a, b):
    """Intersection over union of two [x, y, width, height]."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def candidates(layout, outputs, size):
    """Everything that the outputs (by name) claim, in pixels of the input."""
    if layout == "blazeface":
        yield from faces(outputs, size)
    elif layout == "rtmpose":
        yield person(outputs, size)
    elif layout in ("yolov5", "yolox"):
        for row, (x, y, stride) in zip(outputs["output"][0], cells(size) * (3 if layout == "yolov5" else 1)):
            if layout == "yolox":
                row = np.concatenate([(row[:2] + (x, y)) * stride, np.exp(row[2:4]) * stride, row[4:]])
            best = int(np.argmax(row[5:]))
            yield {"class": best, "confidence": row[4] * row[5 + best], "box": centred(*row[:4])}
    else:
        for column in outputs["output0"][0].T:
            if layout == "yolov8-pose":
                yield {"class": 0, "confidence": column[4], "box": centred(*column[:4]),
                       "keypoints": column[5:].reshape(-1, 3).tolist()}
            else:
                best = int(np.argmax(column[4:]))
                yield {"class": best, "confidence": column[4 + best], "box": centred(*column[:4])}


def faces(outputs, size):
    by_shape = {value.shape: value for value in outputs.values()}
    side = size[0]
    for grid, anchors in BLAZE_GRIDS:
        count = grid * grid * anchors
        scores, numbers = by_shape[(1, count, 1)][0, :, 0], by_shape[(1, count, 16)][0]
        for i in range(count):
            cell = i // anchors
            at = [(cell % grid + .5) / grid * side, (cell // grid + .5) / grid * side]
            confidence = 1 / (1 + math.exp(-scores[i]))
            points = [[at[0] + numbers[i][4 + 2 * k], at[1] + numbers[i][5 + 2 * k], confidence]
                      for k in range(BLAZE_KEYPOINTS)]
            yield {"class": 0, "confidence": confidence, "keypoints": points,
                   "box": centred(at[0] + numbers[i][0], at[1] + numbers[i][1], numbers[i][2], numbers[i][3])}


def person(outputs, size):
    """Simple coordinate classification: two bins a pixel. The person is as sure as the mean of its keypoints."""
    xs, ys = outputs["simcc_x"][0], outputs["simcc_y"][0]
    assert xs.shape[1] == 2 * size[0] and ys.shape[1] == 2 * size[1]
    points = [[float(np.argmax(x)) / 2, float(np.argmax(y)) / 2, min(float(x.max()), float(y.max()))]
              for x, y in zip(xs, ys)]
    return {"class": 0, "confidence": sum(point[2] for point in points) / len(points), "keypoints": points}


def seen(points, least):
    """The box around the keypoints that can be seen."""
    kept = [point for point in points if point[2] >= least]
    left, top = (min(point[i] for point in kept) for i in (0, 1))
    return [left, top, max(point[0] for point in kept) - left, max(point[1] for point in kept) - top]


def objects(layout, outputs, letterbox, least, most_overlap):
    """Those that are sure enough, without those that a surer one of the same class hides, the surest first."""
    found = []
    everything = list(candidates(layout, outputs, letterbox.size))
    for one in sorted((one for one in everything if one["confidence"] >= least), key=lambda one: -one["confidence"]):
        if "box" not in one:
            one["box"] = seen(one["keypoints"], least)
        if not np.isfinite([*one["box"], one["confidence"]]).all():
            continue
        if all(one["class"] != other["class"] or overlap(one["box"], other["box"]) <= most_overlap for other in found):
            found.append(one)
    return [in_frame(one, letterbox) for one in found if cut(one, letterbox)]


def cut(one, letterbox):
    """The box in the frame, or None."""
    x, y, width, height = letterbox.box(*one["box"])
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, letterbox.frame[0]), min(y + height, letterbox.frame[1])
    return [float(number) for number in (left, top, right - left, bottom - top)] if right >= left and bottom >= top else None


def in_frame(one, letterbox):
    result = {"class": one["class"], "confidence": float(one["confidence"]), "box": cut(one, letterbox)}
    if "keypoints" in one:
        result["keypoints"] = [[*(float(number) for number in letterbox.point(x, y)), float(confidence)]
                               for x, y, confidence in one["keypoints"]]
    return result


def softmax(scores):
    powers = np.exp(scores - np.max(scores))
    return powers / powers.sum()


def person_features(detection, keypoints):
    """The 3K numbers of one frame for a network that reads keypoints: each x and y as a part of the person's box, and
    the confidence; zeros where nobody is."""
    if detection is None:
        return np.zeros(3 * keypoints)
    x0, y0, width, height = detection["box"]
    return np.array([[(x - x0) / width, (y - y0) / height, sure] for x, y, sure in detection["keypoints"]]).ravel()
