// What frame-publish and frame-subscribe are told of a broker.
#pragma once

#include <string>

#include "cli/cli.h"
#include "mqtt/client.h"

namespace fp::tool {

/// As given.
struct BrokerFlags {
  std::string url;
  std::string protocol = "auto";
  int qos = 0;
  std::string credentials;  ///< a file
  mqtt::TlsFiles tls;
};

/// The URL, as argument; --qos, --protocol, --credentials, --ca, --cert, --key.
void add_broker_options(CLI::App& app, BrokerFlags& flags, const std::string& url_help);

/// The URL with user and password, which may stand in it, in the file of --credentials, or in the environment as
/// FRAMEPIPE_MQTT_CREDENTIALS. Says aloud when a password would cross a network that anybody can read. Throws Failure.
[[nodiscard]] mqtt::Url broker_url(const BrokerFlags& flags);
[[nodiscard]] mqtt::Client::Speak protocol_of(const BrokerFlags& flags);

}  // namespace fp::tool
