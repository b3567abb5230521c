#include "tool/broker_options.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "cli/credentials.h"

namespace fp::tool {
namespace {

constexpr const char* kCredentialsVariable = "FRAMEPIPE_MQTT_CREDENTIALS";

bool is_loopback(const std::string& host) { return host == "localhost" || host.starts_with("127.") || host == "::1"; }

}  // namespace

void add_broker_options(CLI::App& app, BrokerFlags& flags, const std::string& url_help) {
  app.add_option("url", flags.url, url_help)->type_name("URL")->required();
  cli::add_number(app, "--qos", flags.qos,
                  "0: a frame may be lost on the way; 1: the broker acknowledges each before the next is sent", 0, 1);
  cli::add_choice(app, "--protocol", flags.protocol, "Version of MQTT; auto: 5, or 3.1.1 where 5 is not known",
                  {"auto", "3.1.1", "5"});
  app.add_option("--credentials", flags.credentials, "A file with USER:PASSWORD")->type_name("FILE");
  app.add_option("--ca", flags.tls.ca, "With mqtts: trust the certificates that those in this file (PEM) have signed")
      ->type_name("FILE");
  auto* const cert =
      app.add_option("--cert", flags.tls.cert, "With mqtts: show the broker this certificate (PEM)")->type_name("FILE");
  auto* const key = app.add_option("--key", flags.tls.key, "Its key (PEM)")->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
}

mqtt::Url broker_url(const BrokerFlags& flags) {
  auto url = mqtt::parse_url(flags.url);
  if (!url) throw Failure{Exit::Usage, url.error().text};
  const std::string& secret = cli::read_credentials(flags.credentials, kCredentialsVariable).common;
  if (!secret.empty()) {
    const auto colon = secret.find(':');
    if (colon == std::string::npos) {
      throw Failure{Exit::Config, std::string(kCredentialsVariable) + ": not USER:PASSWORD"};
    }
    url->credentials = {secret.substr(0, colon), secret.substr(colon + 1)};
  }
  const bool files = !flags.tls.ca.empty() || !flags.tls.cert.empty();
  if (files && !url->secure) throw Failure{Exit::Usage, "--ca, --cert and --key are for mqtts:// URLs: write mqtts://"};
  const bool password = url->credentials && !url->credentials->password.empty();
  const bool loopback = std::ranges::all_of(url->brokers, [](const mqtt::Broker& at) { return is_loopback(at.host); });
  if (password && !url->secure && !loopback) {
    spdlog::warn(
        "{}: the password crosses the network in the clear: anybody on the way can read it (mqtts:// hides it)",
        url->text());
  }
  return std::move(*url);
}

mqtt::Client::Speak protocol_of(const BrokerFlags& flags) {
  if (flags.protocol == "5") return mqtt::Client::Speak::V5;
  return flags.protocol == "3.1.1" ? mqtt::Client::Speak::V311 : mqtt::Client::Speak::Auto;
}

}  // namespace fp::tool
