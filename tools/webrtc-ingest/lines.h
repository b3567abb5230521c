// Bytes of a child's output into lines.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace fp::ingest {

/// Memory: one line of at most `most_bytes`. A longer one is thrown away up to its end, and counted.
class Lines {
 public:
  using Line = std::function<void(std::string_view line)>;
  explicit Lines(std::size_t most_bytes) : most_bytes_(most_bytes) {}
  /// Calls `line` with each line that is whole now, without its LF or CRLF; empty ones are left out.
  void feed(std::string_view bytes, const Line& line);
  [[nodiscard]] std::uint64_t too_long() const { return too_long_; }

 private:
  void add(std::string_view bytes);

  std::size_t most_bytes_;
  std::string begun_;
  bool skipping_ = false;  // the rest of a line that is too long
  std::uint64_t too_long_ = 0;
};

}  // namespace fp::ingest
