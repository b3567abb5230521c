#include "http/tls_error.h"

#include <openssl/err.h>

namespace fp::http {

std::string take_tls_error() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  const char* const text = ::ERR_reason_error_string(code);
  if (text != nullptr) return text;
  return code == 0 ? "unknown error" : "error " + std::to_string(code);
}

}  // namespace fp::http
