"""Networks that look at a window of frames, or of keypoints, and the windows: see networks.py.

CASE.mjpeg is a stream of mjpeg-frames(5): exactly the frames of one window, at even times, so that whoever takes them
evenly out of the window takes each once.
"""
import json
import math

import numpy as np
from onnx import TensorProto, helper

import reference
from network_files import FACTORS, Network, constant, listed, mosaic, names_of, plain, save, write_jpeg

FRAMES = 6
STEP = .5  # seconds between two frames
BEGIN = 1700000000
SIZE = (32, 24)
LABELS = ["nothing", "hello", "thanks", "please"]
KEYPOINTS = 17


def write_stream(path, jpegs, headers=None):
    with path.open("wb") as stream:
        for i, jpeg in enumerate(jpegs):
            lines = [b"--frame", b"Content-Type: image/jpeg", b"Content-Length: %d" % len(jpeg),
                     b"X-Timestamp: %.6f" % (BEGIN + i * STEP), b"X-Sequence: %d" % i]
            if headers:
                lines.append(headers[i].encode("ascii"))
            stream.write(b"\r\n".join(lines) + b"\r\n\r\n" + jpeg + b"\r\n")


def logits(rng):
    """One class is ahead by so much that the window does not change which."""
    base = rng.uniform(-1.5, .5, (1, len(LABELS)))
    base[0, rng.integers(1, len(LABELS))] = 3
    return base, .3 * rng.normal(0, 1, (FACTORS, *base.shape))


def window(to, rng, case, draw):
    """Writes the frames that `draw` gives, and returns them as the network's input has them."""
    frames, jpegs = [], []
    for i in range(FRAMES):
        path = to.folder / f"{case}-{i}.jpg"
        frames.append(write_jpeg(path, draw(rng)) / 255)
        jpegs.append(path.read_bytes())
        path.unlink()
    write_stream(to.folder / f"{case}.mjpeg", jpegs)
    return np.stack(frames)[None]


def write_case(to, case, model, layout, outputs, scores, **more):
    best = int(np.argmax(scores))
    assert scores[best] > .5 and np.sort(scores)[-2] < .35, scores
    to.write(case, {"layout": "sequence", "model": f"{model}.onnx", "picture": f"{case}.mjpeg", "features": layout,
                    "frames": FRAMES, "seconds": STEP, "begin": BEGIN, "labels": LABELS, "confidence": .4,
                    "scores": [float(score) for score in scores], "class": best, "label": LABELS[best], "outputs": outputs,
                    **more})


def write_pixels(to):
    """With softmax in the network, and with scores that have still to be brought to a sum of 1."""
    for name, last in (("sequence-softmax", "Softmax"), ("sequence-scores", "Identity")):
        rng = np.random.default_rng([to.seed, *name.encode()])
        network = Network(rng, "sequence", SIZE, {"scores": logits(rng)}, channels=FRAMES)
        network.save(to.folder / f"{name}.onnx", names_of(LABELS), last)
        for case, draw in ((name, lambda rng: mosaic(rng, SIZE)[:, :, 0]),
                           (f"{name}-double", lambda rng: plain(rng, (2 * SIZE[0], 2 * SIZE[1]))[:, :, 0])):
            tensor = window(to, rng, case, draw)
            if tensor.shape[2:] != (SIZE[1], SIZE[0]):  # of one colour: as good as scaled
                tensor = tensor[:, :, :SIZE[1], :SIZE[0]]
            raw = network.run(tensor)["scores"]
            scores = reference.softmax(raw[0])
            shown = scores[None] if last == "Softmax" else raw
            write_case(to, case, name, "pixels", listed({"scores": shown}), scores,
                       input=[*SIZE], frame=[tensor.shape[3], tensor.shape[2]] if case == name else [2 * side for side in SIZE])


