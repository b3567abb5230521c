#include "http/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace fp::http {

namespace beast = boost::beast::http;

struct RequestParser::Beast {
  beast::request_parser<beast::string_body> parser;
  Beast() {
    parser.header_limit(kMaxHeaderBytes);
    parser.body_limit(kMaxBodyBytes);
  }
};

RequestParser::RequestParser() : beast_(std::make_unique<Beast>()) {}
RequestParser::~RequestParser() = default;

RequestParser::Status RequestParser::bad(int status, std::string text) {
  error_status_ = status;
  error_text_ = std::move(text);
  return Status::Bad;
}

RequestParser::Status RequestParser::feed(ByteView bytes) {
  buffer_.append(as_text(bytes));
  return parse();
}

RequestParser::Status RequestParser::next() {
  beast_ = std::make_unique<Beast>();
  request_ = Request();
  begun_ = false;
  return parse();
}

RequestParser::Status RequestParser::parse() {
  if (error_status_ != 0) return Status::Bad;
  auto& parser = beast_->parser;
  while (!buffer_.empty() && !parser.is_done()) {
    boost::system::error_code error;
    const std::size_t taken = parser.put(boost::asio::buffer(buffer_), error);
    buffer_.erase(0, taken);
    begun_ = begun_ || taken > 0;
    if (error == beast::error::need_more) {
      // The parser wants a whole line (or header) before it takes anything.
      if (buffer_.size() > kMaxHeaderBytes) return bad(431, "the request's header is over 16 KiB");
      return Status::More;
    }
    if (error == beast::error::header_limit) return bad(431, "the request's header is over 16 KiB");
    if (error == beast::error::body_limit) return bad(413, "the request's body is over 64 KiB");
    if (error) return bad(400, "malformed request: " + error.message());
    if (parser.is_header_done()) {
      // Beast 1.74 meets an assertion of its own in some malformed chunk headers. RFC 9110, 15.5.12.
      if (parser.chunked()) return bad(411, "a request's body must have a Content-Length, and not come in chunks");
      parser.eager(true);
    }
  }
  if (!parser.is_done()) return Status::More;

  auto& message = parser.get();
  request_.method = std::string(message.method_string());
  request_.version = static_cast<int>(message.version());
  request_.keep_alive = message.keep_alive();
  for (const auto& field : message) {
    request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  // RFC 9112, 3.2: with two, somebody in between may have looked at the other one.
  if (message.count("Host") > 1) return bad(400, "a request with two Host headers");
  request_.body = std::move(message.body());
  const std::string target(message.target());
  if (!parse_target(target, request_)) return bad(400, "malformed request target");
  if (request_.version >= 11 && !request_.header("Host")) return bad(400, "an HTTP/1.1 request without Host");
  return Status::Done;
}

}  // namespace fp::http
