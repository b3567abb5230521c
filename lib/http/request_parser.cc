#include "http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

#include "base/text.h"

namespace fp::http {

namespace beast = boost::beast::http;

namespace {

// For people, and exact: limits are set in powers of two.
std::string size_text(std::size_t bytes) {
  constexpr std::size_t kMebi = 1U << 20U;
  return bytes % kMebi == 0 ? std::to_string(bytes / kMebi) + " MiB" : std::to_string(bytes >> 10U) + " KiB";
}

}  // namespace

struct RequestParser::Beast {
  beast::request_parser<beast::empty_body> parser;
  Beast() {
    parser.header_limit(kMaxHeaderBytes);
    parser.skip(true);  // the body is read here, by a limit that is known when the header is
  }
};

RequestParser::RequestParser(BodyLimit limit, BodyBudget* budget)
    : limit_(std::move(limit)), beast_(std::make_unique<Beast>()), share_(budget) {}
RequestParser::~RequestParser() = default;

RequestParser::Status RequestParser::bad(int status, std::string text) {
  error_status_ = status;
  error_text_ = std::move(text);
  return Status::Bad;
}

RequestParser::Status RequestParser::feed(ByteView bytes) {
  if (error_status_ != 0) return Status::Bad;
  // A large body comes in many portions: they go where they belong at once.
  if (in_body_ && at_ == buffer_.size()) bytes = take_body(bytes);
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(as_text(bytes));
  return parse();
}

RequestParser::Status RequestParser::next() {
  beast_ = std::make_unique<Beast>();
  request_ = Request();
  share_.release();
  begun_ = in_body_ = expects_ = chunked_ = false;
  announced_ = 0;
  return parse();
}

RequestParser::Status RequestParser::parse() {
  if (error_status_ == 0 && !in_body_) {
    if (const Status status = parse_header(); status != Status::Done) return status;
  }
  if (error_status_ != 0) return Status::Bad;
  at_ = buffer_.size() - take_body(as_bytes(buffer_).subspan(at_)).size();
  if (error_status_ != 0) return Status::Bad;
  // An idle connection is to cost little.
  if (at_ == buffer_.size()) {
    buffer_ = std::string();
    at_ = 0;
  }
  return request_.body.size() == announced_ ? Status::Done : Status::More;
}

// Done: the header is.
RequestParser::Status RequestParser::parse_header() {
  auto& parser = beast_->parser;
  while (at_ < buffer_.size() && !parser.is_header_done()) {
    boost::system::error_code error;
    const std::size_t taken = parser.put(boost::asio::buffer(buffer_) + at_, error);
    at_ += taken;
    begun_ = begun_ || taken > 0;
    if (error == beast::error::need_more) {
      // The parser wants a whole line (or header) before it takes anything.
      if (buffer_.size() - at_ > kMaxHeaderBytes) return bad(431, "the request's header is over 16 KiB");
      return Status::More;
    }
    if (error == beast::error::header_limit) return bad(431, "the request's header is over 16 KiB");
    if (error) return bad(400, "malformed request: " + error.message());
  }
  return parser.is_header_done() ? begin_body() : Status::More;
}

RequestParser::Status RequestParser::begin_body() {
  auto& parser = beast_->parser;
  in_body_ = true;
  // Beast 1.74 meets an assertion of its own in some malformed chunk headers. RFC 9110, 15.5.12.
  chunked_ = parser.chunked();
  announced_ = chunked_ ? 0 : parser.content_length().value_or(0);
  if (chunked_) return bad(411, "a request's body must have a Content-Length, and not come in chunks");
  auto& message = parser.get();
  request_.method = std::string(message.method_string());
  request_.version = static_cast<int>(message.version());
  request_.keep_alive = message.keep_alive();
  for (const auto& field : message) {
    request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  // RFC 9112, 3.2: with two, somebody in between may have looked at the other one.
  if (message.count("Host") > 1) return bad(400, "a request with two Host headers");
  const std::string target(message.target());
  if (!parse_target(target, request_)) return bad(400, "malformed request target");
  if (request_.version >= 11 && !request_.header("Host")) return bad(400, "an HTTP/1.1 request without Host");

  const std::size_t limit = limit_ ? limit_(request_) : kMaxBodyBytes;
  if (announced_ > limit) return bad(413, "the request's body is over " + size_text(limit));
  // RFC 9110, 10.1.1: a 1.0 client's expectation is ignored.
  const auto expect = request_.header("Expect");
  expects_ = announced_ > 0 && request_.version >= 11 && expect && equal_ignoring_case(trim(*expect), "100-continue");
  return Status::Done;
}

// Takes what belongs to the body, and returns what comes behind it.
ByteView RequestParser::take_body(ByteView bytes) {
  std::string& body = request_.body;
  const ByteView mine = bytes.first(std::min(bytes.size(), announced_ - body.size()));
  if (mine.empty()) return bytes;
  expects_ = false;  // it has not waited
  const std::size_t needed = body.size() + mine.size();
  if (needed > body.capacity()) {
    // By doubling, so that nothing is copied again and again; never over what was announced.
    const std::size_t room = std::min<std::size_t>(announced_, std::max(needed, 2 * body.capacity()));
    if (announced_ > kMaxBodyBytes && !share_.grow_to(room)) {
      (void)bad(503, "too many large requests at once");
      return {};
    }
    body.reserve(room);
  }
  body.append(as_text(mine));
  return bytes.subspan(mine.size());
}

std::string RequestParser::take_rest() {
  std::string rest = buffer_.substr(at_);
  buffer_ = std::string();
  at_ = 0;
  return rest;
}

void RequestParser::forget_body() {
  request_.body = std::string();
  share_.release();
}

bool RequestParser::awaits_continue() { return std::exchange(expects_, false); }

}  // namespace fp::http
