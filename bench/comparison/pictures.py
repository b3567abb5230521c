"""The frames that are fed: ffmpeg's test card with moving noise, so that JPEG has work as with a real camera."""

import subprocess
from pathlib import Path

from .processes import Failure

SIZES = ("640x480", "1280x720")
COUNT = 30
# Gives about 42 KB at 640x480 and 115 KB at 1280x720, what webcams send.
NOISE = 16
QUALITY = 8


def make_pictures(directory: Path, size: str) -> list[Path]:
    directory.mkdir(parents=True, exist_ok=True)
    source = f"testsrc2=size={size}:rate=30,noise=alls={NOISE}:allf=t"
    argv = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", str(COUNT), "-q:v", str(QUALITY)]
    try:
        subprocess.run([*argv, str(directory / "%02d.jpg")], check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Failure(f"cannot make test pictures: {error}") from error
    return sorted(directory.glob("*.jpg"))


def mean_kb(pictures: list[Path]) -> float:
    return sum(picture.stat().st_size for picture in pictures) / len(pictures) / 1e3
