"""Networks that cannot be used, and two that cannot always be: see networks.py."""
import numpy as np
from onnx import TensorProto, helper

from network_files import constant, plain, save, write_jpeg

SIZE = (64, 64)
GIVEN = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIZE[1], SIZE[0]])


def tensor(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def fixed(name, shape):
    """Nodes and constants of an output that is the same for each input, and yet needs it."""
    nodes = [helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0), helper.make_node("Mul", ["mean", "nought"], ["zero"]),
             helper.make_node("Add", ["base", "zero"], [name])]
    return nodes, [constant("nought", 0.), constant("base", np.zeros(shape))]


def write(to):
    grey = np.full((SIZE[1], SIZE[0], 3), 128)

    def refused(name, when, nodes, inputs, outputs, constants, pixels=grey):
        save(to.folder / f"{name}.onnx", nodes, inputs, outputs, constants)
        write_jpeg(to.folder / f"{name}.jpg", pixels)
        to.write(name, {"model": f"{name}.onnx", "picture": f"{name}.jpg", "refused": when})

    nodes, constants = fixed("output", [1, 3, 5, 7])
    refused("refused-shape", "at-start", nodes, [GIVEN], [tensor("output", TensorProto.FLOAT, [1, 3, 5, 7])], constants)

    # A table, for places that no grid has: neither 83 nor 86.
    nodes, constants = fixed("output0", [1, 83, 86])
    refused("refused-places", "at-start", nodes, [GIVEN], [tensor("output0", TensorProto.FLOAT, [1, 83, 86])], constants)

    # It says of a picture what it is, and not where: no window of frames goes in.
    nodes, constants = fixed("probabilities", [1, 10])
    refused("refused-classifier", "at-start", nodes, [GIVEN], [tensor("probabilities", TensorProto.FLOAT, [1, 10])], constants)

    # Sides that are told only by a run.
    nodes, constants = fixed("output", [1, 3, 5, 7])
    refused("refused-unknown-shape", "at-start", nodes, [GIVEN],
            [tensor("output", TensorProto.FLOAT, ["a", "b", "c", "d"])], constants)

    nodes, constants = fixed("numbers", [1, 84, 84])
    nodes.append(helper.make_node("Cast", ["numbers"], ["output0"], to=TensorProto.INT64))
    refused("refused-type", "at-start", nodes, [GIVEN], [tensor("output0", TensorProto.INT64, [1, 84, 84])], constants)

    # Grids of 8, 16 and 32 pixels have 84 places in 64x64, but this reads no picture.
    nodes, constants = fixed("output0", [1, 7, 84])
    refused("refused-rank", "at-start", nodes, [tensor("images", TensorProto.FLOAT, [1, 100])],
            [tensor("output0", TensorProto.FLOAT, [1, 7, 84])], constants)
    refused("refused-rank5", "at-start", nodes, [tensor("images", TensorProto.FLOAT, [1, 1, 3, SIZE[1], SIZE[0]])],
            [tensor("output0", TensorProto.FLOAT, [1, 7, 84])], constants)
    refused("refused-channels", "at-start", nodes, [tensor("images", TensorProto.FLOAT, [1, 5, SIZE[1], SIZE[0]])],
            [tensor("output0", TensorProto.FLOAT, [1, 7, 84])], constants)
    floating = [helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
                helper.make_node("ReduceMean", ["floats"], ["mean"], keepdims=0), *nodes[1:]]
    refused("refused-input-type", "at-start", floating, [tensor("images", TensorProto.INT64, [1, 3, SIZE[1], SIZE[0]])],
            [tensor("output0", TensorProto.FLOAT, [1, 7, 84])], constants)
    two = [*nodes, helper.make_node("Add", ["output0", "second"], ["both"])]
    refused("refused-two-inputs", "at-start", two, [GIVEN, tensor("second", TensorProto.FLOAT, [1])],
            [tensor("both", TensorProto.FLOAT, [1, 7, 84])], constants)

    # 588 numbers fit into 7x84 and not into 8x84. What decides is how bright the picture is: below 0 never, so that the
    # first fails with each picture, also with the one that warms it up, and the second only with white ones.
    for name, when, limit in (("refused-run", "at-start", -1.), ("fails-on-white", "at-run", .75)):
        nodes, constants = fixed("rows", [588])
        nodes += [helper.make_node("Greater", ["mean", "limit"], ["bright"]),
                  helper.make_node("Cast", ["bright"], ["more"], to=TensorProto.INT64),
                  helper.make_node("Mul", ["more", "one-row"], ["rows-more"]),
                  helper.make_node("Add", ["table", "rows-more"], ["sides"]),
                  helper.make_node("Reshape", ["rows", "sides"], ["output0"])]
        constants += [constant("limit", limit), constant("one-row", [0, 1, 0], np.int64), constant("table", [1, 7, 84], np.int64)]
        refused(name, when, nodes, [GIVEN], [tensor("output0", TensorProto.FLOAT, [1, 7, 84])], constants,
                plain(np.random.default_rng(to.seed), SIZE) * 0 + 255)
    write_jpeg(to.folder / "fails-on-white-dark.jpg", np.zeros((SIZE[1], SIZE[0], 3)))

    # Fewer classes with white pictures than with the one that warmed it up.
    nodes, constants = fixed("rows", [588])
    nodes += [helper.make_node("Greater", ["mean", "limit"], ["bright"]),
              helper.make_node("Where", ["bright", "low", "high"], ["sides"]),
              helper.make_node("Reshape", ["rows", "sides"], ["output0"])]
    constants += [constant("limit", .75), constant("low", [1, 6, 98], np.int64), constant("high", [1, 7, 84], np.int64)]
    refused("changes-on-white", "at-run", nodes, [GIVEN], [tensor("output0", TensorProto.FLOAT, [1, "rows", "places"])], constants,
            plain(np.random.default_rng(to.seed), SIZE) * 0 + 255)

    # What is no network at all.
    whole = (to.folder / "refused-shape.onnx").read_bytes()
    for name, data in (("refused-truncated", whole[:len(whole) // 2]), ("refused-empty", b""), ("refused-noise", bytes(range(256)) * 8)):
        (to.folder / f"{name}.onnx").write_bytes(data)
        write_jpeg(to.folder / f"{name}.jpg", grey)
        to.write(name, {"model": f"{name}.onnx", "picture": f"{name}.jpg", "refused": "at-start"})