def detection(rng, sure):
    """Somebody somewhere in a frame of 320x240, with numbers as few as JSON shows them."""
    box = [round(float(number), 1) for number in rng.uniform((10, 10, 80, 100), (150, 60, 160, 160))]
    points = [[round(box[0] + float(x) * box[2], 1), round(box[1] + float(y) * box[3], 1), round(float(c), 3)]
              for x, y, c in rng.uniform((0, 0, .3), 1, (KEYPOINTS, 3))]
    return {"label": "person", "confidence": sure, "box": box, "keypoints": points}


def write_keypoints(to):
    """Each frame has the detections of an earlier program: in one nobody, in another somebody else who is less sure,
    and in a third a header of a detector without keypoints in front."""
    name = "sequence-keypoints"
    rng = np.random.default_rng([to.seed, *name.encode()])
    persons = [None if i == 2 else detection(rng, .9) for i in range(FRAMES)]
    headers = []
    for i, person in enumerate(persons):
        found = [person] if person else []
        if i == 4:
            found.append(detection(rng, .6))
        text = json.dumps({"model": "pose", "ms": 1.5, "objects": found}, separators=(",", ":"))
        others = '{"model":"motion","ms":0.1,"objects":[{"label":"motion","confidence":1,"box":[1,2,30,40]}]}'
        headers.append((f"X-Detections: {others}\r\n" if i == 3 else "") + f"X-Detections: {text}")
    path = to.folder / f"{name}.jpg"
    write_jpeg(path, plain(rng, (320, 240)))
    write_stream(to.folder / f"{name}.mjpeg", [path.read_bytes()] * FRAMES, headers)
    path.unlink()

    features = np.stack([reference.person_features(person, KEYPOINTS) for person in persons])
    reduce = rng.normal(0, 1 / math.sqrt(features.size), (features.size, FACTORS)).astype(np.float32)
    base, motion = (part.astype(np.float32) for part in logits(rng))
    motion = motion.reshape(FACTORS, -1)
    raw = base + features.reshape(-1) @ reduce.astype(float) @ motion.astype(float)
    nodes = [helper.make_node("Reshape", ["keypoints", "flat"], ["row"]), helper.make_node("MatMul", ["row", "reduce"], ["numbers"]),
             helper.make_node("MatMul", ["numbers", "motion"], ["moved"]), helper.make_node("Add", ["moved", "base"], ["scores"])]
    given = helper.make_tensor_value_info("keypoints", TensorProto.FLOAT, [1, *features.shape])
    result = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(LABELS)])
    save(to.folder / f"{name}.onnx", nodes, [given], [result],
         [constant("flat", [1, features.size], np.int64), constant("reduce", reduce), constant("motion", motion),
          constant("base", base)], names_of(LABELS))
    write_case(to, name, name, "keypoints", listed({"scores": raw}), reference.softmax(raw[0]),
               input=list(features.shape), window=features.tolist())


def write_digits(to):
    """Tells which frames it was given: frames of one grey each, 25 times a digit, make the class that has these three
    digits as its number, the oldest in front. No case: tests/unit/detect/sequence_test.cc draws the frames."""
    count = 3
    nodes = [helper.make_node("ReduceMean", ["frames"], ["grey"], axes=[2, 3], keepdims=0),
             helper.make_node("Mul", ["grey", "levels"], ["scaled"]), helper.make_node("Round", ["scaled"], ["digits"]),
             helper.make_node("MatMul", ["digits", "weights"], ["number"]),
             helper.make_node("Cast", ["number"], ["index"], to=TensorProto.INT64),
             helper.make_node("OneHot", ["index", "depth", "off-on"], ["rows"]),
             helper.make_node("Reshape", ["rows", "flat"], ["scores"])]
    given = helper.make_tensor_value_info("frames", TensorProto.FLOAT, [1, count, 8, 16])
    result = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10 ** count])
    save(to.folder / "sequence-digits.onnx", nodes, [given], [result],
         [constant("levels", 255 / 25), constant("weights", [[100.], [10.], [1.]]), constant("depth", 10 ** count, np.int64),
          constant("off-on", [0., 1.]), constant("flat", [1, 10 ** count], np.int64)])


def write(to):
    write_pixels(to)
    write_keypoints(to)
    write_digits(to)
