#include "mqtt/client.h"

#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include "base/text.h"

namespace fp::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr auto kLasting = 5s;  // a connection that was one
constexpr auto kLongest = 2000ms;
// The nodes of a cluster refuse everybody until they have chosen a leader, and nobody afterwards.
constexpr auto kLongestInCluster = 250ms;
constexpr auto kTurn = 1000;  // milliseconds: libmosquitto wants to be called as often, for its keep-alive

SteadyTime now() { return std::chrono::steady_clock::now(); }

int ms_until(SteadyTime until) { return poll_timeout_ms(until, now()); }

// A broker disconnects one of two clients that have the same. Another one for each connection: nats-server refuses the
// same one for as long as it works on an attempt that we have given up.
std::string unique_id() {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::uniform_int_distribution<std::size_t> digit(0, kDigits.size() - 1);
  std::string id = "framepipe-";
  while (id.size() < 23) id += kDigits[digit(random)];  // MQTT 3.1.1, 3.1.3.1: each broker takes 23 of these
  return id;
}

std::string in_figures(const SocketAddress& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = ::getnameinfo(address.raw(), address.length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : "";
}

std::size_t bytes_of(const Bundle& bundle) {
  std::size_t bytes = 0;
  for (const Message& message : bundle) bytes += message.payload.size();
  return bytes;
}

Error timed_out(const std::string& what) { return {Error::Kind::Io, ETIMEDOUT, what}; }

}  // namespace

Result<std::unique_ptr<Client>> Client::make(Options options, Report report) {
  std::vector<Tls> tls;
  tls.reserve(options.url.brokers.size());
  for (const Broker& broker : options.url.brokers) {
    if (!options.url.secure) break;
    auto made = Tls::make(options.tls, broker.host);
    if (!made) return fail(std::move(made).error());
    tls.push_back(std::move(*made));
  }
  return std::unique_ptr<Client>(new Client(std::move(options), std::move(tls), std::move(report)));
}

Client::Client(Options options, std::vector<Tls> tls, Report report)
    : options_(std::move(options)),
      tls_(std::move(tls)),
      report_(std::move(report)),
      protocol_(options_.protocol == Speak::V311 ? Protocol::V311 : Protocol::V5),
      works_(options_.works),
      broker_(options_.first_broker),
      backoff_(options_.url.brokers.size() > 1 ? kLongestInCluster : kLongest) {}

Client::~Client() { finish({}, 200ms); }

void Client::start() {
  thread_ = std::thread([this] { run(); });
}

void Client::put(Bundle bundle) {
  {
    const std::lock_guard lock(mutex_);
    if (pending_) ++figures_.dropped;
    pending_ = std::move(bundle);
  }
  wake_.raise();
}

void Client::announce(Message message) {
  {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(unannounced_, message.topic) == unannounced_.end()) unannounced_.push_back(message.topic);
    announcements_[message.topic] = std::move(message);
  }
  wake_.raise();
}

void Client::announce_again() {
  const std::lock_guard lock(mutex_);
  if (!announce_again_) announce_again_ = now() + options_.announce_again;
}

std::uint64_t Client::in_hand() const {
  const std::lock_guard lock(mutex_);
  return (pending_ ? 1u : 0u) + (begun_ ? 1u : 0u);
}

bool Client::away() const {
  const std::lock_guard lock(mutex_);
  return !connected_ && figures_.connections > 0;
}

std::string Client::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

Client::Figures Client::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void Client::work() {
  {
    const std::lock_guard lock(mutex_);
    works_ = true;
  }
  wake_.raise();
}

bool Client::rest() {
  const std::lock_guard lock(mutex_);
  if (!connected_) works_ = false;
  return !works_;
}

std::optional<Bundle> Client::take_waiting() {
  const std::lock_guard lock(mutex_);
  return std::exchange(pending_, std::nullopt);
}

void Client::end(const Bundle& last, std::chrono::milliseconds grace) {
  {
    const std::lock_guard lock(mutex_);
    if (deadline_) return;
    last_ = last;
    deadline_ = now() + grace;
  }
  wake_.raise();
}

void Client::join() {
  if (thread_.joinable()) thread_.join();
}

void Client::finish(const Bundle& last, std::chrono::milliseconds grace) {
  end(last, grace);
  join();
}

// --- on the thread

bool Client::stopped() const {
  const std::lock_guard lock(mutex_);
  return deadline_ && (!connected_ || now() >= *deadline_);
}

// False: it is time to end. `events` are those of `fd`.
bool Client::wait(int fd, short& events, int timeout_ms) const {
  {
    const std::lock_guard lock(mutex_);
    if (deadline_) timeout_ms = std::min(timeout_ms, std::max(0, ms_until(*deadline_)));
  }
  std::array<pollfd, 2> fds = {pollfd{wake_.fd(), POLLIN, 0}, {fd, events, 0}};
  (void)::poll(fds.data(), fds.size(), timeout_ms);
  if (fds[0].revents != 0) wake_.lower();
  events = fds[1].revents;
  return !stopped();
}

