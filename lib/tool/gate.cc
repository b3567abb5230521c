#include "tool/gate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "http/metrics.h"

namespace fp::tool {

using namespace std::chrono_literals;
using http::Connection;
using http::Lockout;
using http::Request;
using http::Response;
using http::Shown;

namespace {

constexpr std::array<const char*, 6> kReasons = {"nothing", "password", "token", "expired", "camera", "busy"};
constexpr std::array<const char*, 6> kWords = {
    "this needs a password or a token",
    "no such user, or another password",
    "no such token",
    "the link has expired",
    "not for you",
    "too many tries wait here already: try again later",
};

void warn_of_readers(const Report& report, const std::string& option, const std::string& path, const FileStamp& stamp) {
  if (!stamp.for_all || !report) return;
  report(Severity::Warning,
         option + " " + path + ": every user of this machine can read it (chmod 640 ends that; see the manual)");
}

}  // namespace

Failure access_failure(const std::string& option, const Error& error) {
  Failure failure = failure_of(error);
  if (error.kind != Error::Kind::Io) failure.code = Exit::Config;
  failure.text = option + " " + error.text;
  return failure;
}

// Credentials that came, until it is known what they are worth. All requests that show the same at the same time from
// one address are one try.
struct Gate::Try {
  Try(Loop& loop, Timer::Callback due) : timer(loop, std::move(due)) {}
  http::CredentialNames::Name name{};
  Shown shown;
  std::string address;  // what it counts as
  std::string user;     // its name's name; "": it counts for the address alone
  bool charged = false;
  bool known = false;    // right, and waits all the same
  bool looking = false;  // its turn has come
  std::uint64_t generation = 0;
  std::vector<Waiter*> waiters;
  Timer timer;
};

class Gate::Waiter final : public http::Body {
 public:
  Waiter(Gate& gate, Connection& connection, Request request, std::shared_ptr<Try> attempt)
      : gate_(gate), connection_(connection), request_(std::move(request)), attempt_(std::move(attempt)) {
    attempt_->waiters.push_back(this);
    ++gate_.waiting_;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() override {
    if (attempt_ == nullptr) return;
    std::erase(attempt_->waiters, this);
    --gate_.waiting_;
    gate_.left(*attempt_);
  }
  void writable() override {}
  bool finish() override { return true; }
  // A guesser that gave up keeps no place.
  [[nodiscard]] bool leaves_with_input() const override { return true; }

  void take(const Finding& finding) {
    attempt_ = nullptr;
    --gate_.waiting_;
    connection_.go_on(request_, [this, &finding](Connection& connection, Request& request) {
      gate_.give(finding, connection, request);
    });
  }

 private:
  Gate& gate_;
  Connection& connection_;
  Request request_;
  std::shared_ptr<Try> attempt_;
};

Gate::Gate(Loop& loop, const Clock& clock, const AccessOptions& options, http::SiteOptions site, Report report)
    : loop_(loop),
      clock_(clock),
      options_(options),
      site_(std::move(site)),
      report_(std::move(report)),
      files_timer_(loop, [this] { look_at_files(); }),
      log_(loop, clock, "refused: ", report_) {
  auto grants = http::Grants::parse(options_.grants);
  if (!grants) throw Failure{Exit::Usage, "--grant " + grants.error().text};
  grants_ = std::move(*grants);
  if (!options_.auth_file.empty()) {
    passwords_stamp_ = stamp_of(options_.auth_file);
    auto file = http::PasswordFile::load(options_.auth_file);
    if (!file) throw access_failure("--auth", file.error());
    passwords_ = std::move(*file);
    warn_of_readers(report_, "--auth", options_.auth_file, passwords_stamp_);
    checker_.emplace(loop_);
  }
  if (!options_.token_file.empty()) {
    tokens_stamp_ = stamp_of(options_.token_file);
    auto file = http::TokenFile::load(options_.token_file);
    if (!file) throw access_failure("--token", file.error());
    tokens_ = std::move(*file);
    warn_of_readers(report_, "--token", options_.token_file, tokens_stamp_);
  }
  if (!on() && !options_.grants.empty()) {
    throw Failure{Exit::Usage, "--grant needs --auth FILE or --token FILE: nobody is known without them"};
  }
  warn_of_strangers();
  // Also while nobody asks for anything: those who watch are to go, too.
  if (on()) files_timer_.every(1s);
}

// Whoever misspells a name finds out here, and not when somebody sees nothing.
void Gate::warn_of_strangers() const {
  for (const std::string& name : grants_.names()) {
    const bool known = (passwords_ && passwords_->knows(name)) || (tokens_ && tokens_->knows(name));
    if (known || !report_) continue;
    report_(Severity::Warning, "--grant " + printable(name, 40) + ": nobody of this name is in the file" +
                                   (passwords_ && tokens_ ? "s" : "") + " of " + (passwords_ ? "--auth" : "") +
                                   (passwords_ && tokens_ ? " and " : "") + (tokens_ ? "--token" : "") + " yet");
  }
}

Gate::~Gate() = default;

void Gate::handle(Connection& connection, Request& request) {
  if (!on()) return behind_(connection, request);
  if (auto refusal = site_.refuse_host(request)) {
    return connection.respond(site_.finished(std::move(*refusal), request));
  }
  const Shown shown = http::shown_by(request);
  const bool open = request.path == "/healthz" && shown.kind == Shown::Kind::Nothing;
  if (open || request.method == "OPTIONS") {
    request.rights = std::make_shared<const http::Rights>();
    return behind_(connection, request);
  }
  switch (shown.kind) {
    case Shown::Kind::Nothing:
      return refuse(Refusal::Nothing, connection, request);
    case Shown::Kind::Unreadable:
      return refuse(Refusal::Token, connection, request);
    case Shown::Kind::Password:
      if (!passwords_) return refuse(Refusal::Password, connection, request);
      break;
    case Shown::Kind::Token:
    case Shown::Kind::Link:
      if (!tokens_) return refuse(Refusal::Token, connection, request);
      break;
  }
  enter(connection, request, shown);
}

bool Gate::may_send_much(const Request& request) const {
  if (!on()) return true;
  const Shown shown = http::shown_by(request);
  switch (shown.kind) {
    case Shown::Kind::Password:
      return passwords_.has_value();
    case Shown::Kind::Token:
    case Shown::Kind::Link:
      return tokens_ && !find_token(shown).refusal;
    default:
      return false;
  }
}

void Gate::enter(Connection& connection, Request& request, const Shown& shown) {
  const SteadyTime now = clock_.steady();
  const bool password = shown.kind == Shown::Kind::Password;
  const std::string address = http::network_of(connection.peer());
  const std::string kind = std::to_string(static_cast<int>(shown.kind));
  const auto name = names_.of({kind, address, shown.user, shown.secret});
  if (wrong_.has(name, now)) return refuse(password ? Refusal::Password : Refusal::Token, connection, request);
  if (const auto found = tries_.find(name); found != tries_.end()) return wait(found->second, connection, request);

  const bool known = right_.has(name, now);
  if (known && addresses_.free_at(address, now) <= now) {
    return give(password ? find_user(shown) : find_token(shown), connection, request);
  }
  auto attempt = std::make_shared<Try>(loop_, [this, name] {
    const auto found = tries_.find(name);
    if (found == tries_.end()) return;
    // The timer is the try's: neither goes while it calls.
    loop_.defer([this, due = found->second] { take_turn(due); });
  });
  attempt->name = name;
  attempt->shown = shown;
  attempt->address = address;
  attempt->known = known;
  if (password) {
    const auto user = names_.of({"user", shown.user});
    attempt->user.assign(user.begin(), user.end());
  }
  if (waiting_ >= kMostWaiting) return refuse(Refusal::Busy, connection, request);
  const std::optional<SteadyTime> at = known ? addresses_.free_at(address, now) : begin(*attempt);
  if (!at || *at - now > Lockout::kMostWait) return refuse(Refusal::Busy, connection, request);
  attempt->charged = !known;
  tries_.emplace(name, attempt);
  wait(attempt, connection, request);
  if (*at > now) return attempt->timer.once(*at - now);
  // Not at once: the connection is handing the request to us.
  loop_.defer([this, attempt] { take_turn(attempt); });
}

void Gate::take_turn(const std::shared_ptr<Try>& attempt) {
  if (!attempt->waiters.empty() && !attempt->looking) look(attempt);
}

std::optional<SteadyTime> Gate::begin(const Try& attempt) {
  const SteadyTime now = clock_.steady();
  const auto at = addresses_.begin(attempt.address, now);
  if (!at || attempt.user.empty()) return at;
  const auto user_at = users_.begin(attempt.user, now);
  if (!user_at) {
    addresses_.end(attempt.address, Lockout::Outcome::NotLooked, now);
    return std::nullopt;
  }
  return std::max(*at, *user_at);
}

void Gate::end(const Try& attempt, Lockout::Outcome outcome) {
  if (!attempt.charged) return;
  addresses_.end(attempt.address, outcome, clock_.steady());
  if (!attempt.user.empty()) users_.end(attempt.user, outcome, clock_.steady());
}

void Gate::wait(const std::shared_ptr<Try>& attempt, Connection& connection, Request& request) {
  if (waiting_ >= kMostWaiting) return refuse(Refusal::Busy, connection, request);
  connection.wait(std::make_unique<Waiter>(*this, connection, std::move(request), attempt));
}

// A peer has gone. What nobody waits for any more is not looked at, unless it is already.
void Gate::left(Try& attempt) {
  if (!attempt.waiters.empty() || attempt.looking) return;
  const auto found = tries_.find(attempt.name);
  if (found == tries_.end()) return;
  const std::shared_ptr<Try> gone = std::move(found->second);
  tries_.erase(found);
  gone->timer.cancel();
  end(*gone, Lockout::Outcome::NotLooked);
  loop_.defer([gone] {});
}

void Gate::look(const std::shared_ptr<Try>& attempt) {
  attempt->looking = true;
  attempt->generation = generation_;
  const bool password = attempt->shown.kind == Shown::Kind::Password;
  if (attempt->known) {
    // When a file has changed since, it has to be asked: by the next try.
    if (!right_.has(attempt->name, clock_.steady())) return settle(attempt, {Refusal::Busy, nullptr});
    return settle(attempt, password ? find_user(attempt->shown) : find_token(attempt->shown));
  }
  if (!password) return looked(attempt, !find_token(attempt->shown).refusal.has_value());
  const bool there = passwords_->knows(attempt->shown.user);
  const bool taken = checker_->check(attempt->shown.secret, passwords_->hash_of(attempt->shown.user),
                                     [this, attempt, there](bool right) { looked(attempt, right && there); });
  if (taken) return;
  end(*attempt, Lockout::Outcome::NotLooked);
  attempt->charged = false;
  settle(attempt, {Refusal::Busy, nullptr});
}

void Gate::looked(const std::shared_ptr<Try>& attempt, bool right) {
  if (attempt->generation != generation_) return look(attempt);  // by a file that is another one now
  const bool password = attempt->shown.kind == Shown::Kind::Password;
  Finding finding = password ? Finding{} : find_token(attempt->shown);
  if (password && right) finding = find_user(attempt->shown);
  if (password && !right) finding.refusal = Refusal::Password;
  const bool expired = finding.refusal == Refusal::Expired;
  if (right) right_.add(attempt->name, clock_.steady());
  if (!right && !expired) wrong_.add(attempt->name, clock_.steady());
  end(*attempt, right ? Lockout::Outcome::Right : expired ? Lockout::Outcome::NotLooked : Lockout::Outcome::Wrong);
  attempt->charged = false;
  settle(attempt, finding);
}

void Gate::settle(const std::shared_ptr<Try>& attempt, const Finding& finding) {
  tries_.erase(attempt->name);
  // What is handed on may close other connections.
  while (!attempt->waiters.empty()) {
    Waiter* const first = attempt->waiters.front();
    attempt->waiters.erase(attempt->waiters.begin());
    first->take(finding);
  }
}

Gate::Finding Gate::find_user(const Shown& shown) const {
  if (!passwords_->knows(shown.user)) return {Refusal::Password, nullptr};
  http::Rights rights = grants_.of(shown.user);
  rights.ambient = true;
  rights.hold = while_known(shown.user);
  return {std::nullopt, std::make_shared<const http::Rights>(std::move(rights))};
}

Gate::Finding Gate::find_token(const Shown& shown) const {
  auto holder = tokens_->find(shown.secret, clock_.wall());
  // The address of a page is seen by many: a token that is good for ever has no place in it.
  if (!holder || (shown.kind == Shown::Kind::Link && !holder->limits)) return {Refusal::Token, nullptr};
  if (holder->expired) return {Refusal::Expired, nullptr};
  http::Rights rights = grants_.of(holder->name);
  if (!holder->limits) {
    rights.hold = while_valid(shown.secret, std::nullopt);
    return {std::nullopt, std::make_shared<const http::Rights>(std::move(rights))};
  }
  http::Rights limited;
  limited.name = rights.name;
  limited.hold = while_valid(shown.secret, holder->limits->expires);
  for (const std::string& camera : holder->limits->cameras) {
    if (camera == "*") {
      limited.every_camera = rights.every_camera;
      limited.cameras.insert(rights.cameras.begin(), rights.cameras.end());
    } else if (rights.sees(camera)) {
      limited.cameras.insert(camera);
    }
  }
  return {std::nullopt, std::make_shared<const http::Rights>(std::move(limited))};
}

// Another password of the same user ends what the old one began.
std::function<bool()> Gate::while_known(const std::string& user) const {
  return [this, user, hash = passwords_->hash_of(user)] {
    return passwords_->knows(user) && passwords_->hash_of(user) == hash;
  };
}

// Thousands of connections ask each second: the digests are made anew for another file only.
std::function<bool()> Gate::while_valid(const std::string& token, std::optional<WallTime> expires) const {
  return [this, token, expires, generation = generation_, known = true]() mutable {
    if (std::exchange(generation, generation_) != generation_) {
      known = tokens_->find(token, clock_.wall()).has_value();
    }
    return known && (!expires || clock_.wall() < *expires);
  };
}

void Gate::give(const Finding& finding, Connection& connection, Request& request) {
  if (finding.refusal) return refuse(*finding.refusal, connection, request);
  ++allowed_;
  request.rights = finding.rights;
  connection.end_with(finding.rights);
  behind_(connection, request);
}

void Gate::refuse(Refusal refusal, Connection& connection, const Request& request) {
  note(refusal, connection, request, kWords.at(static_cast<std::size_t>(refusal)));
  connection.respond(site_.finished(refusal_response(refusal), request));
}

Response Gate::refusal_response(Refusal refusal) const {
  const char* const words = kWords.at(static_cast<std::size_t>(refusal));
  if (refusal == Refusal::Busy) {
    Response response = http::error_response(429, words);
    response.headers.emplace_back("Retry-After", "60");
    return response;
  }
  Response response = http::error_response(401, words);
  // RFC 9110, 11.6.1: one header for each scheme.
  if (passwords_) response.headers.emplace_back("WWW-Authenticate", R"(Basic realm="framepipe", charset="UTF-8")");
  const bool invalid = refusal == Refusal::Token || refusal == Refusal::Expired;
  if (tokens_) {
    response.headers.emplace_back(
        "WWW-Authenticate", std::string(R"(Bearer realm="framepipe")") + (invalid ? R"(, error="invalid_token")" : ""));
  }
  return response;
}

Response Gate::forbid(const Connection& connection, const Request& request, const std::string& what) {
  note(Refusal::Camera, connection, request, what + " is not for '" + request.rights->name + "'");
  return http::error_response(403, what + " is not for '" + printable(request.rights->name, 40) + "'");
}

// One line, from which fail2ban and people see who it was; never a password, and no query, which may hold a token.
void Gate::note(Refusal refusal, const Connection& connection, const Request& request, const std::string& what) {
  ++refused_.at(static_cast<std::size_t>(refusal));
  std::string text = connection.peer() + ": " + what;
  if (refusal == Refusal::Password) text += " ('" + printable(http::shown_by(request).user, 40) + "')";
  log_.line(text + ": " + printable(request.method, 20) + " " + printable(request.path, 80));
}

// A file is another one as soon as it has been written.
void Gate::look_at_files() {
  if (passwords_ && stamp_of(options_.auth_file) != passwords_stamp_) {
    read_again("--auth", options_.auth_file, passwords_, passwords_stamp_);
  }
  if (tokens_ && stamp_of(options_.token_file) != tokens_stamp_) {
    read_again("--token", options_.token_file, tokens_, tokens_stamp_);
  }
}

void Gate::reload() {
  if (passwords_) read_again("--auth", options_.auth_file, passwords_, passwords_stamp_);
  if (tokens_) read_again("--token", options_.token_file, tokens_, tokens_stamp_);
}

template <typename File>
void Gate::read_again(const std::string& option, const std::string& path, std::optional<File>& file, FileStamp& stamp) {
  stamp = stamp_of(path);
  auto read = File::load(path);
  if (!read) {
    if (report_) report_(Severity::Error, option + " " + read.error().text + ": what was read before stays in force");
    return;
  }
  file = std::move(*read);
  ++generation_;
  right_.clear();
  wrong_.clear();
  if (report_) report_(Severity::Info, option + " " + path + " was read again");
  warn_of_readers(report_, option, path, stamp);
}

void Gate::add_metrics(std::string& out) const {
  if (!on()) return;
  const auto one = [&](const char* name, const char* type, const char* help, double value) {
    http::MetricFamily(out, name, type, help).sample("", value);
  };
  one("framepipe_auth_allowed_total", "counter", "Requests with a right password or token.",
      static_cast<double>(allowed_));
  {
    http::MetricFamily family(out, "framepipe_auth_refused_total", "counter", "Requests that were refused, by reason.");
    for (std::size_t i = 0; i < kRefusals; ++i) {
      family.sample(std::string("reason=\"") + kReasons.at(i) + "\"", static_cast<double>(refused_.at(i)));
    }
  }
  one("framepipe_auth_waiting", "gauge", "Requests that wait for their password to be compared, or longer.",
      static_cast<double>(waiting_));
  const SteadyTime now = clock_.steady();
  one("framepipe_auth_locked", "gauge", "Addresses and users whose next try has to wait.",
      static_cast<double>(addresses_.locked(now) + users_.locked(now)));
  const http::PasswordChecker::Figures figures = checker_ ? checker_->figures() : http::PasswordChecker::Figures{};
  one("framepipe_auth_checks_total", "counter", "Passwords that were compared.", static_cast<double>(figures.checks));
  one("framepipe_auth_check_seconds_total", "counter", "Time of the thread for those.", seconds_of(figures.time));
}

}  // namespace fp::tool
