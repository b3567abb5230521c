// An MQTT broker by hand: the test reads each packet and answers it, or does not.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "support/io.h"

namespace fp::test {

/// A control packet (MQTT 3.1.1, 2.1). Type 0: the client has left.
struct MqttPacket {
  int type = 0;
  int flags = 0;
  std::string body;

  static constexpr int kConnect = 1, kPublish = 3, kSubscribe = 8, kDisconnect = 14;
  [[nodiscard]] std::size_t word(std::size_t at) const {
    return static_cast<std::size_t>(static_cast<unsigned char>(body.at(at))) << 8 |
           static_cast<unsigned char>(body.at(at + 1));
  }
  // Of a PUBLISH, in 3.1.1.
  [[nodiscard]] std::string topic() const { return body.substr(2, word(0)); }
  [[nodiscard]] int qos() const { return flags >> 1 & 3; }
  [[nodiscard]] bool retain() const { return (flags & 1) != 0; }
  [[nodiscard]] std::string id() const { return body.substr(2 + word(0), 2); }
  [[nodiscard]] std::string payload() const { return body.substr(2 + word(0) + (qos() > 0 ? 2 : 0)); }
  /// Of a CONNECT: 4 is 3.1.1, 5 is 5.
  [[nodiscard]] int version() const { return body.at(6); }
};

class HandConnection {
 public:
  explicit HandConnection(Fd fd) : fd_(std::move(fd)) {}

  /// The next packet; pings are answered and left out.
  MqttPacket read() {
    for (;;) {
      MqttPacket packet = read_any();
      if (packet.type != 12) return packet;
      write(std::string("\xD0\x00", 2));
    }
  }
  void write(std::string_view bytes) { (void)write_all(fd_.get(), bytes); }
  /// Reads the CONNECT and takes the client in.
  MqttPacket welcome(int code = 0) {
    MqttPacket connect = read();
    if (connect.type != MqttPacket::kConnect) return connect;
    std::string answer =
        connect.version() == 5 ? std::string("\x20\x03\x00\x00\x00", 5) : std::string("\x20\x02\x00\x00", 4);
    answer[3] = static_cast<char>(code);
    write(answer);
    return connect;
  }
  void acknowledge(const MqttPacket& publish) { write(std::string("\x40\x02", 2) + publish.id()); }
  /// Something has come within `limit`.
  bool readable(std::chrono::milliseconds limit) { return wait_readable(fd_.get(), limit); }
  void close() { fd_.reset(); }

 private:
  MqttPacket read_any() {
    std::string head = bytes(1);
    if (head.empty()) return {};
    std::size_t length = 0;
    for (int shift = 0;; shift += 7) {
      const std::string digit = bytes(1);
      if (digit.empty()) return {};
      const auto value = static_cast<unsigned char>(digit[0]);
      length |= static_cast<std::size_t>(value & 0x7F) << shift;
      if ((value & 0x80) == 0) break;
    }
    const auto first = static_cast<unsigned char>(head[0]);
    return {first >> 4, first & 15, bytes(length)};
  }
  std::string bytes(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t got = 0; got < count;) {
      if (!wait_readable(fd_.get())) return "";
      const ssize_t size = ::recv(fd_.get(), text.data() + got, count - got, 0);
      if (size <= 0) return "";
      got += static_cast<std::size_t>(size);
    }
    return text;
  }
  Fd fd_;
};

class HandBroker {
 public:
  HandBroker() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), raw, length) != 0 || ::listen(listener_.get(), 8) != 0 ||
        ::getsockname(listener_.get(), raw, &length) != 0) {
      throw std::runtime_error("hand broker");
    }
    port_ = std::to_string(ntohs(address.sin_port));
  }
  [[nodiscard]] const std::string& port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& path) const { return "mqtt://127.0.0.1:" + port_ + "/" + path; }
  /// Somebody connects within `limit`.
  bool called(std::chrono::milliseconds limit) { return wait_readable(listener_.get(), limit); }
  /// Refuses everybody from now on.
  void close() { listener_.reset(); }
  HandConnection accept() {
    if (!wait_readable(listener_.get())) throw std::runtime_error("nobody connects");
    return HandConnection(Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }

 private:
  Fd listener_;
  std::string port_;
};

}  // namespace fp::test
