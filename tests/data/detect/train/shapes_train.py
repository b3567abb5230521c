#!/usr/bin/python3
"""Trains shapes_yolov8_128.onnx: circles, squares and triangles, in the layout of YOLOv8, small enough for a test.

shapes_train.py [SECONDS [FILE.onnx]]

Debian 12's python3-torch 1.13 on a CPU. It learns for SECONDS of the clock (420), so that two runs give networks
that are alike, not the same. At the end it says how it does on 300 pictures that it has not seen.
"""
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
np.random.seed(1)
torch.set_num_threads(int(os.environ.get('NT', '2')))
S = 128  # pixels, width and height
NC = 3  # circle, square, triangle
STR = (8, 16, 32)
REG = 8  # bins of the distribution that each side of a box is
BUD = float(sys.argv[1]) if len(sys.argv) > 1 else 420
OUT = sys.argv[2] if len(sys.argv) > 2 else 'shapes_yolov8_128.onnx'
yy, xx = np.mgrid[0:S, 0:S].astype(np.float32) + np.float32(0.5)


def shape_mask(c, cx, cy, r, a):
    x0, y0 = (int(max(cx - 1.5 * r - 1, 0)), int(max(cy - 1.5 * r - 1, 0)))
    x1, y1 = (int(min(cx + 1.5 * r + 2, S)), int(min(cy + 1.5 * r + 2, S)))
    sl = np.s_[y0:y1, x0:x1]
    x = xx[sl] - np.float32(cx)
    y = yy[sl] - np.float32(cy)
    ca, sa = (np.float32(math.cos(a)), np.float32(math.sin(a)))
    if c == 0:
        return (sl, x * x + y * y <= r * r, (cx - r, cy - r, cx + r, cy + r))
    u = x * ca + y * sa
    v = y * ca - x * sa
    if c == 1:
        m = (abs(u) <= r) & (abs(v) <= r)
        pts = [(-r, -r), (r, -r), (r, r), (-r, r)]
    else:
        pts = [(0, -r), (r * 0.9, r * 0.75), (-r * 0.9, r * 0.75)]
        m = np.ones_like(u, dtype=bool)
        for i in range(3):
            (ax, ay), (bx, by) = (pts[i], pts[(i + 1) % 3])
            m &= (bx - ax) * (v - ay) - (by - ay) * (u - ax) >= 0
    P = [(cx + px * ca - py * sa, cy + px * sa + py * ca) for px, py in pts]
    X = [float(p[0]) for p in P]
    Y = [float(p[1]) for p in P]
    return (sl, m, (min(X), min(Y), max(X), max(Y)))


def iou1(a, b):
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0
    i = w * h
    return i / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - i)


rng = np.random.default_rng(1)


