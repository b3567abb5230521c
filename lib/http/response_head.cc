#include "http/response_head.h"

#include <algorithm>

#include "base/text.h"

namespace fp::http {
namespace {

constexpr std::size_t kMostHeaders = 500;
constexpr std::size_t kMostBlankBytes = 4u << 10;  // they are looked through anew with each byte that comes

bool is_token(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return alnum || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_clean(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

// "HTTP/1.1", "HTTP/1.0", "ICY": SHOUTcast's word, which some cameras took over.
constexpr std::string_view kHttp = "HTTP/";
constexpr std::string_view kIcy = "ICY ";

bool could_be(std::string_view text, std::string_view word) {
  return text.substr(0, word.size()) == word.substr(0, text.size());
}

}  // namespace

std::optional<std::string_view> ResponseHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> ResponseHead::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) values.emplace_back(value);
  }
  return values;
}

bool ResponseHead::chunked() const {
  for (const std::string_view value : all("Transfer-Encoding")) {
    for (const std::string_view coding : split(value, ',')) {
      if (equal_ignoring_case(trim(coding), "chunked")) return true;
    }
  }
  return false;
}

std::string ResponseHead::describe() const {
  const std::string number = std::to_string(status);
  return reason.empty() ? number : number + " " + printable(reason, 80);
}

HeadReader::Status HeadReader::bad(std::string text) {
  error_ = std::move(text);
  buffer_.clear();
  return Status::Bad;
}

HeadReader::Kind HeadReader::kind() {
  // Blank lines in front of a head are passed over (RFC 9112, 2.2, says so of requests); in front of a boundary they
  // are the body's.
  const auto begin = buffer_.find_first_not_of("\r\n");
  if (begin == std::string::npos) return Kind::Unsure;
  const std::string_view text = std::string_view(buffer_).substr(begin);
  for (const std::string_view word : {kHttp, kIcy}) {
    if (!could_be(text, word)) continue;
    if (text.size() < word.size()) return Kind::Unsure;
    line_ = searched_ = begin;
    return Kind::Http;
  }
  return Kind::Other;
}

HeadReader::Status HeadReader::feed(ByteView bytes) {
  if (!error_.empty()) return Status::Bad;
  begun_ = begun_ || !bytes.empty();
  buffer_.append(as_text(bytes));
  if (!known_) {
    switch (kind()) {
      case Kind::Unsure:
        return buffer_.size() <= kMostBlankBytes ? Status::More
                                                 : bad("the answer begins with over 4 KiB of blank lines");
      case Kind::Other:
        return Status::Done;
      case Kind::Http:
        known_ = true;
    }
  }
  for (auto end = buffer_.find('\n', searched_); end != std::string::npos; end = buffer_.find('\n', line_)) {
    if (end > kMaxBytes) break;
    std::string_view line = std::string_view(buffer_).substr(line_, end - line_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool boundary = line.starts_with("--") && line.find(':') == std::string_view::npos;
    if (line.empty() || (boundary && !first_line_)) {
      buffer_.erase(0, line.empty() ? end + 1 : line_);
      line_ = searched_ = 0;
      if (head_.status / 100 != 1 || head_.status == 101) return Status::Done;
      if (++interim_ > kMostInterim) return bad("over 16 interim answers (1xx) come before the answer");
      head_ = ResponseHead();
      known_ = false;
      first_line_ = true;
      return feed({});
    }
    if (first_line_ && !read_status_line(line)) return bad("the answer's first line is '" + printable(line, 80) + "'");
    if (!first_line_) read_header_line(line);
    first_line_ = false;
    line_ = searched_ = end + 1;
  }
  searched_ = buffer_.size();
  return buffer_.size() <= kMaxBytes ? Status::More : bad("the answer's head is over 64 KiB");
}

bool HeadReader::read_status_line(std::string_view line) {
  const auto space = line.find_first_of(" \t");
  if (space == std::string_view::npos) return false;
  std::string_view rest = trim(line.substr(space));
  const std::string_view number = rest.substr(0, rest.find_first_of(" \t"));
  const auto status = parse_integer<std::uint16_t>(number);
  if (number.size() != 3 || !status || *status < 100) return false;
  head_.present = true;
  head_.status = *status;
  head_.reason = std::string(trim(rest.substr(number.size())));
  return true;
}

void HeadReader::read_header_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    if (!left_out_ && !head_.headers.empty() && is_clean(line)) {
      head_.headers.back().second += " " + std::string(trim(line));
    }
    return;
  }
  const auto colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  left_out_ =
      colon == std::string_view::npos || !is_token(name) || !is_clean(line) || head_.headers.size() >= kMostHeaders;
  if (!left_out_) head_.headers.emplace_back(name, trim(line.substr(colon + 1)));
}

}  // namespace fp::http
