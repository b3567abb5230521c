#include "http/client.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace fp::http {
namespace {

using namespace std::chrono_literals;

// Cameras lock an address out after a few wrong passwords, and what is not there will hardly be there in a second.
constexpr auto kPauseAfterRefusal = 5000ms;
constexpr int kMostPortions = 4;  // of chunks' wrapping, in one read()

Error unsupported(std::string text) { return {Error::Kind::Unsupported, 0, std::move(text)}; }

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string seconds(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

Client::Client(Url url, Options options, const Clock& clock)
    : first_(std::move(url)), options_(std::move(options)), clock_(clock), url_(first_) {
  const auto& credentials = options_.credentials ? options_.credentials : first_.credentials;
  if (credentials) authenticator_.emplace(*credentials);
}
Client::~Client() = default;

void Client::start() {
  redirects_ = 0;
  pause_ = 0ms;
  if (authenticator_) authenticator_->begin();
  state_ = State::Opening;
  open(first_);
}

void Client::close() {
  drop_connection();
  state_ = State::Idle;
}

void Client::drop_connection() {
  if (connector_) generation_ += connector_->wait().generation;
  ++generation_;
  connector_.reset();
  transport_.reset();
  chunks_.reset();
  in_.clear();
  in_at_ = 0;
  out_.clear();
  drained_ = true;
}

void Client::open(const Url& url) {
  drop_connection();
  head_ = HeadReader();
  url_ = url;
  stage_ = Stage::Connect;
  connector_.emplace(url_.host, url_.port, clock_.steady(), options_.connect_time);
}

bool Client::fail_with(Error error, std::chrono::milliseconds pause) {
  drop_connection();
  error_ = std::move(error);
  pause_ = pause;
  state_ = State::Failed;
  return false;
}

const char* Client::waits_for() const {
  switch (stage_) {
    case Stage::Connect:
      return connector_ && connector_->looking_up() ? "the name look-up" : "the connection";
    case Stage::Handshake:
      return "TLS";
    case Stage::Request:
    case Stage::Head:
      return "the answer";
    case Stage::Body:
      break;
  }
  return "a frame";
}

Wait Client::wait() const {
  if (state_ != State::Opening && state_ != State::Open) return {-1, false, std::nullopt, generation_};
  if (connector_) {
    Wait wait = connector_->wait();
    wait.generation += generation_;
    return wait;
  }
  Wait wait{transport_->fd(), transport_->wants_write(), std::nullopt, generation_};
  if (state_ == State::Opening) {
    wait.until = until_;
  } else if (!drained_ && (in_at_ < in_.size() || transport_->holds_bytes())) {
    wait.until = clock_.steady();  // of which the descriptor will never tell
  }
  return wait;
}

Client::State Client::advance() {
  while (state_ == State::Opening && step()) {
  }
  return state_;
}

bool Client::step() {
  if (stage_ != Stage::Connect && clock_.steady() >= until_) {
    return fail_with({Error::Kind::Io, ETIMEDOUT,
                      std::string(stage_ == Stage::Handshake ? "no TLS" : "no whole answer") + " within " +
                          seconds(options_.head_time)});
  }
  switch (stage_) {
    case Stage::Connect:
      return connect_step();
    case Stage::Handshake:
      return handshake_step();
    case Stage::Request:
      return request_step();
    case Stage::Head:
      return head_step();
    case Stage::Body:
      break;
  }
  return false;
}

bool Client::connect_step() {
  auto socket = connector_->advance(clock_.steady());
  if (!socket) return false;
  generation_ += connector_->wait().generation + 1;
  connector_.reset();
  if (!*socket) return fail_with(std::move(*socket).error());
  transport_.emplace(std::move(**socket));
  until_ = clock_.steady() + options_.head_time;
  stage_ = Stage::Request;
  if (url_.secure) {
    if (!trust_) {
      auto trust = TlsTrust::load(options_.ca_file, options_.insecure);
      if (!trust) return fail_with(std::move(trust).error());
      trust_ = std::move(*trust);
    }
    if (auto begun = transport_->begin_tls(*trust_, url_.host); !begun) return fail_with(std::move(begun).error());
    stage_ = Stage::Handshake;
    return true;
  }
  out_ = request_text();
  return state_ == State::Opening;
}

bool Client::handshake_step() {
  auto status = transport_->handshake();
  if (!status) {
    Error error = std::move(status).error();
    const bool certificate = error.text.starts_with("certificate: ");
    if (certificate) error.text += " (" + options_.certificate_hint + ")";
    return fail_with(std::move(error), certificate ? kPauseAfterRefusal : 0ms);
  }
  if (*status == Transport::Status::Again) return false;
  stage_ = Stage::Request;
  out_ = request_text();
  return state_ == State::Opening;
}

std::string Client::request_text() {
  // Accept names no image: servers would take us for a browser, and frame the stream for one.
  std::string text = "GET " + url_.target + " HTTP/1.1\r\nHost: " + url_.authority() +
                     "\r\nUser-Agent: " + options_.user_agent +
                     "\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n";
  if (authenticator_ && url_.same_origin(first_)) {
    auto value = authenticator_->authorization("GET", url_.target);
    if (!value) {
      fail_with(std::move(value).error(), kPauseAfterRefusal);
      return {};
    }
    if (!value->empty()) text += "Authorization: " + *value + "\r\n";
  }
  return text + "\r\n";
}

bool Client::request_step() {
  auto status = transport_->write(out_);
  // A server that has answered and closed before it read all of the request: its answer says why.
  if (status && *status == Transport::Status::Again) return false;
  stage_ = Stage::Head;
  return true;
}

bool Client::head_step() {
  auto got = transport_->read(portion_);
  if (!got) return fail_with(std::move(got).error());
  if (got->again) return false;
  if (got->size == 0) {
    return fail_with({Error::Kind::Io, ECONNRESET,
                      head_.begun() ? "the server closed the connection in the middle of its answer's head"
                                    : "the server closed the connection without an answer"});
  }
  switch (head_.feed(ByteView(portion_).first(got->size))) {
    case HeadReader::Status::More:
      return true;
    case HeadReader::Status::Bad:
      return fail_with({Error::Kind::Malformed, 0, head_.error_text()});
    case HeadReader::Status::Done:
      break;
  }
  return head_done();
}

bool Client::head_done() {
  const ResponseHead& answer = head_.head();
  if (is_redirect(answer.status)) return redirect();
  if (answer.status == 401) return answer_challenge();
  if (answer.status / 100 != 2 || answer.status == 204 || answer.status == 205) {
    return fail_with({Error::Kind::Io, 0, answer.describe()}, answer.status / 100 == 4 ? kPauseAfterRefusal : 0ms);
  }
  const auto encoding = answer.header("Content-Encoding");
  if (encoding && !encoding->empty() && !equal_ignoring_case(*encoding, "identity")) {
    return fail_with(
        unsupported("the answer is compressed (" + printable(*encoding, 40) + "), which was not asked for"));
  }
  in_ = head_.take_rest();
  in_at_ = 0;
  drained_ = false;
  if (answer.chunked()) chunks_.emplace();
  refused_ = 0;
  stage_ = Stage::Body;
  state_ = State::Open;
  return false;
}

bool Client::redirect() {
  const auto location = head().header("Location");
  if (!location) return fail_with({Error::Kind::Malformed, 0, head().describe() + ": a redirect to nowhere"});
  auto target = resolve(url_, *location);
  if (!target) return fail_with(std::move(target).error().in(std::to_string(head().status)), kPauseAfterRefusal);
  if (url_.secure && !target->secure) {
    return fail_with(unsupported("a redirect from https to http (" + target->text() + ") is not followed"),
                     kPauseAfterRefusal);
  }
  if (options_.may_follow && !options_.may_follow(*target)) {
    return fail_with(unsupported("a redirect to " + target->authority() + " is not allowed here"), kPauseAfterRefusal);
  }
  if (++redirects_ > kMostRedirects) {
    return fail_with(
        unsupported("more than " + std::to_string(kMostRedirects) + " redirects, the last to " + target->text()),
        kPauseAfterRefusal);
  }
  open(*target);
  return true;
}

bool Client::answer_challenge() {
  if (!authenticator_) {
    return fail_with(unsupported("401: the camera wants a user and a password (" + options_.credentials_hint + ")"),
                     kPauseAfterRefusal);
  }
  if (!url_.same_origin(first_)) {
    return fail_with(unsupported("401: " + url_.text() +
                                 ", to which it redirects, wants a user and a password; they "
                                 "are only sent to " +
                                 first_.authority() + " (give the other URL in its place)"),
                     kPauseAfterRefusal);
  }
  const auto answered = authenticator_->challenged(head().all("WWW-Authenticate"));
  if (!answered) {
    // Cameras lock out who tries a wrong password too often: each time the wait is twice as long.
    const auto wait = std::min<std::chrono::milliseconds>(kPauseAfterRefusal * (1 << std::min(refused_++, 6)), 5min);
    return fail_with(unsupported("401: " + answered.error().text), wait);
  }
  open(Url(url_));
  return true;
}

Result<std::size_t> Client::read(std::span<std::uint8_t> room, bool& again) {
  again = false;
  if (state_ != State::Open) return 0;
  const auto broken = [this](Error error) -> Result<std::size_t> {
    fail_with(error);
    return fail(std::move(error));
  };
  for (int portions = 0;;) {
    if (in_at_ < in_.size()) {
      const ByteView have = as_bytes(in_).subspan(in_at_);
      ChunkDecoder::Step step;
      if (chunks_) {
        step = chunks_->decode(have, room);
        if (chunks_->bad()) return broken({Error::Kind::Malformed, 0, "a malformed chunk in the answer"});
      } else {
        step.taken = step.given = std::min(have.size(), room.size());
        std::memcpy(room.data(), have.data(), step.given);
      }
      in_at_ += step.taken;
      if (in_at_ == in_.size()) {
        in_.clear();
        in_at_ = 0;
      }
      drained_ = false;
      if (step.given > 0) return step.given;
    }
    if (chunks_ && chunks_->done()) break;
    // A chunk's data goes to where it belongs, without a copy in between.
    const std::uint64_t ahead = chunks_ ? chunks_->data_ahead() : room.size();
    const std::span<std::uint8_t> where =
        ahead > 0 ? room.first(static_cast<std::size_t>(std::min<std::uint64_t>(ahead, room.size()))) : portion_;
    auto got = transport_->read(where);
    if (!got) return broken(std::move(got).error());
    if (got->again) {
      again = drained_ = true;
      return 0;
    }
    if (got->size == 0) break;
    drained_ = false;
    if (ahead > 0) {
      if (chunks_) chunks_->skip_data(got->size);
      return got->size;
    }
    // Wrapping without data could go on for ever: others have their turn in between.
    if (++portions > kMostPortions) {
      again = true;
      in_.assign(as_text(ByteView(portion_).first(got->size)));
      return 0;
    }
    in_.assign(as_text(ByteView(portion_).first(got->size)));
  }
  drop_connection();
  state_ = State::Ended;
  return 0;
}

}  // namespace fp::http
