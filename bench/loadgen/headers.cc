#include "loadgen/headers.h"

#include <strings.h>

#include <charconv>

namespace fp::bench {

std::optional<std::string_view> header(std::string_view block, std::string_view name) {
  while (!block.empty()) {
    const std::size_t end = block.find("\r\n");
    const std::string_view line = block.substr(0, end);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
      std::string_view value = line.substr(name.size() + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      while (value.ends_with(' ')) value.remove_suffix(1);
      return value;
    }
    if (end == std::string_view::npos) break;
    block.remove_prefix(end + 2);
  }
  return {};
}

std::optional<std::size_t> content_length(std::string_view block) {
  const auto value = header(block, "Content-Length");
  std::size_t length = 0;
  if (!value || std::from_chars(value->data(), value->data() + value->size(), length).ec != std::errc()) return {};
  return length;
}

int http_status(std::string_view block) {
  int status = 0;
  if (!block.starts_with("HTTP/1.") || block.size() < 12) return 0;
  std::from_chars(block.data() + 9, block.data() + 12, status);
  return status;
}

}  // namespace fp::bench
