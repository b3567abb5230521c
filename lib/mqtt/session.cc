#include "mqtt/session.h"

#include <linux/sockios.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "base/connector.h"
#include "frame/endpoint.h"

namespace fp::mqtt {
namespace {

// Never undone: the library's other users may be in the same process, and it costs nothing.
void init_library() {
  static const int done = ::mosquitto_lib_init();
  (void)done;
}

// Bytes that the kernel has not put on the wire yet.
int unsent_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQNSD, &bytes) == 0 ? bytes : 0;
}

bool is_v5_code(int code) { return code >= 128; }

std::string words_of_refusal(int code) {
  const std::string text = is_v5_code(code) ? ::mosquitto_reason_string(code) : ::mosquitto_connack_string(code);
  const bool who = code == CONNACK_REFUSED_BAD_USERNAME_PASSWORD || code == CONNACK_REFUSED_NOT_AUTHORIZED ||
                   code == MQTT_RC_BAD_USERNAME_OR_PASSWORD || code == MQTT_RC_NOT_AUTHORIZED;
  // "Connection Refused: not authorised."
  const std::string plain = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  return plain + (who ? " (--credentials FILE with USER:PASSWORD)" : "");
}

}  // namespace

void Session::Free::operator()(mosquitto* handle) const { ::mosquitto_destroy(handle); }

Session::Session(Options options, Receive receive) : options_(std::move(options)), receive_(std::move(receive)) {}

Session::~Session() = default;

Result<std::unique_ptr<Session>> Session::begin(const std::string& address, int port, Options options,
                                                Receive receive) {
  init_library();
  std::unique_ptr<Session> session(new Session(std::move(options), std::move(receive)));
  if (auto ready = session->set_up(); !ready) return fail(std::move(ready).error());
  mosquitto* const handle = session->handle_.get();
  const auto keepalive = static_cast<int>(session->options_.keepalive.count());
  if (session->options_.protocol == Protocol::V5) session->limit_packets();
  errno = 0;
  const int code = ::mosquitto_connect_async(handle, address.c_str(), port, keepalive);
  const int sys = errno;
  if (code != MOSQ_ERR_SUCCESS) return fail(session->error_of(code, sys));
  // MQTT's own keep-alive is not below 5 s, and libmosquitto waits for up to twice as long.
  set_keepalive(session->fd());
  return session;
}

// MQTT 5, 3.1.2.11.4. Of the calls that connect, the one that takes properties waits for the connection; without a host
// it keeps the properties and goes no further, and mosquitto_connect_async() sends them.
void Session::limit_packets() {
  if (options_.max_packet_bytes == 0) return;
  mosquitto_property* properties = nullptr;
  ::mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, options_.max_packet_bytes);
  (void)::mosquitto_connect_bind_v5(handle_.get(), nullptr, 0, 0, nullptr, properties);
  ::mosquitto_property_free_all(&properties);
}

Result<Done> Session::set_up() {
  handle_.reset(::mosquitto_new(options_.client_id.c_str(), /*clean_session=*/true, this));
  if (!handle_) return fail(io_error("mosquitto_new"));
  mosquitto* const handle = handle_.get();
  const bool v5 = options_.protocol == Protocol::V5;
  ::mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  ::mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1);
  if (!options_.user.empty()) {
    ::mosquitto_username_pw_set(handle, options_.user.c_str(),
                                options_.password.empty() ? nullptr : options_.password.c_str());
  }
  if (options_.will) {
    const Message& will = *options_.will;
    ::mosquitto_will_set(handle, will.topic.c_str(), static_cast<int>(will.payload.size()), will.payload.data(),
                         will.qos, will.retain);
  }
  if (options_.tls != nullptr) {
    ::mosquitto_void_option(handle, MOSQ_OPT_SSL_CTX, options_.tls->context());
    ::mosquitto_int_option(handle, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);  // or it wants a file of authorities of its own
  }

  ::mosquitto_connect_v5_callback_set(handle, [](mosquitto*, void* object, int code, int, const mosquitto_property*) {
    self(object).on_connect(code);
  });
  ::mosquitto_publish_v5_callback_set(handle,
                                      [](mosquitto*, void* object, int id, int code, const mosquitto_property*) {
                                        Session& session = self(object);
                                        session.unacknowledged_.erase(id);
                                        if (is_v5_code(code)) session.refusal_ = ::mosquitto_reason_string(code);
                                      });
  ::mosquitto_subscribe_callback_set(handle, [](mosquitto*, void* object, int, int count, const int* granted) {
    for (int i = 0; i < count; ++i) {
      if (!is_v5_code(granted[i])) continue;
      // 3.1.1 has the one code 0x80, "failure", for all reasons.
      self(object).refusal_ = granted[i] == 128 ? "the subscription is refused" : ::mosquitto_reason_string(granted[i]);
    }
  });
  ::mosquitto_message_callback_set(handle, [](mosquitto*, void* object, const mosquitto_message* message) {
    const auto* const bytes = static_cast<const std::uint8_t*>(message->payload);
    const auto size = static_cast<std::size_t>(message->payloadlen);
    self(object).receive_({message->topic, bytes == nullptr ? ByteView() : ByteView(bytes, size), message->retain});
  });
  return Done{};
}

