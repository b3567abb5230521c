"""What the networks of networks.py have in common: pictures whose pixels are known exactly, the arithmetic, the files."""
import ast
import json
import math
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FACTORS = 4  # numbers that a picture comes down to
BLOCK = 8  # pixels


def write_jpeg(path, pixels):
    """Writes RGB or grey pixels, and returns them as a decoder has them. One colour a block survives exactly."""
    grey = pixels.ndim == 2
    height, width = pixels.shape[:2]
    head = b"P%d\n%d %d\n255\n" % (5 if grey else 6, width, height)
    jpeg = subprocess.run(["cjpeg", "-quality", "100", "-sample", "1x1", *(["-grayscale"] if grey else [])],
                          input=head + pixels.astype("u1").tobytes(), stdout=subprocess.PIPE, check=True).stdout
    path.write_bytes(jpeg)
    decoded = subprocess.run(["djpeg", "-pnm"], input=jpeg, stdout=subprocess.PIPE, check=True).stdout
    assert decoded.startswith(head)
    result = np.frombuffer(decoded[len(head):], "u1").reshape(pixels.shape)
    blocks = np.kron(result[::BLOCK, ::BLOCK], np.ones((BLOCK, BLOCK) + (1,) * (not grey)))[:height, :width]
    assert (blocks == result).all(), "a block has more than one colour"
    return result


def exact_offsets():
    """What chroma adds to red, green and blue where that is almost whole (ITU-T T.871, 7): decoders that round colours
    and those that do not agree about them."""
    blue, red = np.mgrid[-127:128, -127:128]
    offsets = np.stack([1.402 * red, -.344136 * blue - .714136 * red, 1.772 * blue], -1).reshape(-1, 3)
    whole = offsets[(abs(offsets - offsets.round()) < .05).all(1)].round()
    return whole[whole.max(1) - whole.min(1) < 240]


def unrounded(pixels):
    """The red, green and blue that the JPEG of such pixels stands for, before a decoder rounds them."""
    red, green, blue = np.moveaxis(pixels.astype(float), -1, 0)
    y = (.299 * red + .587 * green + .114 * blue).round()
    cb = (-.168736 * red - .331264 * green + .5 * blue).round()
    cr = (.5 * red - .418688 * green - .081312 * blue).round()
    return np.stack([y + 1.402 * cr, y - .344136 * cb - .714136 * cr, y + 1.772 * cb], -1).clip(0, 255)


def colours(rng, count):
    offsets = rng.choice(exact_offsets(), count)
    return offsets + rng.integers(-offsets.min(1).clip(None, 0), 256 - offsets.max(1).clip(0, None))[:, None]


def mosaic(rng, size):
    """A picture in which each block has a colour of its own."""
    rows, columns = math.ceil(size[1] / BLOCK), math.ceil(size[0] / BLOCK)
    return np.kron(colours(rng, rows * columns).reshape(rows, columns, 3), np.ones((BLOCK, BLOCK, 1)))[:size[1], :size[0]]


def plain(rng, size):
    return np.broadcast_to(colours(rng, 1)[0], (size[1], size[0], 3))


# --- networks


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, kind), name)


class Network:
    """One input in the layout's order, and outputs that follow the picture. `outputs` are name: (base, motion): base has
    the output's shape, motion is FACTORS more of them, by which each of the picture's numbers moves it."""

    def __init__(self, rng, layout, size, outputs, batch=1, channels=3):
        self.layout, self.size, self.outputs, self.batch, self.channels = layout, size, outputs, batch, channels
        count = channels * (size[0] // BLOCK) * (size[1] // BLOCK)
        spread = 1 / 255 if layout == "yolox" else 1
        self.reduce = (rng.normal(0, spread / math.sqrt(count), (count, FACTORS))).astype(np.float32)

    def run(self, tensor):
        """What ONNX Runtime has to say about this input."""
        if self.layout == "blazeface":
            tensor = tensor.transpose(0, 3, 1, 2)
        _, channels, height, width = tensor.shape
        means = tensor.reshape(channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean((2, 4))
        numbers = means.reshape(-1) @ self.reduce.astype(float)
        return {name: base.astype(np.float32) + np.tensordot(numbers, motion.astype(np.float32).astype(float), 1)
                for name, (base, motion) in self.outputs.items()}

    def save(self, path, metadata=None, last="Identity"):
        """`last` is one more operator, of each output."""
        nodes, constants = [], [constant("reduce", self.reduce), constant("flat", [1, len(self.reduce)], np.int64)]
        pooled = "input:0" if self.layout == "blazeface" else "images"
        shape = [self.batch, self.channels, self.size[1], self.size[0]]
        given = helper.make_tensor_value_info(pooled, TensorProto.FLOAT, shape)
        if self.layout == "blazeface":
            given = helper.make_tensor_value_info(pooled, TensorProto.FLOAT, [1, self.size[1], self.size[0], 3])
            nodes.append(helper.make_node("Transpose", [pooled], ["planes"], perm=[0, 3, 1, 2]))
            pooled = "planes"
        nodes += [helper.make_node("AveragePool", [pooled], ["means"], kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2),
                  helper.make_node("Reshape", ["means", "flat"], ["row"]),
                  helper.make_node("MatMul", ["row", "reduce"], ["numbers"])]
        results = []
        for i, (name, (base, motion)) in enumerate(self.outputs.items()):
            constants += [constant(f"base{i}", base), constant(f"motion{i}", motion.reshape(FACTORS, -1)),
                          constant(f"shape{i}", base.shape, np.int64)]
            nodes += [helper.make_node("MatMul", ["numbers", f"motion{i}"], [f"moved{i}"]),
                      helper.make_node("Reshape", [f"moved{i}", f"shape{i}"], [f"shaped{i}"]),
                      helper.make_node("Add", [f"shaped{i}", f"base{i}"], [f"sum{i}"]),
                      helper.make_node(last, [f"sum{i}"], [name])]
            results.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [self.batch, *base.shape[1:]]))
        save(path, nodes, [given], results, constants, metadata)


def save(path, nodes, inputs, outputs, constants=(), metadata=None):
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], producer_name="framepipe's tests")
    model.ir_version = 7
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


# --- cases


def names_of(labels):
    """As Ultralytics writes them: a dict of Python's, as text."""
    text = str(dict(enumerate(labels)))
    assert ast.literal_eval(text) == dict(enumerate(labels))
    return {"names": text}


def listed(outputs):
    return [{"name": name, "shape": list(value.shape), "values": [float(np.float32(number)) for number in value.ravel()]}
            for name, value in outputs.items()]


class Writer:
    """Makes the cases in one folder."""

    def __init__(self, folder, seed):
        self.folder, self.seed = folder, seed

    def write(self, name, case):
        # Without NaN: numbers that JSON does not have are null.
        text = json.dumps(case, indent=1).replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null")
        (self.folder / f"{name}.json").write_text(text + "\n")

