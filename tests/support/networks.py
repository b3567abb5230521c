#!/usr/bin/python3
"""Small networks of every layout that frame-detect reads, pictures for them, and what has to be found.

networks.py DIR [--seed N]

For each case there are CASE.json and CASE.jpg (or CASE.mjpeg, for sequences), and its network, MODEL.onnx. A case says
  layout, model, picture     the file names
  frame, input               [width, height] in pixels
  confidence, iou            the thresholds that the answer holds for
  keypoints                  how many, where the network does not say so itself
  objects                    class, label, confidence, box, keypoints: as tests/support/reference.py has them
  outputs                    the network's outputs for this picture: [{name, shape, values}]; not where there are many
A case of a sequence has scores instead of objects, its frames, and the seconds between two of them: sequence_networks.py.
A case that must be refused has only model, picture and refused: "at-start", or "at-run" for this picture alone.

Needs Debian's python3-onnx and python3-numpy, cjpeg and djpeg.

A network's weights are random, and what it does is simple enough for numpy: the mean of each 8x8 block of its input, times
a matrix, are four numbers, and these times another matrix move the numbers of its output a little around fixed ones. So a
picture that is turned, shifted, of other colours, or with other bars gives other answers. Objects are put into the output
with near twins of the same class, which must vanish, one of another class, which must stay, and some that are not sure
enough. No decision is close: how a JPEG decoder or a float rounds changes none.
"""
import argparse
import math
import pathlib

import numpy as np
from onnx import TensorProto, helper

import reference
import refused_networks
import sequence_networks
from network_files import FACTORS, Network, Writer, constant, listed, mosaic, names_of, plain, save, unrounded, write_jpeg

CONFIDENCE, IOU = .4, .45
SIZE = (160, 96)  # of most networks' input: wider than high, so that nobody mixes the two up
LABELS = ["person", "traffic light", "it's a dog", "caf\u00e9", "bus"]


# --- objects


def wanted(rng, size, classes):
    """(class, score, [cx, cy, w, h]) of what the outputs shall hold: three things apart from each other, with what comes
    with them. Scores that are not sure enough end the list."""
    places = rng.permutation([(x, y) for x in (1, 3, 5) for y in (1, 3)])[:4]
    cell = np.array([size[0] / 6, size[1] / 4])
    found = []
    for i, place in enumerate(places[:3]):
        label, score = int(rng.integers(classes)), rng.uniform(.75, .9)
        box = np.concatenate([place * cell, cell * rng.uniform(1.1, 1.6, 2)])
        found.append((label, score, box))
        for _ in range(2):
            found.append((label, score - rng.uniform(.06, .2), box * rng.uniform(.98, 1.02, 4)))
        if classes > 1 and i == 0:
            found.append(((label + 1) % classes, score - .1, box * rng.uniform(.98, 1.02, 4)))
    for score in (.33, .3):
        found.append((int(rng.integers(classes)), score, np.concatenate([places[3] * cell, cell])))
    return found


def motions(rng, base):
    return np.zeros((FACTORS, *base.shape)), lambda *shape: rng.normal(0, 1, (FACTORS, *shape))


def yolo_columns(rng, size, classes, keypoints=0, broken=False, upright=False):
    """YOLOv8: a column for each place. `broken`: some of them hold what is no number. `upright`: shoulders and hips are
    those of a body that stands and faces the camera."""
    count = len(reference.cells(size))
    base = np.zeros((1, 4 + classes + 3 * keypoints, count))
    base[0, :4] = rng.uniform(8, min(size), (4, count))
    base[0, 4:4 + classes] = rng.uniform(0, .1, (classes, count))
    motion, random = motions(rng, base)
    columns = rng.permutation(count)
    for (label, score, box), at in zip(wanted(rng, size, classes), columns):
        base[0, :4, at] = box
        base[0, 4 + label, at] = score
        motion[:, 0, :4, at] = .4 * random(4)
        motion[:, 0, 4:4 + classes, at] = .01 * random(classes)
        if keypoints:
            points = base[0, 4 + classes:, at].reshape(keypoints, 3)
            points[:, :2] = box[:2] + rng.uniform(-.6, .6, (keypoints, 2)) * box[2:]
            points[:, 2] = rng.uniform(.1, .9, keypoints)
            if upright:
                for point, right, down in ((5, .25, -.3), (6, -.25, -.3), (11, .2, .3), (12, -.2, .3)):
                    points[point] = [box[0] + right * box[2], box[1] + down * box[3], .9]
            motion[:, 0, 4 + classes:, at] = .01 * random(3 * keypoints)
    if broken:
        base[0, 4:, columns[-1]] = np.nan
        base[0, 4:, columns[-2]] = np.inf
        base[0, :4, columns[-3]] = np.nan
        base[0, 4:, columns[-3]] = .9
    return {"output0": (base, motion)}


