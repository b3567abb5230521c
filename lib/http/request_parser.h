// HTTP/1.1 requests out of bytes: Boost.Beast's parser for the header, and the body behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "http/body_budget.h"
#include "http/message.h"

namespace fp::http {

/// How large the body of this request may be, in bytes; asked when its header is complete.
using BodyLimit = std::function<std::size_t(const Request&)>;

/// Parses one request at a time from bytes in any portions. No I/O, one thread. Memory: the header's limit, the body's,
/// and the portion at hand.
class RequestParser {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 16u << 10;
  static constexpr std::size_t kMaxBodyBytes = 64u << 10;  ///< where no BodyLimit says otherwise
  enum class Status { More, Done, Bad };

  /// Bodies over kMaxBodyBytes are counted in `budget` (which lives as long as this), until next() or the end: so a
  /// small one is taken while large ones have used it up. Without a budget there is none.
  explicit RequestParser(BodyLimit limit = {}, BodyBudget* budget = nullptr);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser();

  /// Takes bytes. Done: request() is whole, and bytes behind it wait for the next call of next().
  Status feed(ByteView bytes);
  /// Forgets the request that is done and goes on with what came behind it.
  Status next();
  /// After Done: the bytes behind the request, which are taken away.
  [[nodiscard]] std::string take_rest();
  /// Nothing will come any more: the memory of what has come of a body goes, and its part of the budget.
  void forget_body();
  [[nodiscard]] Request& request() { return request_; }
  /// After Bad: the status to answer with, and why. 413: over the limit; 503: over the budget.
  [[nodiscard]] int error_status() const { return error_status_; }
  [[nodiscard]] const std::string& error_text() const { return error_text_; }
  /// Nothing of a request has come yet.
  [[nodiscard]] bool idle() const { return at_ == buffer_.size() && !begun_; }
  /// How much of the body has come.
  [[nodiscard]] std::size_t body_bytes() const { return request_.body.size(); }
  /// The peer is sending a body, or will, that is not read yet: it may see an answer only when it has sent it.
  [[nodiscard]] bool unread_body() const { return chunked_ || request_.body.size() < announced_; }
  /// The peer wants to hear "100 Continue" before it sends the body. True once for a request.
  [[nodiscard]] bool awaits_continue();

 private:
  struct Beast;
  Status parse();
  Status parse_header();
  Status begin_body();
  ByteView take_body(ByteView bytes);
  Status bad(int status, std::string text);

  const BodyLimit limit_;
  std::unique_ptr<Beast> beast_;
  std::string buffer_;  // not taken yet, from at_ on
  std::size_t at_ = 0;
  bool begun_ = false;
  bool in_body_ = false;  // the header is read
  bool expects_ = false;
  bool chunked_ = false;
  std::uint64_t announced_ = 0;  // by Content-Length
  BodyBudget::Share share_;
  Request request_;
  int error_status_ = 0;
  std::string error_text_;
};

}  // namespace fp::http
