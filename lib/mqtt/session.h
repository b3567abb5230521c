// One connection to a broker, by libmosquitto: from its first SYN until it is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mqtt/message.h"
#include "mqtt/tls.h"

// libmosquitto's own names, so that its header stays out of ours.
struct mosquitto;
struct mosquitto_message;

namespace fp::mqtt {

enum class Protocol { V311, V5 };

/// A new one for each connection: libmosquitto would send again after a reconnect what it had not finished before,
/// which is an old frame by then. Never blocks; one thread.
class Session {
 public:
  struct Options {
    Protocol protocol = Protocol::V311;
    std::string client_id;
    std::string user;
    std::string password;
    std::optional<Message> will;  ///< what the broker says when we are lost
    std::chrono::seconds keepalive{10};
    std::uint32_t max_packet_bytes = 0;  ///< of what comes, for brokers that speak 5; 0: no limit
    Tls* tls = nullptr;                  ///< outlives the session; nullptr: in the clear
  };
  using Receive = std::function<void(const Incoming&)>;

  /// Begins to connect to an address in figures. Errors: Io.
  [[nodiscard]] static Result<std::unique_ptr<Session>> begin(const std::string& address, int port, Options options,
                                                              Receive receive);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();  ///< closes it as if it were lost, so that the will is done, unless disconnect() came first

  [[nodiscard]] int fd() const;
  [[nodiscard]] short poll_events() const;  ///< what to wait for at fd()
  /// Does what can be done: call when fd() is ready, and each second. Errors end the session: Io; Unsupported, when the
  /// broker does not speak this protocol version.
  [[nodiscard]] Result<Done> advance(short events);
  /// The broker has taken us in.
  [[nodiscard]] bool connected() const { return connected_; }

  /// Errors: TooLarge, when the broker has said that it takes no such message; Io, which ends the session.
  [[nodiscard]] Result<Done> publish(const Message& message);
  /// At least one filter.
  [[nodiscard]] Result<Done> subscribe(const std::vector<std::string>& filters, int qos);
  /// All that was published has left this machine, and of QoS 1 the broker has said that it has it.
  [[nodiscard]] bool idle() const;
  /// Nothing can wake who waits for idle(): it is up to the kernel, and to be looked at again soon.
  [[nodiscard]] bool draining() const;
  /// What a broker has refused of what was published or subscribed, once each: "not authorised".
  [[nodiscard]] std::optional<std::string> take_refusal();
  /// Says good-bye: the will is not done.
  void disconnect();

 private:
  explicit Session(Options options, Receive receive);
  struct Free {
    void operator()(mosquitto* handle) const;
  };
  static Session& self(void* object) { return *static_cast<Session*>(object); }
  Result<Done> set_up();
  void limit_packets();
  void on_connect(int code);
  Error error_of(int code, int sys);

  const Options options_;
  Receive receive_;
  std::unique_ptr<mosquitto, Free> handle_;
  bool connected_ = false;
  std::optional<Error> refused_;  // by the broker, at connecting
  std::set<int> unacknowledged_;  // of QoS 1
  std::optional<std::string> refusal_;
};

}  // namespace fp::mqtt