def yolo_rows(rng, size, classes, grids):
    """YOLOv5 and, with `grids`, YOLOX: a row for each place, and how sure it is of any class."""
    places = reference.cells(size)
    if not grids:
        places = places * 3
    base = np.zeros((1, len(places), 5 + classes))
    base[0, :, :4] = rng.uniform(-1, 1, (len(places), 4)) if grids else rng.uniform(8, min(size), (len(places), 4))
    base[0, :, 4:] = rng.uniform(0, .1, (len(places), 1 + classes))
    motion, random = motions(rng, base)
    for (label, score, box), at in zip(wanted(rng, size, classes), rng.permutation(len(places))):
        x, y, stride = places[at]
        row = base[0, at]
        row[:4] = [*(box[:2] / stride - (x, y)), *np.log(box[2:] / stride)] if grids else box
        # Each is above the threshold also where their product is not.
        row[4], row[5 + label] = score ** .4, score ** .6
        motion[:, 0, at, :2] = random(2) * (.4 / stride if grids else .4)
        motion[:, 0, at, 2:4] = random(2) * (.01 if grids else .4)
        motion[:, 0, at, 4:] = .01 * random(1 + classes)
    return {"output": (base, motion)}


def blaze(rng, size):
    """The four outputs, by the names of MediaPipe's files; not in the order of those."""
    result, free = {}, []
    for level, (grid, anchors) in enumerate(reference.BLAZE_GRIDS):
        count = grid * grid * anchors
        logits, numbers = rng.uniform(-9, -4, (1, count, 1)), rng.uniform(-20, 20, (1, count, 16))
        pair = [(logits, np.zeros((FACTORS, *logits.shape))), (numbers, np.zeros((FACTORS, *numbers.shape)))]
        result[f"Identity_{level + 2}:0"], result["Identity_1:0" if level else "Identity:0"] = pair[1], pair[0]
        free += [(pair, i, ((i // anchors) % grid + .5) / grid, ((i // anchors) // grid + .5) / grid) for i in range(count)]
    for (_, score, box), at in zip(wanted(rng, size, 1), rng.permutation(len(free))):
        (logits, numbers), i, x, y = free[at]
        logits[0][0, i, 0] = math.log(score / (1 - score))
        logits[1][:, 0, i, 0] = rng.normal(0, .02, FACTORS)
        centre = box[:2] - np.array([x, y]) * size
        numbers[0][0, i, :4] = [*centre, *box[2:]]
        numbers[0][0, i, 4:] = (centre + rng.uniform(-.5, .5, (reference.BLAZE_KEYPOINTS, 2)) * box[2:]).ravel()
        numbers[1][:, 0, i] = rng.normal(0, .2, (FACTORS, 16))
    return result


def simcc(rng, size, keypoints):
    """A peak a row; y comes first, since their order says nothing."""
    result = {}
    for name, side in (("simcc_y", size[1]), ("simcc_x", size[0])):
        base = rng.uniform(0, .3, (1, keypoints, 2 * side))
        motion = rng.normal(0, .005, (FACTORS, *base.shape))
        base[0, range(keypoints), rng.integers(0, 2 * side, keypoints)] = rng.uniform(.5, .95, keypoints)
        result[name] = (base, motion)
    return result


# --- cases


def is_clear(layout, outputs, size):
    """Whether no decision is so close that rounding, or another usual threshold, would change it."""
    if layout == "rtmpose":
        peaks = [np.sort(row)[-2:] for output in outputs.values() for row in output[0]]
        return all(best - second > .05 for second, best in peaks)
    sure = [one for one in reference.candidates(layout, outputs, size)
            if one["confidence"] > .2 and np.isfinite([*one["box"], one["confidence"]]).all()]
    return all(abs(one["confidence"] - CONFIDENCE) > .03 for one in sure) and all(
        abs(one["confidence"] - other["confidence"]) > .002
        and (one["class"] != other["class"] or not .25 < reference.overlap(one["box"], other["box"]) < .7)
        for i, one in enumerate(sure) for other in sure[:i])


def detector(to, model, layout, size, make, pictures, labels=None, metadata=None, batch=1, keypoints=None):
    """`make` gives the outputs from a generator; `pictures` are case: (how it is drawn, size of the frame). Numbers
    are drawn again until each decision is clear."""
    for attempt in range(1000):
        rng = np.random.default_rng([to.seed, *model.encode(), attempt])
        network = Network(rng, layout, size, make(rng), batch)
        drawn = {case: write_jpeg(to.folder / f"{case}.jpg", draw(rng, frame))
                 for case, (draw, frame) in pictures.items()}
        boxes = {case: reference.Letterbox(frame, size) for case, (_, frame) in pictures.items()}
        outputs = {case: network.run(reference.network_input(layout, boxes[case].apply(drawn[case])))
                   for case in pictures}
        found = {case: reference.objects(layout, outputs[case], boxes[case], CONFIDENCE, IOU) for case in pictures}
        # In a narrow frame most of them may lie beside it.
        if all(found.values()) and all(is_clear(layout, outputs[case], size) for case in pictures):
            break
    else:
        raise SystemExit(f"networks.py: {model}: no seed gives clear decisions")
    network.save(to.folder / f"{model}.onnx", metadata)
    for case, (_, frame) in pictures.items():
        for one in found[case]:
            one["label"] = labels[one["class"]] if labels else None
        written = {"layout": layout, "model": f"{model}.onnx", "picture": f"{case}.jpg", "frame": list(frame),
                   "input": list(size), "confidence": CONFIDENCE, "iou": IOU, "objects": found[case]}
        if keypoints:
            written["keypoints"] = keypoints
        if sum(value.size for value in outputs[case].values()) < 20000:
            written["outputs"] = listed(outputs[case])
        to.write(case, written)


def write_detectors(to):
    many = [f"thing {i}" for i in range(len(LABELS))]
    (to.folder / "labels.txt").write_text("".join(f"{label}\n" for label in many), encoding="utf-8")
    count = len(LABELS)
    detector(to, "yolov5", "yolov5", SIZE, lambda rng: yolo_rows(rng, SIZE, count, grids=False),
             {"yolov5": (mosaic, SIZE), "yolov5-half": (plain, (320, 192))}, labels=many, batch="batch")
    named = {**names_of(LABELS), "task": "detect", "stride": "32"}
    detector(to, "yolov8", "yolov8", SIZE, lambda rng: yolo_columns(rng, SIZE, count),
             {"yolov8": (mosaic, SIZE), "yolov8-wide": (plain, (400, 160)), "yolov8-high": (plain, (120, 240)),
              "yolov8-small": (plain, (80, 48)), "yolov8-large": (plain, (640, 480))}, LABELS, named)
    detector(to, "yolov8-broken", "yolov8", SIZE, lambda rng: yolo_columns(rng, SIZE, count, broken=True),
             {"yolov8-broken": (mosaic, SIZE)}, LABELS, named)
    detector(to, "yolov8-one-class", "yolov8", SIZE, lambda rng: yolo_columns(rng, SIZE, 1),
             {"yolov8-one-class": (mosaic, SIZE)}, many)
    detector(to, "yolov8-pose17", "yolov8-pose", SIZE, lambda rng: yolo_columns(rng, SIZE, 1, 17),
             {"yolov8-pose17": (mosaic, SIZE), "yolov8-pose17-high": (plain, (120, 240))})
    detector(to, "yolov8-pose17-upright", "yolov8-pose", SIZE, lambda rng: yolo_columns(rng, SIZE, 1, 17, upright=True),
             {"yolov8-pose17-upright": (plain, SIZE)})
    hand = {**names_of(["hand"]), "task": "pose", "kpt_shape": "[21, 3]"}
    detector(to, "yolov8-pose21", "yolov8-pose", SIZE, lambda rng: yolo_columns(rng, SIZE, 1, 21),
             {"yolov8-pose21": (mosaic, SIZE)}, ["hand"], hand)
    detector(to, "yolov8-pose133", "yolov8-pose", SIZE, lambda rng: yolo_columns(rng, SIZE, 1, 133),
             {"yolov8-pose133": (mosaic, SIZE)}, keypoints=133)
    # The bars are at the bottom and at the right in one project and around the picture in another: none here.
    detector(to, "yolox", "yolox", SIZE, lambda rng: yolo_rows(rng, SIZE, count, grids=True),
             {"yolox": (mosaic, SIZE), "yolox-half": (plain, (320, 192))}, many)
    for side in (256, 128):
        size = (side, side)
        detector(to, f"blazeface{side}", "blazeface", size, lambda rng, size=size: blaze(rng, size),
                 {f"blazeface{side}": (mosaic, size), f"blazeface{side}-half": (plain, (2 * side, 2 * side))})
    for keypoints in (17, 21):
        size = (192, 256)
        detector(to, f"rtmpose{keypoints}", "rtmpose", size, lambda rng, k=keypoints: simcc(rng, size, k),
                 {f"rtmpose{keypoints}": (mosaic, size), f"rtmpose{keypoints}-half": (plain, (384, 512))})


def write_free_sides(to):
    """YOLO11 with batch, height and width left open: places are counted in the graph. The small places find what is red,
    those of the next stride green, the large ones blue; imgsz, height first, says which size it was made for."""
    rng = np.random.default_rng([to.seed, 11])
    classes = len(LABELS)
    weights = [rng.uniform(0, .1, (classes, 3)) for _ in range(3)]
    nodes, constants, tables = [], [], []
    for i, stride in enumerate((8, 16, 32)):
        weights[i][i] = -.5
        weights[i][i, i] = .8
        # Rows: cx and cy without the place, w, h, classes.
        matrix = np.concatenate([rng.uniform(-.2, .2, (2, 3)) * stride, rng.uniform(.1, .3, (2, 3)) * stride, weights[i]])
        # How far each row is moved by the place: cx by columns, cy by rows.
        place = np.zeros((4 + classes, 2))
        place[0, 0] = place[1, 1] = stride
        bias = np.zeros(4 + classes)
        bias[:2] = -.5 * stride  # counting begins at 1
        constants += [constant(f"of_colour{i}", np.concatenate([matrix, place], 1)[:, :, None, None]),
                      constant(f"bias{i}", bias), constant(f"cells{i}", [1, 4 + classes, -1], np.int64)]
        nodes += [helper.make_node("AveragePool", ["images"], [f"colour{i}"], kernel_shape=[stride] * 2, strides=[stride] * 2),
                  helper.make_node("ReduceMean", [f"colour{i}"], [f"any{i}"], axes=[1], keepdims=1),
                  helper.make_node("Mul", [f"any{i}", "nought"], [f"noughts{i}"]),
                  helper.make_node("Add", [f"noughts{i}", "unit"], [f"ones{i}"]),
                  helper.make_node("CumSum", [f"ones{i}", "across"], [f"x{i}"]),
                  helper.make_node("CumSum", [f"ones{i}", "down"], [f"y{i}"]),
                  helper.make_node("Concat", [f"colour{i}", f"x{i}", f"y{i}"], [f"known{i}"], axis=1),
                  helper.make_node("Conv", [f"known{i}", f"of_colour{i}", f"bias{i}"], [f"grid{i}"]),
                  helper.make_node("Reshape", [f"grid{i}", f"cells{i}"], [f"table{i}"])]
        tables.append((stride, matrix.astype(np.float32).astype(float)))
    constants += [constant("nought", 0.), constant("unit", 1.), constant("across", 3, np.int64),
                  constant("down", 2, np.int64)]
    nodes.append(helper.make_node("Concat", ["table0", "table1", "table2"], ["output0"], axis=2))
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    result = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 4 + classes, "anchors"])
    save(to.folder / "yolo11-free.onnx", nodes, [given], [result], constants,
         {**names_of(LABELS), "task": "detect", "imgsz": str([SIZE[1], SIZE[0]])})

    pixels = np.zeros((SIZE[1], SIZE[0], 3))
    for x, y, side, colour in ((8, 40, 8, (250, 0, 0)), (72, 8, 8, (225, 0, 0)), (80, 48, 16, (0, 240, 0)),
                               (128, 64, 32, (0, 0, 255))):
        pixels[y:y + side, x:x + side] = colour
    pixels = unrounded(write_jpeg(to.folder / "yolo11-free.jpg", pixels))
    tensor = reference.network_input("yolov8", pixels)[0]
    columns = []
    for stride, matrix in tables:
        means = tensor.reshape(3, SIZE[1] // stride, stride, SIZE[0] // stride, stride).mean((2, 4))
        for y in range(means.shape[1]):
            for x in range(means.shape[2]):
                numbers = matrix @ means[:, y, x]
                columns.append([numbers[0] + (x + .5) * stride, numbers[1] + (y + .5) * stride, *numbers[2:]])
    outputs = {"output0": np.array(columns).T[None]}
    found = reference.objects("yolov8", outputs, reference.Letterbox(SIZE, SIZE), CONFIDENCE, IOU)
    assert is_clear("yolov8", outputs, SIZE) and [one["class"] for one in found] == [2, 0, 1, 0], found
    for one in found:
        one["label"] = LABELS[one["class"]]
    to.write("yolo11-free", {"layout": "yolov8", "model": "yolo11-free.onnx", "picture": "yolo11-free.jpg",
                             "frame": list(SIZE), "input": list(SIZE), "confidence": CONFIDENCE, "iou": IOU,
                             "objects": found, "outputs": listed(outputs)})


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=7)
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    to = Writer(given.folder, given.seed)
    write_detectors(to)
    write_free_sides(to)
    sequence_networks.write(to)
    refused_networks.write(to)


if __name__ == "__main__":
    main()
