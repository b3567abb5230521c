// One GET whose body is read as it comes: a camera's stream, or a picture.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/connector.h"
#include "base/result.h"
#include "base/wait.h"
#include "http/auth.h"
#include "http/chunks.h"
#include "http/response_head.h"
#include "http/transport.h"
#include "http/url.h"

namespace fp::http {

/// Gets one URL, again and again if asked to: looks up, connects, does TLS, asks, follows redirects, answers a 401,
/// and then lends out the body. Blocks nowhere and has no loop: wait() says what to wait for, advance() does it.
///
/// A Content-Length is ignored (cameras send 0, -1 and 999999999 for streams): a body ends with its last chunk or with
/// the connection. User and password go only to the origin that they were given for, and only when it asks. From https
/// no redirect leads to http. Memory: HeadReader's, and 64 KiB. One thread. SIGPIPE must be ignored.
class Client {
 public:
  struct Options {
    std::optional<Credentials> credentials = {};  ///< in place of the URL's own
    std::string user_agent = "framepipe";
    std::string ca_file = {};                                    ///< PEM; "": the system's authorities
    bool insecure = false;                                       ///< https without looking at the certificate
    std::chrono::milliseconds connect_time = Connector::kLimit;  ///< look-up and connect
    std::chrono::milliseconds head_time{10'000};                 ///< from there to the whole head
    /// Asked about each redirect; nothing: all that are safe for the password and from https are followed.
    std::function<bool(const Url&)> may_follow = {};
    // How the program at hand lets its user mend things: put in brackets behind what went wrong.
    std::string credentials_hint = "http://USER:PASSWORD@HOST/...";
    std::string certificate_hint = "SSL_CERT_FILE=FILE trusts the certificates in FILE";
  };
  enum class State {
    Idle,     ///< before start(), after close()
    Opening,  ///< up to the head
    Open,     ///< head() is a 2xx's, and the body may be read
    Ended,    ///< the whole body has been read
    Failed,   ///< error() says why
  };
  static constexpr int kMostRedirects = 5;

  Client(Url url, Options options, const Clock& clock);  ///< `clock` must live as long
  Client(Client&&) = delete;
  Client& operator=(Client&&) = delete;
  ~Client();

  /// Closes what is open and begins anew, at the URL that was given.
  void start();
  void close();

  [[nodiscard]] Wait wait() const;
  /// Does what can be done without blocking towards an open body. Call when wait() is fulfilled.
  State advance();
  /// Body bytes into `room` (not empty). 0 with `again`: nothing now. 0 without: state() is Ended. An Error makes it
  /// Failed.
  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> room, bool& again);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const ResponseHead& head() const { return head_.head(); }
  [[nodiscard]] const Url& url() const { return url_; }  ///< where it is now, after redirects
  /// Io: the network's doing. Unsupported: what the user should do something about. Malformed: the peer's doing.
  [[nodiscard]] const Error& error() const { return error_; }
  /// After Failed: not to be tried again before so long; cameras lock out who tries too often.
  [[nodiscard]] std::chrono::milliseconds pause() const { return pause_; }
  /// What is being waited for, while Opening: "the connection", "the answer".
  [[nodiscard]] const char* waits_for() const;

 private:
  enum class Stage { Connect, Handshake, Request, Head, Body };
  void open(const Url& url);
  bool step();  // true: go on at once
  bool connect_step();
  bool handshake_step();
  bool request_step();
  bool head_step();
  bool head_done();
  bool redirect();
  bool answer_challenge();
  bool fail_with(Error error, std::chrono::milliseconds pause = std::chrono::milliseconds(0));
  [[nodiscard]] std::string request_text();
  void drop_connection();

  const Url first_;
  const Options options_;
  const Clock& clock_;
  std::optional<Authenticator> authenticator_;
  std::optional<TlsTrust> trust_;

  State state_ = State::Idle;
  Stage stage_ = Stage::Connect;
  Url url_;
  int redirects_ = 0;
  int refused_ = 0;  // passwords, one after the other
  std::optional<Connector> connector_;
  std::optional<Transport> transport_;
  SteadyTime until_{};  // for the head
  std::uint64_t generation_ = 0;
  std::string out_;  // of the request, not sent yet
  HeadReader head_;
  std::vector<std::uint8_t> portion_ = std::vector<std::uint8_t>(16u << 10);  // what is read goes through here
  std::string in_;                                                            // of the body, read and not decoded yet
  std::size_t in_at_ = 0;
  std::optional<ChunkDecoder> chunks_;
  bool drained_ = true;  // the last read() said `again`
  Error error_;
  std::chrono::milliseconds pause_{0};
};

}  // namespace fp::http
