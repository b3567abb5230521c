#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace fp::bench {

/// The value of a header in a block of lines that end in CRLF, without blanks around it; names compare without case.
std::optional<std::string_view> header(std::string_view block, std::string_view name);

/// Content-Length, or none where it is missing or no number.
std::optional<std::size_t> content_length(std::string_view block);

/// The status of a response head; 0 where it is none.
int http_status(std::string_view block);

}  // namespace fp::bench
