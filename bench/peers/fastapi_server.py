#!/usr/bin/python3
"""A directory of JPEGs as MJPEG: FastAPI, uvicorn, watchdog and Pillow, as a careful Python developer would write it.

usage: fastapi_server.py DIR PORT
"""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from PIL import Image
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Newest:
    """The newest frame, already framed as a part, so that all viewers share the same bytes."""

    def __init__(self) -> None:
        self.changed = asyncio.Condition()
        self.sequence = 0
        self.part = b""

    async def publish(self, jpeg: bytes) -> None:
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        async with self.changed:
            self.part = head.encode() + jpeg + b"\r\n"
            self.sequence += 1
            self.changed.notify_all()

    async def parts(self) -> AsyncIterator[bytes]:
        seen = 0
        while True:
            async with self.changed:
                await self.changed.wait_for(lambda: self.sequence != seen)
                seen, part = self.sequence, self.part
            yield part


class Handler(FileSystemEventHandler):
    """Runs in watchdog's thread; hands whole pictures over to the event loop."""

    def __init__(self, newest: Newest, loop: asyncio.AbstractEventLoop) -> None:
        self.newest = newest
        self.loop = loop

    def on_moved(self, event: FileSystemEvent) -> None:
        self.offer(Path(event.dest_path))

    def on_closed(self, event: FileSystemEvent) -> None:
        self.offer(Path(event.src_path))

    def offer(self, path: Path) -> None:
        if path.suffix.lower() not in (".jpg", ".jpeg"):
            return
        # A file may be gone again, or be no picture (Pillow raises several kinds of errors): the next one will do.
        with suppress(OSError, SyntaxError, ValueError):
            jpeg = path.read_bytes()
            Image.open(io.BytesIO(jpeg)).verify()
            asyncio.run_coroutine_threadsafe(self.newest.publish(jpeg), self.loop)


def main() -> None:
    directory, port = sys.argv[1], int(sys.argv[2])
    app = FastAPI()
    observer = Observer()

    @app.on_event("startup")
    async def start() -> None:
        app.state.newest = Newest()
        observer.schedule(Handler(app.state.newest, asyncio.get_running_loop()), directory)
        observer.start()

    @app.on_event("shutdown")
    def stop() -> None:
        observer.stop()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(app.state.newest.parts(), media_type="multipart/x-mixed-replace; boundary=frame")

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
