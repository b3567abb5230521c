// HTTP/1.1 requests out of bytes: Boost.Beast's parser behind a small face.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "http/message.h"

namespace fp::http {

/// Parses one request at a time from bytes in any portions. No I/O, one thread. Memory: the limits below.
class RequestParser {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 16u << 10;
  static constexpr std::size_t kMaxBodyBytes = 64u << 10;
  enum class Status { More, Done, Bad };

  RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser();

  /// Takes bytes. Done: request() is whole, and bytes behind it wait for the next call of next().
  Status feed(ByteView bytes);
  /// Forgets the request that is done and goes on with what came behind it.
  Status next();
  [[nodiscard]] Request& request() { return request_; }
  /// After Bad: the status to answer with, and why.
  [[nodiscard]] int error_status() const { return error_status_; }
  [[nodiscard]] const std::string& error_text() const { return error_text_; }
  /// Nothing of a request has come yet.
  [[nodiscard]] bool idle() const { return buffer_.empty() && !begun_; }

 private:
  struct Beast;
  Status parse();
  Status bad(int status, std::string text);
  std::unique_ptr<Beast> beast_;
  std::string buffer_;  // not taken by the parser yet
  bool begun_ = false;
  Request request_;
  int error_status_ = 0;
  std::string error_text_;
};

}  // namespace fp::http
