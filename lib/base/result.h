// What can go wrong, as values: Error and Result for what a running program survives, Failure for what ends it.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace fp {

/// Something the world did: a peer, a file, a camera, a JPEG. Never a bug of ours (those are asserts).
struct Error {
  enum class Kind { Io, Malformed, TooLarge, Unsupported };
  Kind kind = Kind::Io;
  int sys = 0;       ///< errno when kind is Io, else 0
  std::string text;  ///< for people: "open /dev/video0: Permission denied"; no full stop, no newline

  /// The same error with "where: " in front. The context is put there once, by whoever knows it.
  [[nodiscard]] Error in(std::string_view where) && {
    text.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
};

/// An Error of kind Io from errno (or `sys`), with what was being done in front: "open /tmp/x: Permission denied".
[[nodiscard]] Error io_error(std::string_view doing);
[[nodiscard]] Error io_error(std::string_view doing, int sys);

template <typename T>
using Result = tl::expected<T, Error>;
struct Done {};  ///< the value of a Result that has nothing to say

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }
[[nodiscard]] inline tl::unexpected<Error> malformed(std::string text) {
  return fail(Error{Error::Kind::Malformed, 0, std::move(text)});
}

/// Exit codes as in sysexits(3).
enum class Exit : int {
  Done = 0,
  Usage = 64,
  BadData = 65,
  NoInput = 66,
  Unavailable = 69,
  Software = 70,
  System = 71,
  CannotCreate = 73,
  Io = 74,
  Permission = 77,
  Config = 78,
};

/// Ends the program: thrown at start-up (or where going on makes no sense), caught once, in cli::run.
struct Failure {
  Exit code;
  std::string text;  ///< "THING: reason (mend)"; the tool's name is put in front where it is printed
};

/// The Failure that an Error turns into when it ends the program: EACCES and EPERM become Permission, ENOENT becomes
/// NoInput, and so on.
[[nodiscard]] Failure failure_of(const Error& error);

}  // namespace fp
