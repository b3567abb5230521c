#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace fp {

Error io_error(std::string_view doing, int sys) {
  return Error{Error::Kind::Io, sys, std::string(doing) + ": " + std::generic_category().message(sys)};
}

Error io_error(std::string_view doing) { return io_error(doing, errno); }

Failure failure_of(const Error& error) {
  if (error.kind == Error::Kind::Unsupported) return {Exit::Usage, error.text};
  if (error.kind != Error::Kind::Io) return {Exit::BadData, error.text};
  switch (error.sys) {
    case EACCES:
    case EPERM:
      return {Exit::Permission, error.text};
    case ENOENT:
    case ENODEV:
    case ENOTDIR:
      return {Exit::NoInput, error.text};
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ETIMEDOUT:
      return {Exit::Unavailable, error.text};
    case ENOSPC:
    case EROFS:
    case EEXIST:
      return {Exit::CannotCreate, error.text};
    default:
      return {Exit::Io, error.text};
  }
}

}  // namespace fp