void Session::on_connect(int code) {
  if (code == 0) {
    connected_ = true;
    return;
  }
  const bool version = code == CONNACK_REFUSED_PROTOCOL_VERSION || code == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION;
  refused_ = Error{version ? Error::Kind::Unsupported : Error::Kind::Io, 0, words_of_refusal(code)};
}

Error Session::error_of(int code, int sys) {
  if (refused_) return *refused_;
  if (options_.tls != nullptr) {
    if (std::string why = options_.tls->take_refusal(); !why.empty()) return {Error::Kind::Io, 0, std::move(why)};
  }
  if (code == MOSQ_ERR_ERRNO && sys != 0) return io_error("connection", sys);
  if (code == MOSQ_ERR_TLS || code == MOSQ_ERR_TLS_HANDSHAKE) {
    return {Error::Kind::Io, 0, "TLS fails (does the broker speak it at this port, and want a --cert?)"};
  }
  if (code == MOSQ_ERR_PROTOCOL || code == MOSQ_ERR_MALFORMED_PACKET) {
    // A broker of 3.1.1 may answer a CONNECT of 5 in a form that only 3.1.1 has.
    const bool version = !connected_ && options_.protocol == Protocol::V5;
    return {version ? Error::Kind::Unsupported : Error::Kind::Malformed, 0,
            "its bytes are no MQTT" + std::string(version ? " 5" : "")};
  }
  if (code == MOSQ_ERR_CONN_LOST && !connected_) return {Error::Kind::Io, 0, "it hung up before it answered"};
  if (code == MOSQ_ERR_CONN_LOST) return {Error::Kind::Io, 0, "connection lost"};
  if (code == MOSQ_ERR_KEEPALIVE) return {Error::Kind::Io, ETIMEDOUT, "it does not answer any more"};
  std::string text = ::mosquitto_strerror(code);
  while (text.ends_with('.')) text.pop_back();
  return {Error::Kind::Io, 0, text};
}

int Session::fd() const { return ::mosquitto_socket(handle_.get()); }

short Session::poll_events() const {
  return static_cast<short>(POLLIN | (::mosquitto_want_write(handle_.get()) ? POLLOUT : 0));
}

Result<Done> Session::advance(short events) {
  mosquitto* const handle = handle_.get();
  if (!connected_ && (events & (POLLERR | POLLHUP)) != 0) {
    if (const int error = connect_error(fd()); error != 0) return fail(io_error("connect", error));
  }
  int code = MOSQ_ERR_SUCCESS;
  errno = 0;
  if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) code = ::mosquitto_loop_read(handle, 1);
  if (code == MOSQ_ERR_SUCCESS && (events & POLLOUT) != 0) code = ::mosquitto_loop_write(handle, 1);
  if (code == MOSQ_ERR_SUCCESS) code = ::mosquitto_loop_misc(handle);
  const int sys = errno;
  if (refused_) return fail(*refused_);
  if (code != MOSQ_ERR_SUCCESS) return fail(error_of(code, sys));
  return Done{};
}

Result<Done> Session::publish(const Message& message) {
  int id = 0;
  errno = 0;
  const int code =
      ::mosquitto_publish(handle_.get(), &id, message.topic.c_str(), static_cast<int>(message.payload.size()),
                          message.payload.data(), message.qos, message.retain);
  const int sys = errno;
  if (code == MOSQ_ERR_OVERSIZE_PACKET || code == MOSQ_ERR_PAYLOAD_SIZE) {
    return fail({Error::Kind::TooLarge, 0, "larger than the broker takes"});
  }
  if (code != MOSQ_ERR_SUCCESS) return fail(error_of(code, sys));
  if (message.qos > 0) unacknowledged_.insert(id);
  return Done{};
}

// In one packet: nats-server writes down each packet's filters before it reads the next one.
Result<Done> Session::subscribe(const std::vector<std::string>& filters, int qos) {
  std::vector<std::string> kept = filters;
  std::vector<char*> names;
  names.reserve(kept.size());
  for (std::string& name : kept) names.push_back(name.data());
  errno = 0;
  const int code = ::mosquitto_subscribe_multiple(handle_.get(), nullptr, static_cast<int>(names.size()), names.data(),
                                                  qos, /*options=*/0, nullptr);
  if (code != MOSQ_ERR_SUCCESS) return fail(error_of(code, errno));
  return Done{};
}

bool Session::idle() const {
  return unacknowledged_.empty() && !::mosquitto_want_write(handle_.get()) && unsent_bytes(fd()) == 0;
}

bool Session::draining() const {
  return unacknowledged_.empty() && !::mosquitto_want_write(handle_.get()) && unsent_bytes(fd()) > 0;
}

std::optional<std::string> Session::take_refusal() { return std::exchange(refusal_, std::nullopt); }

void Session::disconnect() { ::mosquitto_disconnect(handle_.get()); }

}  // namespace fp::mqtt