def sample():
    img = np.empty((3, S, S), np.float32)
    img[:] = rng.random((3, 1, 1), dtype=np.float32)
    if rng.random() < 0.5:
        img += (rng.random((3, 1, 1), dtype=np.float32) - 0.5) * (xx / S)
        img += (rng.random((3, 1, 1), dtype=np.float32) - 0.5) * (yy / S)
    if rng.random() < 0.3:
        img += np.kron(rng.standard_normal((3, 8, 8), dtype=np.float32) * 0.1, np.ones((1, S // 8, S // 8), np.float32))
    boxes = []
    y0 = int(rng.uniform(4, 36)) if rng.random() < 0.5 else 0
    side = rng.random() < 0.3
    for _ in range(rng.integers(0, 5)):
        c = int(rng.integers(NC))
        r = float(np.exp(rng.uniform(np.log(7), np.log(36))))
        a = 0.0 if c == 0 else rng.uniform(-0.35, 0.35)
        cx, cy = rng.uniform(r * 0.9, S - r * 0.9, 2)
        if y0:
            q = cx if side else cy
            if q - r * 1.1 < y0 or q + r * 1.1 > S - y0:
                continue
        sl, m, b = shape_mask(c, cx, cy, r, a)
        b = (max(b[0], 0.0), max(b[1], 0.0), min(b[2], float(S)), min(b[3], float(S)))
        if any((iou1(b, o[1]) > 0.02 for o in boxes)):
            continue
        p = img[:, int(min(cy, S - 1)), int(min(cx, S - 1))]
        for _ in range(10):
            col = rng.random(3, dtype=np.float32)
            if np.abs(col - p).max() > 0.3:
                break
        for k in range(3):
            img[k][sl][m] = col[k]
        boxes.append((c, b))
    img += rng.standard_normal((3, S, S), dtype=np.float32) * np.float32(rng.uniform(0, 0.12))
    if y0:  # bars as a letterbox has them, grey or black
        v = np.float32(114 / 255.0 if rng.random() < 0.7 else 0)
        if side:
            img[:, :, :y0] = v
            img[:, :, S - y0:] = v
        else:
            img[:, :y0] = v
            img[:, S - y0:] = v
    return (torch.from_numpy(img.clip(0, 1)), boxes)


class CBS(nn.Module):
    def __init__(s, i, o, k=3, st=1, g=1):
        super().__init__()
        s.c = nn.Conv2d(i, o, k, st, k // 2, groups=g, bias=False)
        s.b = nn.BatchNorm2d(o)
        s.a = nn.SiLU()

    def forward(s, x):
        return s.a(s.b(s.c(x)))


class C2f(nn.Module):  # as in YOLOv8: convolution, split, bottleneck, concatenation, convolution
    def __init__(s, i, o):
        super().__init__()
        s.h = o // 2
        s.a = CBS(i, o, 1)
        s.m1 = CBS(s.h, s.h)
        s.m2 = CBS(s.h, s.h)
        s.z = CBS(o + s.h, o, 1)

    def forward(s, x):
        y = list(s.a(x).split((s.h, s.h), 1))
        y.append(y[-1] + s.m2(s.m1(y[-1])))
        return s.z(torch.cat(y, 1))


class Net(nn.Module):
    def __init__(s, w=(8, 16, 20, 24, 32)):
        super().__init__()
        a, b, c, d, e = w
        s.s1 = CBS(3, a, 3, 2)
        s.s2 = nn.Sequential(CBS(a, b, 3, 2), C2f(b, b))
        s.s3 = nn.Sequential(CBS(b, c, 3, 2), C2f(c, c))
        s.s4 = nn.Sequential(CBS(c, d, 3, 2), C2f(d, d))
        s.s5 = nn.Sequential(CBS(d, e, 3, 2), C2f(e, e))
        s.pool = nn.MaxPool2d(5, 1, 2)
        s.sp = CBS(e * 2, e, 1)
        s.up = nn.Upsample(scale_factor=2, mode='nearest')
        s.n4 = C2f(d + e, d)
        s.n3 = C2f(c + d, c)
        s.hb = nn.ModuleList([nn.Sequential(CBS(q, 20), nn.Conv2d(20, 4 * REG, 1)) for q in (c, d, e)])
        s.hc = nn.ModuleList([nn.Sequential(CBS(q, 12), nn.Conv2d(12, NC, 1)) for q in (c, d, e)])
        for h in s.hc:
            nn.init.constant_(h[-1].bias, -4.0)
        s.dfl = nn.Conv2d(REG, 1, 1, bias=False)
        s.dfl.weight.data[:] = torch.arange(REG).float().view(1, REG, 1, 1)
        s.dfl.requires_grad_(False)
        an = []
        st = []
        for t in STR:
            n = S // t
            gy, gx = torch.meshgrid(torch.arange(n) + 0.5, torch.arange(n) + 0.5, indexing='ij')
            an.append(torch.stack((gx, gy)).view(2, -1))
            st.append(torch.full((1, n * n), float(t)))
        s.register_buffer('an', torch.cat(an, 1).float()[None])
        s.register_buffer('st', torch.cat(st, 1))

    def raw(s, x):
        p3 = s.s3(s.s2(s.s1(x)))
        p4 = s.s4(p3)
        p5 = s.s5(p4)
        p5 = s.sp(torch.cat((p5, s.pool(p5)), 1))
        p4 = s.n4(torch.cat((s.up(p5), p4), 1))
        p3 = s.n3(torch.cat((s.up(p4), p3), 1))
        o = [torch.cat((s.hb[i](f), s.hc[i](f)), 1) for i, f in enumerate((p3, p4, p5))]
        B = x.shape[0]
        y = torch.cat([t.view(B, 4 * REG + NC, -1) for t in o], 2)
        return y.split((4 * REG, NC), 1)

    def decode(s, box):  # left, top, right, bottom in strides
        B, _, N = box.shape
        return s.dfl(box.view(B, 4, REG, N).transpose(2, 1).softmax(1)).view(B, 4, N)

    def forward(s, x):  # [B, 4 + NC, 336]: cx, cy, w, h in pixels of the input, then a score for each class
        box, cls = s.raw(x)
        d = s.decode(box)
        lt, rb = d.chunk(2, 1)
        x1 = s.an - lt
        x2 = s.an + rb
        return torch.cat((torch.cat(((x1 + x2) / 2, x2 - x1), 1) * s.st, cls.sigmoid()), 1)


net = Net()
print('params', sum((p.numel() for p in net.parameters())), flush=True)
N = net.an.shape[2]
APX = net.an[0] * net.st  # where the anchors are, in pixels
RNG = {8: (0, 28), 16: (20, 56), 32: (44, 999)}  # which sizes, in pixels, each stride is to find


def targets(bl):
    B = len(bl)
    cls = torch.zeros(B, NC, N)
    box = torch.zeros(B, 4, N)
    pos = torch.zeros(B, N, dtype=torch.bool)
    for b, l in enumerate(bl):
        for c, (x1, y1, x2, y2) in l:
            sz = max(x2 - x1, y2 - y1)
            cx, cy = ((x1 + x2) / 2, (y1 + y2) / 2)
            for t, (lo, hi) in RNG.items():
                if not lo <= sz < hi:
                    continue
                m = (net.st[0] == t) & ((APX[0] - cx).abs() < t) & ((APX[1] - cy).abs() < t)
                m &= (APX[0] > x1) & (APX[0] < x2) & (APX[1] > y1) & (APX[1] < y2)
                cls[b, :, m] = 0
                cls[b, c, m] = 1
                box[b, :, m] = torch.tensor([x1, y1, x2, y2], dtype=torch.float32)[:, None]
                pos[b] |= m
    return (cls, box, pos)


def giou(p, t):
    ix = (torch.min(p[2], t[2]) - torch.max(p[0], t[0])).clamp(0)
    ix = ix * (torch.min(p[3], t[3]) - torch.max(p[1], t[1])).clamp(0)
    ap = (p[2] - p[0]).clamp(0) * (p[3] - p[1]).clamp(0)
    at = (t[2] - t[0]) * (t[3] - t[1])
    u = ap + at - ix + 1e-06
    c = (torch.max(p[2], t[2]) - torch.min(p[0], t[0])) * (torch.max(p[3], t[3]) - torch.min(p[1], t[1])) + 1e-06
    return ix / u - (c - u) / c


POOL = []
t0 = time.time()
for i in range(1500):
    POOL.append(sample())
print('pool', time.time() - t0, flush=True)
opt = torch.optim.AdamW(net.parameters(), 0.002, weight_decay=0.0001)
it = 0
net.train()
t0 = time.time()
BS = 32
while time.time() - t0 < BUD:
    prog = (time.time() - t0) / BUD
    for g in opt.param_groups:
        g['lr'] = 0.003 * min(1, (it + 1) / 100) * (0.5 * (1 + math.cos(math.pi * prog)) + 0.01)
    for _ in range(8):
        POOL[np.random.randint(len(POOL))] = sample()
    bt = [POOL[j] for j in np.random.randint(0, len(POOL), BS)]
    X = torch.stack([b[0] for b in bt])
    bl = [b[1] for b in bt]
    if np.random.rand() < 0.5:
        X = X.flip(3)
        bl = [[(c, (S - b[2], b[1], S - b[0], b[3])) for c, b in l] for l in bl]
    if np.random.rand() < 0.3:
        X = X[:, torch.randperm(3)]
    cls, box, pos = targets(bl)
    pb, pc = net.raw(X)
    d = net.decode(pb)
    px = torch.cat((net.an - d[:, :2], net.an + d[:, 2:]), 1) * net.st
    np_ = pos.sum().clamp(1)
    p = torch.sigmoid(pc)
    bce = F.binary_cross_entropy_with_logits(pc, cls, reduction='none')
    w = torch.where(cls > 0, torch.ones_like(p), p.detach() ** 1.5 * 2)
    lc = (bce * w).sum() / np_
    P = px.permute(1, 0, 2)[:, pos]
    Tt = box.permute(1, 0, 2)[:, pos]
    lb = (1 - giou(P, Tt)).sum() / np_ if P.shape[1] else 0.0
    loss = lc + 2 * lb
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    opt.step()
    it += 1
    if it % 50 == 0:
        print(it, f'{time.time() - t0:.0f}s lc {float(lc):.3f} lb {float(lb):.3f}', flush=True)
net.eval()


def nms(o, thr=0.4):
    b, s = (o[:4], o[4:])
    sc, ci = s.max(0)
    k = sc > thr
    b = b[:, k]
    sc = sc[k]
    ci = ci[k]
    r = []
    for i in sc.argsort(descending=True).tolist():
        cx, cy, w, h = b[:, i].tolist()
        q = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
        if all((iou1(q, z[1]) < 0.45 for z in r)):
            r.append((int(ci[i]), q, float(sc[i])))
    return r


tp = fp = fn = 0
ious = []
with torch.no_grad():
    for _ in range(300):
        im, l = sample()
        r = nms(net(im[None])[0])
        used = set()
        for c, b, s_ in r:
            m = [(iou1(b, lb), j) for j, (lc_, lb) in enumerate(l) if lc_ == c and j not in used]
            m = max(m) if m else (0, 0)
            if m[0] > 0.5:
                tp += 1
                used.add(m[1])
                ious.append(m[0])
            else:
                fp += 1
        fn += len(l) - len(used)
print('found', tp, 'extra', fp, 'missed', fn, 'mean IoU', np.mean(ious))
torch.onnx.export(net, torch.zeros(1, 3, S, S), OUT, opset_version=12, input_names=['images'], output_names=['output0'],
                  do_constant_folding=True)
print(OUT, os.path.getsize(OUT))
