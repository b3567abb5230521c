// Stands in front of every route of a server, and lets in whom it knows.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/report.h"
#include "base/result.h"
#include "http/access.h"
#include "http/connection.h"
#include "http/lockout.h"
#include "http/passwords.h"
#include "http/site.h"
#include "http/tokens.h"
#include "http/verdicts.h"
#include "loop/loop.h"
#include "serve/limited_report.h"
#include "tool/access_options.h"

namespace fp::tool {

/// What a file of --auth or --token that cannot be used ends the program with.
[[nodiscard]] Failure access_failure(const std::string& option, const Error& error);

/// Asks for a password or a token, and hands on requests with the rights of whoever sent them. Without --auth and
/// --token it hands on everything as it is.
///
/// Passwords are compared on another thread; the request waits meanwhile, and holds up nothing. Right ones are
/// remembered for ten minutes, with the address they came from; wrong ones, too, so that a program that repeats an old
/// password is no guesser. Everything else that is wrong counts for the address and, of a password, for the user, as
/// Lockout says; what it makes wait, waits also when it is right. kMostWaiting requests may wait; others get 429.
///
/// Let in without a word: OPTIONS, which pages send before they may say who they are, and /healthz; both with no
/// rights.
///
/// The rights of those let in hold until their link expires, or until the file says something else of their user or
/// token: what goes on for long ends then. One thread; its connections, and whoever has rights, go before it.
class Gate {
 public:
  static constexpr std::size_t kMostWaiting = 256;

  /// Reads the files. Throws Failure. `site`: for refusals, as the routes behind it make them.
  Gate(Loop& loop, const Clock& clock, const AccessOptions& options, http::SiteOptions site, Report report);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  [[nodiscard]] bool on() const { return passwords_.has_value() || tokens_.has_value(); }
  /// Whom it hands requests to: before the first handle().
  void open(http::Connection::Handler behind) { behind_ = std::move(behind); }
  void handle(http::Connection& connection, http::Request& request);

  /// Whether a request whose header has come may have a large body: it shows something, and no token that is none.
  [[nodiscard]] bool may_send_much(const http::Request& request) const;

  /// 403 for somebody who is known: `what` ("camera 'door'") is not for them. Counted and logged.
  [[nodiscard]] http::Response forbid(const http::Connection& connection, const http::Request& request,
                                      const std::string& what);
  /// Reads the files again; one that cannot be used is said, and what was read before stays.
  void reload();
  /// Nothing while it is not on().
  void add_metrics(std::string& out) const;

 private:
  enum class Refusal { Nothing, Password, Token, Expired, Camera, Busy };
  static constexpr std::size_t kRefusals = 6;
  /// What became of credentials.
  struct Finding {
    std::optional<Refusal> refusal;
    http::RightsPtr rights;
  };
  struct Try;
  class Waiter;

  void warn_of_strangers() const;
  void look_at_files();
  template <typename File>
  void read_again(const std::string& option, const std::string& path, std::optional<File>& file, FileStamp& stamp);
  void enter(http::Connection& connection, http::Request& request, const http::Shown& shown);
  [[nodiscard]] std::optional<SteadyTime> begin(const Try& attempt);
  void end(const Try& attempt, http::Lockout::Outcome outcome);
  void wait(const std::shared_ptr<Try>& attempt, http::Connection& connection, http::Request& request);
  void take_turn(const std::shared_ptr<Try>& attempt);
  void look(const std::shared_ptr<Try>& attempt);
  void looked(const std::shared_ptr<Try>& attempt, bool right);
  void left(Try& attempt);
  [[nodiscard]] Finding find_token(const http::Shown& shown) const;
  [[nodiscard]] Finding find_user(const http::Shown& shown) const;
  [[nodiscard]] std::function<bool()> while_known(const std::string& user) const;
  [[nodiscard]] std::function<bool()> while_valid(const std::string& token, std::optional<WallTime> expires) const;
  void settle(const std::shared_ptr<Try>& attempt, const Finding& finding);
  void give(const Finding& finding, http::Connection& connection, http::Request& request);
  void refuse(Refusal refusal, http::Connection& connection, const http::Request& request);
  [[nodiscard]] http::Response refusal_response(Refusal refusal) const;
  void note(Refusal refusal, const http::Connection& connection, const http::Request& request, const std::string& what);

  Loop& loop_;
  const Clock& clock_;
  const AccessOptions options_;
  const http::Site site_;
  const Report report_;
  http::Grants grants_;
  std::optional<http::PasswordFile> passwords_;
  std::optional<http::TokenFile> tokens_;
  FileStamp passwords_stamp_;
  FileStamp tokens_stamp_;
  std::uint64_t generation_ = 0;  // of the files
  Timer files_timer_;
  http::Connection::Handler behind_;
  http::CredentialNames names_;
  http::RecentNames right_;
  http::RecentNames wrong_;
  http::Lockout addresses_;
  http::Lockout users_;
  std::map<http::CredentialNames::Name, std::shared_ptr<Try>> tries_;
  std::size_t waiting_ = 0;
  std::uint64_t allowed_ = 0;
  std::array<std::uint64_t, kRefusals> refused_{};
  LimitedReport log_;
  std::optional<http::PasswordChecker> checker_;  // its thread goes first
};

}  // namespace fp::tool
