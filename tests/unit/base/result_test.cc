#include "base/result.h"

#include <doctest/doctest.h>

#include <cerrno>

namespace {

using namespace fp;

TEST_CASE("io_error: says what was being done and why it failed") {
  const Error error = io_error("open /dev/video0", EACCES);
  CHECK(error.kind == Error::Kind::Io);
  CHECK(error.sys == EACCES);
  CHECK(error.text == "open /dev/video0: Permission denied");
}

TEST_CASE("io_error: takes errno when no other number is given") {
  errno = ENOENT;
  CHECK(io_error("open /x").sys == ENOENT);
}

TEST_CASE("Error: context is put in front, and the rest stays") {
  const Error error = io_error("read", EIO).in("camera front");
  CHECK(error.text == "camera front: read: Input/output error");
  CHECK(error.sys == EIO);
}

TEST_CASE("failure_of: each cause has its exit code") {
  struct Case {
    Error::Kind kind;
    int sys;
    Exit code;
  };
  using Kind = Error::Kind;
  const Case cases[] = {
      {Kind::Io, EACCES, Exit::Permission},        {Kind::Io, EPERM, Exit::Permission},
      {Kind::Io, ENOENT, Exit::NoInput},           {Kind::Io, ENODEV, Exit::NoInput},
      {Kind::Io, ENOTDIR, Exit::NoInput},          {Kind::Io, EADDRINUSE, Exit::Unavailable},
      {Kind::Io, ECONNREFUSED, Exit::Unavailable}, {Kind::Io, EHOSTUNREACH, Exit::Unavailable},
      {Kind::Io, ENOSPC, Exit::CannotCreate},      {Kind::Io, EIO, Exit::Io},
      {Kind::Malformed, 0, Exit::BadData},         {Kind::TooLarge, 0, Exit::BadData},
      {Kind::Unsupported, 0, Exit::Usage},
  };
  for (const Case& one : cases) {
    CAPTURE(static_cast<int>(one.kind));
    CAPTURE(one.sys);
    const Failure failure = failure_of(Error{one.kind, one.sys, "the text"});
    CHECK(static_cast<int>(failure.code) == static_cast<int>(one.code));
    CHECK(failure.text == "the text");
  }
}

}  // namespace
