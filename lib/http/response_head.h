// The head of an answer, as cameras send it (RFC 9112, and worse).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace fp::http {

struct ResponseHead {
  bool present = false;  ///< false: there was none, the body began at once
  int status = 200;
  std::string reason;  ///< "" when none came
  std::vector<std::pair<std::string, std::string>> headers;

  /// The first header of that name, any case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] bool chunked() const;
  /// "404 Not Found", "404".
  [[nodiscard]] std::string describe() const;
};

/// Takes bytes until a head is whole. Interim answers (1xx) are passed over. Memory: kMaxBytes and what feed() got
/// last.
///
/// Reads what real cameras send: lines that end in LF alone, `ICY 200 OK`, no reason, blank lines in front. A line that
/// is no header (no colon, a space in its name, control characters) is left out, folded lines are joined (RFC 9112,
/// 5.2), and a boundary ends a head whose blank line was forgotten. Bytes that are no head at all, such as a JPEG's,
/// are the body of one that is not present.
class HeadReader {
 public:
  static constexpr std::size_t kMaxBytes = 64u << 10;
  static constexpr int kMostInterim = 16;
  enum class Status { More, Done, Bad };

  Status feed(ByteView bytes);
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  /// After Done: the bytes behind the head.
  [[nodiscard]] std::string take_rest() { return std::exchange(buffer_, {}); }
  /// After Bad.
  [[nodiscard]] const std::string& error_text() const { return error_; }
  [[nodiscard]] bool begun() const { return !buffer_.empty() || begun_; }  ///< has anything come?

 private:
  enum class Kind { Unsure, Http, Other };
  [[nodiscard]] Kind kind();
  Status bad(std::string text);
  bool read_status_line(std::string_view line);
  void read_header_line(std::string_view line);

  std::string buffer_;
  std::size_t line_ = 0;      // where the line in hand begins
  std::size_t searched_ = 0;  // how far it has been searched for its end
  bool known_ = false;        // that it is a head
  bool begun_ = false;
  bool first_line_ = true;
  int interim_ = 0;        // answers before this one
  bool left_out_ = false;  // the last line was: one folded behind it goes, too
  ResponseHead head_;
  std::string error_;
};

}  // namespace fp::http