void Client::run() {
  while (!stopped()) {
    {
      auto session = open();
      const SteadyTime since = now();
      Result<Done> end = session ? serve(**session) : fail(session.error());
      if (end) return;
      if (session && options_.url.brokers.size() > 1) end = fail(std::move(end).error().in(name_of(broker_)));
      // One that hangs up at once is no success.
      if (session && now() - since > kLasting) backoff_.reset();
      lost(end.error());
    }
    give_back();
    options_.changed();
    for (const SteadyTime again = now() + backoff_.next(); now() < again && !stopped();) {
      short none = 0;
      (void)wait(-1, none, ms_until(again));
    }
  }
}

void Client::lost(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    connected_ = false;
    if (begun_) ++figures_.lost;
    begun_.reset();
    trouble_ = error.text;
  }
  if (error.kind == Error::Kind::Unsupported && options_.protocol == Speak::Auto && protocol_ == Protocol::V5) {
    protocol_ = Protocol::V311;
    report_(Severity::Info, options_.url.text() + ": MQTT 5 is not spoken there; going on with 3.1.1");
    return;
  }
  if (error.text == told_) return;
  told_ = error.text;
  report_(Severity::Warning, options_.url.text() + ": " + error.text + "; trying again");
}

void Client::give_back() {
  if (const auto broker = std::exchange(claimed_, std::nullopt)) options_.claims->give_back(*broker);
}

std::string Client::name_of(std::size_t broker) const { return options_.url.brokers[broker].text(options_.url.secure); }

Result<Lookup::Addresses> Client::look_up(const Broker& broker) {
  Lookup lookup(broker.host, broker.port);
  const SteadyTime until = now() + options_.patience;
  for (;;) {
    if (auto found = lookup.take()) return std::move(*found);
    short events = POLLIN;
    if (!wait(lookup.fd(), events, ms_until(until))) return fail(timed_out("stopped"));
    if (now() >= until) return fail(timed_out("the name look-up takes too long (is there a name server?)"));
  }
}

// Where it was last first: whoever else is there has come back to that one, too.
Result<std::unique_ptr<Session>> Client::open() {
  const std::size_t count = options_.url.brokers.size();
  Error last;
  for (std::size_t i = 0; i < count && !stopped(); ++i) {
    const std::size_t broker = (broker_ + i) % count;
    if (!options_.claims->take(broker)) continue;
    claimed_ = broker;
    auto session = open(broker);
    if (session) {
      broker_ = broker;
      return session;
    }
    give_back();
    last = std::move(session).error();
    if (last.kind == Error::Kind::Unsupported) break;  // to be asked again in another version
    if (count > 1) last = std::move(last).in(name_of(broker));
  }
  return fail(std::move(last));
}

Result<std::unique_ptr<Session>> Client::open(std::size_t broker) {
  auto addresses = look_up(options_.url.brokers[broker]);
  if (!addresses) return fail(std::move(addresses).error());
  const SteadyTime begin = now();
  const SteadyTime until = begin + time_for_one();
  Error last;
  for (std::size_t i = 0; i < addresses->size() && !stopped(); ++i) {
    // Each gets an equal share of the time that is left, so that one that swallows packets does not use it all up.
    const auto share = (until - now()) / static_cast<int>(addresses->size() - i);
    auto session = connect(broker, (*addresses)[i], now() + share);
    if (session) {
      took_ = now() - begin;
      return session;
    }
    last = std::move(session).error();
  }
  return fail(std::move(last));
}

// One of several is not waited for as long: nats-server keeps a client waiting for 4 s and then hangs up when its nodes
// have no leader, also when they have chosen one in between. Whoever is to work asks again soon, by what it took
// before.
SteadyTime::duration Client::time_for_one() const {
  if (options_.url.brokers.size() == 1) return options_.patience;
  const SteadyTime::duration most = options_.patience / 3;
  const std::lock_guard lock(mutex_);
  return works_ && took_
             ? std::clamp<SteadyTime::duration>(8 * *took_, std::min<SteadyTime::duration>(250ms, most), most)
             : most;
}

Result<std::unique_ptr<Session>> Client::connect(std::size_t broker, const SocketAddress& address, SteadyTime until) {
  Session::Options options;
  options.protocol = protocol_;
  options.client_id = unique_id();
  if (options_.url.credentials) {
    options.user = options_.url.credentials->user;
    options.password = options_.url.credentials->password;
  }
  options.will = options_.will;
  options.max_packet_bytes = static_cast<std::uint32_t>(std::min<std::size_t>(options_.max_packet_bytes, 256u << 20));
  options.tls = tls_.empty() ? nullptr : &tls_[broker];
  const int port = parse_integer<int>(options_.url.brokers[broker].port).value_or(0);
  auto session = Session::begin(in_figures(address), port, std::move(options), options_.receive);
  if (!session) return session;
  while (!(*session)->connected()) {
    short events = (*session)->poll_events();
    const int fd = (*session)->fd();
    if (!wait(fd, events, std::min(kTurn, ms_until(until)))) return fail(timed_out("stopped"));
    if (auto done = (*session)->advance(events); !done) return fail(std::move(done).error());
    if (now() >= until) return fail(timed_out("no answer (is there a broker at this port?)"));
  }
  return session;
}

