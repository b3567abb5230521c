#!/usr/bin/python3
"""Opens and closes the gate of frame-detect by signals: gate_driver.py PICTURE TIMES COMMAND...

COMMAND is a frame-detect that starts with its gate closed. TIMES times: SIGUSR1, and the next frame that goes in must come
out with X-Detections; SIGUSR2, and the next one must come out byte for byte, without. What it says on standard error
tells when it has heard the signal. Its memory (VmRSS) must not have grown by more than 8 MiB from the tenth time on.
"""
import pathlib
import queue
import signal
import subprocess
import sys
import threading

PATIENCE_S = 30


class Program:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.words = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.sequence = 0

    def listen(self):
        for line in self.process.stderr:
            sys.stderr.buffer.write(line)
            self.words.put(line.decode(errors="replace"))
        self.words.put(None)

    def wait_for(self, words):
        while True:
            line = self.words.get(timeout=PATIENCE_S)
            if line is None:
                sys.exit(f"ended without: {words}")
            if words in line:
                return

    def set_gate(self, is_open):
        self.process.send_signal(signal.SIGUSR1 if is_open else signal.SIGUSR2)
        self.wait_for(f"the gate is {'open' if is_open else 'closed'}")

    def put(self, jpeg):
        self.sequence += 1
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Sequence: {self.sequence}\r\n\r\n"
        self.process.stdin.write(head.encode() + jpeg + b"\r\n")
        self.process.stdin.flush()

    def get(self):
        """The headers and the picture of the next frame."""
        headers, line = {}, self.process.stdout.readline()
        while line == b"\r\n":
            line = self.process.stdout.readline()
        while line not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
            line = self.process.stdout.readline()
        if "content-length" not in headers:
            sys.exit("no frame came")
        return headers, self.process.stdout.read(int(headers["content-length"]))

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


def main(picture, times, *command):
    jpeg = pathlib.Path(picture).read_bytes()
    program = Program(command)
    # Signals are heard once the model is warm; a frame that comes out says so.
    program.put(jpeg)
    program.get()
    before = 0
    for i in range(int(times)):
        for is_open in (True, False):
            program.set_gate(is_open)
            program.put(jpeg)
            headers, payload = program.get()
            words = f"{'opened' if is_open else 'closed'} {i}: frame {headers.get('x-sequence')}"
            if headers.get("x-sequence") != str(program.sequence):
                sys.exit(f"{words}: and not {program.sequence}")
            if ("x-detections" in headers) != is_open:
                sys.exit(f"{words}: {headers}")
            if payload != jpeg:
                sys.exit(f"{words}: another picture")
        if i == 10:
            before = program.memory_kib()
    grown = program.memory_kib() - before
    program.process.stdin.close()
    if program.process.wait(PATIENCE_S) != 0:
        sys.exit(f"exit code {program.process.returncode}")
    if grown > 8192:
        sys.exit(f"grew by {grown} KiB from {before}")
    print(f"{times} times, grown by {grown} KiB")


if __name__ == "__main__":
    main(*sys.argv[1:])
