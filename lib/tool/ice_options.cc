#include "tool/ice_options.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "base/fd.h"
#include "base/secret_url.h"
#include "base/text.h"
#include "cli/credentials.h"
#include "frame/endpoint.h"

namespace fp::tool {
namespace {

constexpr const char* kCredentialsVariable = "FRAMEPIPE_TURN_CREDENTIALS";

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    address.length = sizeof v4;
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    address.length = sizeof v6;
  } else {
    return std::nullopt;
  }
  return address;
}

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }
bool is_any(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

void check_own(const std::string& text) {
  const auto address = parse_address(text);
  if (!address) throw Failure{Exit::Usage, "--ice-address " + text + ": no address in figures (as 192.168.1.5)"};
  if (is_any(text)) throw Failure{Exit::Usage, "--ice-address " + text + ": leave it out for all addresses"};
  const Fd socket(::socket(address->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address->storage), address->length) == 0) return;
  throw Failure{Exit::Usage, "--ice-address " + text + ": this machine has no such address (ip address shows them)"};
}

// HOST:PORT, as it goes into a URL.
std::string parse_server(const std::string& option, const std::string& text) {
  const auto parts = parse_host_port(text);
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("-._:").find(c) != std::string::npos;
  };
  if (!parts || parts->host.empty() || parts->port == "0" ||
      !std::all_of(parts->host.begin(), parts->host.end(), fits)) {
    throw Failure{Exit::Usage, option + " " + printable(text, 80) + ": write HOST:PORT (the usual port is 3478)"};
  }
  const bool v6 = parts->host.find(':') != std::string::npos;
  return (v6 ? "[" + parts->host + "]" : parts->host) + ":" + parts->port;
}

// As it goes into a URL; user and password are written as they are, not percent-encoded.
std::string parse_turn(const IceFlags& flags) {
  constexpr std::string_view kScheme = "turn://";
  const auto at = flags.turn.rfind('@');  // a password may hold one
  const std::string server = parse_server("--turn", at == std::string::npos ? flags.turn : flags.turn.substr(at + 1));
  std::string secret = at == std::string::npos ? "" : flags.turn.substr(0, at);
  if (secret.empty() || !flags.turn_credentials.empty()) {
    secret = cli::read_credentials(flags.turn_credentials, kCredentialsVariable, "--turn-credentials").common;
  }
  const auto colon = secret.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == secret.size()) {
    throw Failure{Exit::Usage, "--turn " + server +
                                   ": its user and password are missing: write USER:PASSWORD@HOST:PORT, or name a "
                                   "file that holds USER:PASSWORD with --turn-credentials"};
  }
  return with_secret(std::string(kScheme) + server, secret).substr(kScheme.size());
}

void parse_ports(const std::string& text, rtc::IceOptions& ice) {
  const auto dash = text.find('-');
  const auto low = parse_integer<std::uint16_t>(std::string_view(text).substr(0, dash));
  const auto high =
      dash == std::string::npos ? low : parse_integer<std::uint16_t>(std::string_view(text).substr(dash + 1));
  if (!low || !high || *low == 0 || *low > *high) {
    throw Failure{Exit::Usage, "--udp-ports " + text + ": write A-B, two ports of 1 to 65535 (as 40000-40100)"};
  }
  ice.min_port = *low;
  ice.max_port = *high;
}

std::string host_of(const Listener& listener) {
  std::string host = listener.address.substr(0, listener.address.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

struct FreeAddresses {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};

// Of all interfaces that are up. Link-local ones of IPv6 are left out: no peer could use one without our interface.
std::vector<std::string> machine_addresses() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {"127.0.0.1"};
  const std::unique_ptr<ifaddrs, FreeAddresses> list(raw);
  std::vector<std::string> addresses;
  for (const ifaddrs* one = list.get(); one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) != 0) continue;
      ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    } else {
      continue;
    }
    if (std::find(addresses.begin(), addresses.end(), text.data()) == addresses.end()) {
      addresses.emplace_back(text.data());
    }
  }
  return addresses;
}

}  // namespace

void add_ice_options(CLI::App& app, IceFlags& flags) {
  app.add_option("--stun", flags.stun, "HOST:PORT of a server that tells us our address outside (behind a NAT)")
      ->type_name("SERVER");
  app.add_option("--turn", flags.turn, "USER:PASSWORD@HOST:PORT of a relay for peers that cannot reach us")
      ->type_name("RELAY");
  app.add_option("--turn-credentials", flags.turn_credentials,
                 "A file with USER:PASSWORD of --turn; without it FRAMEPIPE_TURN_CREDENTIALS of the environment")
      ->type_name("FILE");
  app.add_option("--udp-ports", flags.udp_ports, "Media comes and goes on these UDP ports, for a firewall [any]")
      ->type_name("A-B");
  app.add_option("--ice-address", flags.addresses,
                 "Offer media on this address of the machine; any number of times [those of --listen]")
      ->type_name("ADDR")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--relay-only", flags.relay_only, "Tell peers no address of ours: all media goes through --turn");
}

void blot_out_turn(int argc, char** argv, const IceFlags& flags) {
  const auto at = flags.turn.rfind('@');  // a password may hold one
  if (at == std::string::npos) return;
  for (int index = 1; index < argc; ++index) {
    const std::string_view argument(argv[index]);
    if (!argument.ends_with(flags.turn)) continue;
    std::fill_n(argv[index] + (argument.size() - flags.turn.size()), at, '*');
  }
}

Ice::Ice(const IceFlags& flags, const std::vector<Listener>& listeners) {
  if (!flags.stun.empty()) options_.stun = parse_server("--stun", flags.stun);
  if (!flags.turn.empty()) options_.turn = parse_turn(flags);
  if (flags.turn.empty() && flags.relay_only) throw Failure{Exit::Usage, "--relay-only needs --turn, the relay"};
  if (flags.turn.empty() && !flags.turn_credentials.empty()) {
    throw Failure{Exit::Usage, "--turn-credentials needs --turn HOST:PORT, the relay"};
  }
  options_.relay_only = flags.relay_only;
  if (!flags.udp_ports.empty()) parse_ports(flags.udp_ports, options_);
  if (!flags.addresses.empty()) {
    for (const std::string& address : flags.addresses) check_own(address);
    options_.addresses = flags.addresses;
    return;
  }
  for (const Listener& listener : listeners) {
    if (listener.address.starts_with("unix:")) continue;
    const std::string host = host_of(listener);
    every_address_ = every_address_ || is_any(host);
    const auto& known = options_.addresses;
    if (std::find(known.begin(), known.end(), host) == known.end()) options_.addresses.push_back(host);
  }
  if (every_address_) options_.addresses.clear();
  if (!every_address_ && options_.addresses.empty()) options_.addresses = {"127.0.0.1"};
}

rtc::IceOptions Ice::options() const {
  rtc::IceOptions options = options_;
  if (every_address_) options.addresses = machine_addresses();
  return options;
}

std::vector<std::string> Ice::public_urls() const {
  if (options_.stun.empty()) return {};
  return {"stun:" + options_.stun};
}

bool Ice::loopback_only() const {
  return !every_address_ && options_.turn.empty() &&
         std::all_of(options_.addresses.begin(), options_.addresses.end(), is_loopback);
}

}  // namespace fp::tool