void Client::found() {
  std::string where;
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
    if (options_.url.brokers.size() > 1) where = " to " + name_of(broker_) + (works_ ? "" : ", standing by");
    ++figures_.connections;
    trouble_.clear();
    unannounced_ = topics();
    if (figures_.connections > 1) announce_again_ = now() + options_.announce_again;
  }
  subscribed_ = false;
  told_.clear();
  report_(Severity::Info, options_.url.text() + ": connected" + where);
  options_.changed();
}

Result<Done> Client::subscribe_if_working(Session& session) {
  {
    const std::lock_guard lock(mutex_);
    if (subscribed_ || !works_ || options_.subscriptions.empty()) return Done{};
  }
  subscribed_ = true;
  return session.subscribe(options_.subscriptions, options_.subscription_qos);
}

// A value: all has been said that was to be said.
Result<Done> Client::serve(Session& session) {
  found();
  for (;;) {
    if (auto asked = subscribe_if_working(session); !asked) return asked;
    if (auto done = end_bundle(session); !done) return done;
    if (auto done = send_due(session); !done) return done;
    bool over = false;
    {
      const std::lock_guard lock(mutex_);
      over = deadline_ && !last_ && !pending_ && !begun_ && unannounced_.empty();
    }
    if (over && session.idle()) {
      session.disconnect();
      return Done{};
    }
    short events = session.poll_events();
    const bool more = wait(session.fd(), events, turn_ms(session));
    if (auto done = session.advance(events); !done) return done;
    if (const auto refusal = session.take_refusal(); refusal && *refusal != told_) {
      told_ = *refusal;
      report_(Severity::Warning, options_.url.text() + ": " + *refusal);
    }
    if (!more) return Done{};  // without good-bye: what could not be said in time, the will says
  }
}

// The kernel tells nobody when it has sent the last byte: it is looked at each millisecond while something is on its
// way.
int Client::turn_ms(const Session& session) const {
  const std::lock_guard lock(mutex_);
  if (!begun_) return kTurn;
  if (session.idle()) return 0;
  return session.draining() ? 1 : kTurn;
}

// Notes when the bundle that was begun has gone.
Result<Done> Client::end_bundle(Session& session) {
  {
    const std::lock_guard lock(mutex_);
    if (!begun_) return Done{};
    if (!session.idle()) {
      if (now() - *begun_ < options_.patience) return Done{};
      return fail(timed_out("the broker takes nothing"));
    }
    begun_.reset();
    if (!said_last_) {
      ++figures_.sent;
      figures_.bytes += begun_bytes_;
    }
  }
  options_.changed();
  return Done{};
}

std::vector<std::string> Client::topics() const {
  std::vector<std::string> all;
  all.reserve(announcements_.size());
  for (const auto& [topic, message] : announcements_) all.push_back(topic);
  return all;
}

Bundle Client::take_unannounced() {
  const std::lock_guard lock(mutex_);
  if (announce_again_ && now() >= *announce_again_) {
    announce_again_.reset();
    unannounced_ = topics();
  }
  Bundle announcements;
  for (const std::string& topic : std::exchange(unannounced_, {})) announcements.push_back(announcements_[topic]);
  return announcements;
}

// Announcements first, since they say what is to be made of the rest; the last words when all else has gone.
Result<Done> Client::send_due(Session& session) {
  const Bundle announcements = take_unannounced();
  std::optional<Bundle> bundle;
  {
    const std::lock_guard lock(mutex_);
    if (!begun_ && pending_) {
      bundle = std::exchange(pending_, std::nullopt);
    } else if (!begun_ && deadline_ && last_) {
      bundle = std::exchange(last_, std::nullopt);
      said_last_ = true;
    }
    if (bundle) begun_ = now();
  }
  for (const Message& message : announcements) {
    auto sent = session.publish(message);
    if (!sent && sent.error().kind != Error::Kind::TooLarge) return sent;
  }
  if (!bundle) return Done{};
  begun_bytes_ = bytes_of(*bundle);
  for (const Message& message : *bundle) {
    auto sent = session.publish(message);
    if (sent) continue;
    if (sent.error().kind != Error::Kind::TooLarge) return sent;
    {
      const std::lock_guard lock(mutex_);
      ++figures_.refused;
      begun_.reset();
    }
    if (told_ != sent.error().text) {
      told_ = sent.error().text;
      report_(Severity::Warning, options_.url.text() + ": " + message.topic + ": " +
                                     human_bytes(message.payload.size()) + " are " + sent.error().text +
                                     " (smaller pictures: frame-convert)");
    }
    options_.changed();
    return Done{};
  }
  return Done{};
}

}  // namespace fp::mqtt
