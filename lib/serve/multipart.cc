#include "serve/multipart.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdio>

#include "base/result.h"

namespace fp {

std::string make_advance_boundary() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) throw Failure{Exit::System, io_error("getrandom").text};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "frame-%016llx", static_cast<unsigned long long>(bits));
  return text.data();
}

std::string advance_headers(const std::string& boundary) {
  return "--" + boundary + "\r\nContent-Type: image/jpeg\r\n\r\n";
}

}  // namespace fp
