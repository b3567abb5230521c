// Programs for tests that are asked for frames as a filter is.
#pragma once

#include <string>

#include "support/io.h"

namespace fp::test {

/// A folder with Python filters in it. What they have in common: frames() gives header (bytes) and picture of each
/// part, write() puts one out, with `more` lines in its header.
class FilterChildren {
 public:
  FilterChildren() {
    write_file(dir_ / "frames.py", R"(
import os, sys, time
def frames(stream=sys.stdin.buffer):
    while line := stream.readline():
        if not line.startswith(b"--"): continue
        header = {}
        while (line := stream.readline()).strip():
            name, value = line.decode().split(":", 1)
            header[name.lower()] = value.strip()
        yield header, stream.read(int(header["content-length"]))
def write(picture, *more):
    head = "--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n" % len(picture)
    sys.stdout.buffer.write((head + "".join(line + "\r\n" for line in more) + "\r\n").encode() + picture + b"\r\n")
    sys.stdout.buffer.flush()
def again(header, names=("x-request", "x-timestamp", "x-sequence", "x-camera")):
    return [name + ": " + header[name] for name in names if name in header]
)");
  }
  /// The command that runs this program, which may use all of the above.
  [[nodiscard]] std::string python(const std::string& program) {
    const std::string path = dir_ / ("filter" + std::to_string(++count_) + ".py");
    write_file(path, "from frames import *\n" + program);
    return "exec python3 " + path;
  }
  [[nodiscard]] std::string path(const std::string& name) const { return dir_ / name; }

 private:
  TempDir dir_;
  int count_ = 0;
};

}  // namespace fp::test
