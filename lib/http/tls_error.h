// What OpenSSL has to say, for people.
#pragma once

#include <string>

namespace fp::http {

/// The first error that OpenSSL has noted on this thread, in its words: "unsupported protocol". None is left for later.
[[nodiscard]] std::string take_tls_error();

}  // namespace fp::http
