"""What was measured on, and with which versions."""

import os
import platform
import re
import subprocess
from pathlib import Path

VERSIONS = {
    "ffmpeg": ["ffmpeg", "-version"],
    "GStreamer": ["gst-launch-1.0", "--gst-version"],
    "FastAPI, uvicorn, Pillow": [
        "/usr/bin/python3",
        "-c",
        "import fastapi, uvicorn, PIL, sys; "
        "print(fastapi.__version__, uvicorn.__version__, PIL.__version__, 'on Python', sys.version.split()[0])",
    ],
}


def first_line(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return f"not to be had: {error}"
    lines = (done.stdout or done.stderr).strip().splitlines()
    return re.sub(r" Copyright.*", "", lines[0]) if lines else "no word"


def machine_lines() -> list[str]:
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    lines = [
        f"- CPU: {cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores",
        f"- memory: {int(memory[1]) / 1e6:.1f} GB; kernel: {platform.system()} {platform.release()}",
    ]
    return lines + [f"- {name}: {first_line(argv)}" for name, argv in VERSIONS.items()]
