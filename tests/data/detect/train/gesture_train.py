#!/usr/bin/python3
"""Trains gesture_30x64x64.onnx: 30 grey frames of 64x64, oldest first, give a score for each of five gestures.

gesture_train.py [SECONDS [FILE.onnx]]

Debian 12's python3-torch 1.13 on a CPU. It learns for SECONDS of the clock (150), so that two runs give networks
that are alike, not the same. At the end it says how it does on 1000 windows that it has not seen.
"""
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(2)
np.random.seed(2)
torch.set_num_threads(int(os.environ.get('NT', '2')))
T, S = (30, 64)
BUD = float(sys.argv[1]) if len(sys.argv) > 1 else 150
OUT = sys.argv[2] if len(sys.argv) > 2 else 'gesture_30x64x64.onnx'
yy, xx = np.mgrid[0:S, 0:S].astype(np.float32)


def sample():
    y = np.random.randint(5)  # none, swipe-left, swipe-right, swipe-up, swipe-down
    bg = np.random.rand() * 0.7 + 0.1
    base = np.full((S, S), bg, np.float32) + np.random.randn(S, S).astype(np.float32) * np.random.uniform(0, 0.08)
    for _ in range(np.random.randint(0, 3)):  # things that stay where they are
        cx, cy = np.random.rand(2) * S
        near = (np.abs(xx - cx) < np.random.uniform(3, 12)) & (np.abs(yy - cy) < np.random.uniform(3, 12))
        base[near] = np.random.rand()
    v = np.repeat(base[None], T, 0).copy()
    fg = bg + np.random.choice([-1, 1]) * np.random.uniform(0.25, 0.6)
    r = np.random.uniform(4, 11)
    dur = np.random.randint(8, 24)
    st = np.random.randint(0, T - dur + 1)
    t = np.clip((np.arange(T) - st) / dur, 0, 1)
    A, B = (np.random.uniform(0.0, 0.25), np.random.uniform(0.75, 1.0))
    o = np.random.uniform(0.25, 0.75)
    dr = np.random.uniform(-0.12, 0.12)
    p = A + (B - A) * t
    q = o + dr * t
    if y == 0:
        k = np.random.randint(3)
        if k == 0:
            px = py = None
        elif k == 1:
            px = np.full(T, np.random.rand())
            py = np.full(T, np.random.rand())
        else:
            px = np.random.rand() + np.random.uniform(0.02, 0.08) * np.sin(np.arange(T) * np.random.uniform(0.3, 1.2))
            py = np.random.rand() + np.random.uniform(0.02, 0.08) * np.cos(np.arange(T) * np.random.uniform(0.3, 1.2))
    elif y == 1:
        px, py = (1 - p, q)
    elif y == 2:
        px, py = (p, q)
    elif y == 3:
        px, py = (q, 1 - p)
    else:
        px, py = (q, p)
    if px is not None:
        hide = np.random.rand() < 0.5 and y > 0
        for i in range(T):
            if hide and (i < st or i > st + dur):
                continue
            v[i][(xx - px[i] * S) ** 2 + (yy - py[i] * S) ** 2 < r * r] = fg
    v += np.random.randn(T, S, S).astype(np.float32) * np.random.uniform(0, 0.05)
    return (v.clip(0, 1).astype(np.float32), y)


class Net(nn.Module):
    def __init__(s):
        super().__init__()
        s.c = nn.Sequential(nn.AvgPool2d(4, count_include_pad=False),
                            nn.Conv2d(T, 32, 3, 1, 1), nn.BatchNorm2d(32), nn.ReLU(),
                            nn.Conv2d(32, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
                            nn.Conv2d(32, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU())
        s.f = nn.Linear(32 * 16, 5)

    def forward(s, x):
        return s.f(s.c(x).flatten(1)).softmax(1)

    def logits(s, x):
        return s.f(s.c(x).flatten(1))


net = Net()
print('params', sum((p.numel() for p in net.parameters())), flush=True)
P = [sample() for _ in range(1500)]
opt = torch.optim.AdamW(net.parameters(), 0.002, weight_decay=0.001)
t0 = time.time()
it = 0
while time.time() - t0 < BUD:
    for g in opt.param_groups:
        g['lr'] = 0.002 * (0.5 * (1 + math.cos(math.pi * (time.time() - t0) / BUD)) + 0.01)
    for _ in range(12):
        P[np.random.randint(len(P))] = sample()
    b = [P[i] for i in np.random.randint(0, len(P), 64)]
    X = torch.from_numpy(np.stack([k[0] for k in b]))
    Y = torch.tensor([k[1] for k in b])
    l = F.cross_entropy(net.logits(X), Y)
    opt.zero_grad()
    l.backward()
    opt.step()
    it += 1
    if it % 200 == 0:
        print(it, f'{time.time() - t0:.0f}s', float(l), flush=True)
net.eval()
with torch.no_grad():
    b = [sample() for _ in range(1000)]
    pr = net(torch.from_numpy(np.stack([k[0] for k in b]))).argmax(1).numpy()
    Y = np.array([k[1] for k in b])
    print('ACC', (pr == Y).mean(), [round(float((pr[Y == c] == c).mean()), 3) for c in range(5)])
torch.onnx.export(net, torch.zeros(1, T, S, S), OUT, opset_version=12, input_names=['frames'], output_names=['scores'])
print(OUT, os.path.getsize(OUT))
