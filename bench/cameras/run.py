#!/usr/bin/env python3
"""What camgrab costs beside ustreamer, on the same cameras, in one run.

The cameras are the kernel's own: vivid (YUYV at 1280x720, 30 a second) and uvcvideo with uvcsim plugged in (MJPG). They run
in User-Mode Linux, where a program's own code runs at native speed, one process of this machine for each program: what that
process uses between two moments is the program's processor time. The machine's own count is of no use. Its system time is
what stopping at each system call costs there, ten times what a kernel on hardware asks for one.

    bench/cameras/run.py --uml DIR [--out bench/CAMERAS.md]

DIR holds `linux.uml`, a User-Mode Linux kernel with V4L2, vivid, USB/IP and uvcvideo, and `umlmod`, its modules
(`make ARCH=um modules_install INSTALL_MOD_PATH=umlmod`). ustreamer, curl, v4l-utils and busybox-static must be installed.
"""

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 3
TIMINGS = (
    "width=1280,height=720,interlaced=0,polarities=3,pixelclock=74250000,"
    "hfp=1760,hs=40,hbp=220,vfp=5,vs=5,vbp=20"
)  # 720p30: the camera's own webcam mode ends at 12.5 a second
VIVID = f"""modprobe -d $MODULES vivid node_types=0x1 num_inputs=1 input_types=0x3
v4l2-ctl -d /dev/video0 --set-dv-bt-timings {TIMINGS} >/dev/null
"""
UVC = """modprobe -d $MODULES vhci-hcd
modprobe -d $MODULES uvcvideo
uvcsim --control /tmp/control 1280x720=/tmp/out/pictures 2>/tmp/uvcsim.log &
until [ -e /dev/video0 ]; do sleep 0.1; done
"""
# The tool and its reader are started last: their processes have the two highest numbers, and the tool does more.
CAMGRAB = "camgrab -q -s 1280x720 --format {format} --quality 80 /dev/video0 | cat >/tmp/out/frames\n"
USTREAMER = """ustreamer -d /dev/video0 --resolution 1280x720 --format {format} --quality 80 --workers 1 --buffers 5 \\
  --desired-fps 0 --encoder {encoder} --port 8080 >/tmp/ustreamer.log 2>&1 &
sleep 1
curl -sN http://127.0.0.1:8080/stream >/tmp/out/frames
"""
CASES = {
    "vivid, YUYV": (VIVID, CAMGRAB.format(format="yuyv"), USTREAMER.format(format="YUYV", encoder="CPU")),
    "uvcvideo, MJPG": (UVC, CAMGRAB.format(format="mjpeg"), USTREAMER.format(format="MJPEG", encoder="HW")),
}


def make_pictures(directory: Path) -> None:
    directory.mkdir()
    source = "testsrc2=s=1280x720:r=30,noise=all_seed=7:alls=4:allf=t"
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", "8", "-q:v", "6", "-huffman", "default"]
    subprocess.run([*argv, str(directory / "p%d.jpg")], check=True)


def processes(group: int) -> dict[int, tuple[float, float]]:
    """User and system seconds of each process in a group, by number."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found[int(path.parent.name)] = (int(fields[11]) / TICKS, int(fields[12]) / TICKS)
    return found


def measure(uml: Path, binaries: Path, prepare: str, tool: str, seconds: float) -> tuple[float, float, float]:
    """User and system milliseconds a frame, and frames a second."""
    out = Path(tempfile.mkdtemp(prefix="framepipe-cameras-"))
    try:
        make_pictures(out / "pictures")
        path = f"export PATH=/run/host{binaries}:$PATH\n"
        (out / "job").write_text(path + prepare + tool)
        kernel = subprocess.Popen(
            [uml / "linux.uml", "mem=512M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={ROOT}/bench/cameras/init",
             "con=null", "ssl=null", "con0=null,fd:1", "quiet", f"fp.out={out}", f"fp.modules={uml}/umlmod"],
            stdin=subprocess.DEVNULL, stdout=(out / "console").open("wb"), stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            frames = out / "frames"
            deadline = time.monotonic() + 60
            while not (frames.exists() and frames.stat().st_size > 1_000_000):
                if kernel.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"no frames came; the machine's last words:\n{(out / 'console').read_text()[-2000:]}")
                time.sleep(0.1)
            time.sleep(SETTLE_SECONDS)
            before, counted = processes(kernel.pid), frames.read_bytes().count(b"Content-Length")
            time.sleep(seconds)
            after, count = processes(kernel.pid), frames.read_bytes().count(b"Content-Length")
            spent = [
                [late - early for early, late in zip(before[pid], after[pid])]
                for pid in sorted(set(before) & set(after))[-2:]
            ]
            user, system = max(spent, key=sum)
            frames_seen = count - counted
            return user * 1e3 / frames_seen, system * 1e3 / frames_seen, frames_seen / seconds
        finally:
            os.killpg(kernel.pid, signal.SIGKILL)
            kernel.wait()
    finally:
        shutil.rmtree(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uml", type=Path, required=True, help="a folder with linux.uml and umlmod")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin", help="where camgrab and uvcsim are")
    parser.add_argument("--out", type=Path, help="where the table goes, too")
    parser.add_argument("--seconds", type=float, default=12, help="measured time of each (12)")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the median counts (3)")
    options = parser.parse_args()
    lines = [
        "| camera, 1280x720 | camgrab ms/frame: user + system | ustreamer | ratio of the sums |",
        "| --- | --- | --- | --- |",
    ]
    for name, (prepare, *tools) in CASES.items():
        figures = [[], []]
        for _ in range(options.rounds):
            for figure, tool in zip(figures, tools):
                user, system, fps = measure(options.uml.resolve(), options.bin.resolve(), prepare, tool, options.seconds)
                print(f"{name}: {tool.split()[0]}: {user:.2f} + {system:.2f} ms a frame, {fps:.1f} fps", file=sys.stderr)
                figure.append((user + system, user, system))
        ours, theirs = (statistics.median_low(figure) for figure in figures)
        lines.append(
            f"| {name} | {ours[1]:.2f} + {ours[2]:.2f} | {theirs[1]:.2f} + {theirs[2]:.2f} | {ours[0] / theirs[0]:.2f} |"
        )
    table = "\n".join(lines) + "\n"
    print(table, end="")
    if options.out:
        command = f"`bench/cameras/run.py --rounds {options.rounds} --seconds {options.seconds:g}`"
        options.out.write_text(
            f"# camgrab beside ustreamer\n\nWritten by {command}, which says how it is measured: the processor time of"
            f" the program's own process.\n\n{table}"
        )


if __name__ == "__main__":
    main()
