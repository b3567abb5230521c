#!/usr/bin/python3
"""A network as large as YOLOv8n at 640x640, with random weights: what detect_pipeline_bench runs.

network.py FILE.onnx

3.2 million parameters and 8.7 GFLOP, in the same kinds of steps: convolutions with SiLU, halves that are split off and
joined again, two feature pyramids, boxes as distributions over 16 distances. `images` 1x3x640x640 gives `output0`
1x84x8400. What it sees means nothing, but eight places, with near twins beside each, are always sure of a class, so that
there is something to suppress, to write down and to draw. Needs Debian's python3-onnx and python3-numpy.
"""
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

SIDE, CLASSES, BINS = 640, 80, 16
STRIDES = (8, 16, 32)
PLACES = sum((SIDE // stride) ** 2 for stride in STRIDES)


class Graph:
    def __init__(self):
        self.rng = np.random.default_rng(1)
        self.nodes, self.weights, self.parameters, self.flop = [], [], 0, 0

    def constant(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def floats(self, values):
        return self.constant(np.asarray(values, np.float32))

    def integers(self, *values):
        return self.constant(np.asarray(values, np.int64))

    def node(self, kind, inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, channels, size=1, stride=1, active=True, bias=0.):
        """x, and what comes out: (name, channels, side)."""
        name, wide, side = x
        # Kept at about the same size from layer to layer: numbers close to 0 are slow, and larger ones no numbers in the end.
        weights = self.rng.normal(0, (1.7 if active else .1) / (wide * size * size) ** .5, (channels, wide, size, size))
        out = self.node("Conv", [name, self.floats(weights), self.floats(self.rng.normal(bias, .1, channels))],
                        kernel_shape=[size] * 2, strides=[stride] * 2, pads=[size // 2] * 4)
        side //= stride
        self.parameters += weights.size + channels
        self.flop += 2 * weights.size * side * side
        if active:
            out = self.node("Mul", [out, self.node("Sigmoid", [out])])
        return out, channels, side

    def join(self, *parts):
        return self.node("Concat", [part[0] for part in parts], axis=1), sum(part[1] for part in parts), parts[0][2]

    def block(self, x, channels, times, shortcut):
        """Half of the channels pass; of the other half comes a chain whose every link is kept."""
        name, _, side = self.conv(x, channels)
        half = channels // 2
        parts = [(part, half, side) for part in self.node("Split", [name, self.integers(half, half)], 2, axis=1)]
        for _ in range(times):
            link = self.conv(self.conv(parts[-1], half, 3), half, 3)
            if shortcut:
                link = (self.node("Add", [parts[-1][0], link[0]]), half, side)
            parts.append(link)
        return self.conv(self.join(*parts), channels)

    def pools(self, x):
        parts = [self.conv(x, x[1] // 2)]
        for _ in range(3):
            name, channels, side = parts[-1]
            pooled = self.node("MaxPool", [name], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4)
            parts.append((pooled, channels, side))
        return self.conv(self.join(*parts), x[1])

    def twice(self, x):
        name, channels, side = x
        scales = self.floats([1, 1, 2, 2])
        return self.node("Resize", [name, "", scales], mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric"), channels, 2 * side


def features(graph):
    """Of 1/8, 1/16 and 1/32 of the side."""
    x = graph.conv(("images", 3, SIDE), 16, 3, 2)
    x = graph.block(graph.conv(x, 32, 3, 2), 32, 1, True)
    eighth = graph.block(graph.conv(x, 64, 3, 2), 64, 2, True)
    sixteenth = graph.block(graph.conv(eighth, 128, 3, 2), 128, 2, True)
    last = graph.pools(graph.block(graph.conv(sixteenth, 256, 3, 2), 256, 1, True))
    middle = graph.block(graph.join(graph.twice(last), sixteenth), 128, 1, False)
    fine = graph.block(graph.join(graph.twice(middle), eighth), 64, 1, False)
    middle = graph.block(graph.join(graph.conv(fine, 64, 3, 2), middle), 128, 1, False)
    coarse = graph.block(graph.join(graph.conv(middle, 128, 3, 2), last), 256, 1, False)
    return fine, middle, coarse


def grid():
    """The middle of each place, in places, and how many pixels those are."""
    centres, strides = [], []
    for stride in STRIDES:
        side = SIDE // stride
        y, x = np.mgrid[:side, :side] + .5
        centres.append(np.stack([x.ravel(), y.ravel()]))
        strides.append(np.full(side * side, stride))
    return np.concatenate(centres, 1)[None], np.concatenate(strides)[None, None]


def sure_places():
    """To be added to the classes' logits: two rows of four things on the middle grid, five neighbours each."""
    more = np.zeros((1, CLASSES, PLACES))
    begin, side = (SIDE // STRIDES[0]) ** 2, SIDE // STRIDES[1]
    for i in range(8):
        at = begin + (14 + i // 4 * 12) * side + 5 + i % 4 * 9
        for step in (0, 1, -1, side, -side):
            more[0, i, at + step] = 9 - .2 * (step != 0)
    return more


def output(graph, levels):
    distances, scores = [], []
    for level in levels:
        box = graph.conv(graph.conv(level, 64, 3), 64, 3)
        kind = graph.conv(graph.conv(level, CLASSES, 3), CLASSES, 3)
        box, kind = graph.conv(box, 4 * BINS, active=False), graph.conv(kind, CLASSES, active=False, bias=-7)
        for (name, channels, _), list_ in ((box, distances), (kind, scores)):
            list_.append(graph.node("Reshape", [name, graph.integers(1, channels, -1)]))
    bins = graph.node("Reshape", [graph.node("Concat", distances, axis=2), graph.integers(1, 4, BINS, PLACES)])
    shares = graph.node("Softmax", [graph.node("Transpose", [bins], perm=[0, 2, 1, 3])], axis=1)
    mean = graph.node("Conv", [shares, graph.floats(np.arange(BINS).reshape(1, BINS, 1, 1))], kernel_shape=[1, 1])
    sides = graph.node("Reshape", [mean, graph.integers(1, 4, PLACES)])
    before, behind = graph.node("Split", [sides, graph.integers(2, 2)], 2, axis=1)
    centres, strides = grid()
    centre = graph.floats(centres)
    first, last = graph.node("Sub", [centre, before]), graph.node("Add", [centre, behind])
    middle = graph.node("Div", [graph.node("Add", [first, last]), graph.floats(2)])
    boxes = graph.node("Concat", [middle, graph.node("Sub", [last, first])], axis=1)
    boxes = graph.node("Mul", [boxes, graph.floats(strides)])
    logits = graph.node("Add", [graph.node("Concat", scores, axis=2), graph.floats(sure_places())])
    graph.nodes.append(helper.make_node("Concat", [boxes, graph.node("Sigmoid", [logits])], ["output0"], axis=1))


def main():
    graph = Graph()
    output(graph, features(graph))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("images", [1, 3, SIDE, SIDE]), ("output0", [1, 4 + CLASSES, PLACES]))]
    model = helper.make_model(helper.make_graph(graph.nodes, "network", ends[:1], ends[1:], graph.weights),
                              opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    checker.check_model(model)
    save(model, sys.argv[1])
    print(f"{graph.parameters / 1e6:.2f} million parameters, {graph.flop / 1e9:.2f} GFLOP")


if __name__ == "__main__":
    main()
