// A client of a broker that is always on its way: connected, or coming back; with the newest of what is to be sent.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "base/event.h"
#include "base/lookup.h"
#include "base/report.h"
#include "mqtt/claims.h"
#include "mqtt/message.h"
#include "mqtt/session.h"
#include "mqtt/url.h"

namespace fp::mqtt {

/// Newest wins: one bundle is on its way, the newest waits, others are dropped and counted. A bundle is on its way
/// until this machine has put its last byte on the wire, and of QoS 1 until the broker has acknowledged it; what a lost
/// connection had on its way is not sent again.
///
/// Connects, and connects again, with back-off and jitter, on a thread of its own: each broker in turn, and each
/// address of it. One that stands by is connected and announces, and subscribes to nothing. Calls from any thread.
/// Memory: two bundles, the announcements, and what libmosquitto holds of them.
class Client {
 public:
  enum class Speak { V311, V5, Auto };  ///< Auto: 5, and 3.1.1 where the broker does not know 5
  struct Options {
    Url url;
    Speak protocol = Speak::Auto;
    TlsFiles tls;                 ///< of mqtts
    std::optional<Message> will;  ///< what the broker says when we are lost
    std::vector<std::string> subscriptions;
    int subscription_qos = 0;
    std::size_t max_packet_bytes = 0;                             ///< of what comes; see Session::Options
    bool works = true;                                            ///< or stands by at first
    std::size_t first_broker = 0;                                 ///< of the URL's, to be tried first
    std::shared_ptr<Claims> claims = std::make_shared<Claims>();  ///< shared with others at the same brokers
    /// A bundle that has not gone for so long, and a connection that is not made: it is given up, and another one made.
    std::chrono::milliseconds patience{5000};
    /// When a connection is made, and when announce_again() asks for it, announcements are made once more so much
    /// later: by then a broker has done the will of one that was lost before, which it may notice after 1.5
    /// keep-alives.
    std::chrono::milliseconds announce_again{20'000};
    std::function<void(const Incoming&)> receive = [](const Incoming&) {};  ///< on the client's thread
    std::function<void()> changed = [] {};  ///< a bundle has gone, a connection is made or lost; on the client's thread
  };
  struct Figures {
    std::uint64_t sent = 0;     ///< bundles
    std::uint64_t dropped = 0;  ///< never begun, because a newer one came first
    std::uint64_t lost = 0;     ///< on their way when the connection was lost
    std::uint64_t refused = 0;  ///< that the broker does not take
    std::uint64_t bytes = 0;    ///< payloads of those that were sent
    std::uint64_t connections = 0;
  };

  /// Not connected yet. Errors: those of Tls::make(); a broker that does not answer is none.
  [[nodiscard]] static Result<std::unique_ptr<Client>> make(Options options, Report report);
  ~Client();  ///< as finish() with nothing to say and little time
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Begins to connect. Once, when whoever is called back is ready for it.
  void start();
  void put(Bundle bundle);
  /// Sends it now and again at each connection; another one of the same topic takes its place. At most a few topics.
  void announce(Message message);
  void announce_again();  ///< all of them, after a while: another client of ours has been lost, and has the same will
  /// Bundles that wait or are on their way: 0 to 2.
  [[nodiscard]] std::uint64_t in_hand() const;
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] bool away() const;            ///< it was connected, and is not
  [[nodiscard]] std::string trouble() const;  ///< why it is not connected; "" when it is
  [[nodiscard]] Figures figures() const;
  /// From now on it works.
  void work();
  /// From now on it stands by, unless it is connected: then false, and it works on.
  [[nodiscard]] bool rest();
  /// What waits and has not been begun, for somebody else to send.
  [[nodiscard]] std::optional<Bundle> take_waiting();
  /// Begins to end: sends what waits and then `last`, and says good-bye, all within `grace`; join() waits for it.
  void end(const Bundle& last, std::chrono::milliseconds grace);
  void join();
  void finish(const Bundle& last, std::chrono::milliseconds grace);  ///< both

 private:
  Client(Options options, std::vector<Tls> tls, Report report);
  void run();
  Result<std::unique_ptr<Session>> open();
  Result<std::unique_ptr<Session>> open(std::size_t broker);
  Result<Lookup::Addresses> look_up(const Broker& broker);
  [[nodiscard]] SteadyTime::duration time_for_one() const;
  Result<std::unique_ptr<Session>> connect(std::size_t broker, const SocketAddress& address, SteadyTime until);
  Result<Done> serve(Session& session);
  Result<Done> send_due(Session& session);
  [[nodiscard]] Bundle take_unannounced();
  [[nodiscard]] std::vector<std::string> topics() const;  // of announcements; with the mutex in hand
  Result<Done> end_bundle(Session& session);
  [[nodiscard]] int turn_ms(const Session& session) const;
  bool wait(int fd, short& events, int timeout_ms) const;
  [[nodiscard]] bool stopped() const;
  Result<Done> subscribe_if_working(Session& session);
  void lost(const Error& error);
  void found();
  void give_back();
  [[nodiscard]] std::string name_of(std::size_t broker) const;

  const Options options_;
  std::vector<Tls> tls_;  // of mqtts: one for each broker
  Report report_;
  Protocol protocol_;

  mutable std::mutex mutex_;
  std::optional<Bundle> pending_;
  std::map<std::string, Message> announcements_;
  std::vector<std::string> unannounced_;  // topics
  std::optional<SteadyTime> announce_again_;
  std::optional<Bundle> last_;  // of finish()
  bool said_last_ = false;
  bool works_ = true;
  std::optional<SteadyTime> deadline_;
  std::optional<SteadyTime> begun_;  // when the bundle was that is on its way
  std::string trouble_ = "not connected yet";
  Figures figures_;

  std::size_t begun_bytes_ = 0;               // of that bundle; the thread's own
  bool subscribed_ = false;                   // in this session
  std::size_t broker_ = 0;                    // that was connected last
  std::optional<SteadyTime::duration> took_;  // to connect there
  std::optional<std::size_t> claimed_;        // broker
  std::string told_;                          // the trouble that was reported last
  Backoff backoff_;
  Event wake_;
  std::atomic<bool> connected_{false};
  std::thread thread_;  // last: it uses all the rest
};

}  // namespace fp::mqtt
