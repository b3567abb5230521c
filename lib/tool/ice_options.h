// What webrtc-serve and webrtc-ingest are told about the ways that media may take.
#pragma once

#include <string>
#include <vector>

#include "cli/cli.h"
#include "rtc/ice.h"
#include "tool/listen.h"

namespace fp::tool {

/// As given.
struct IceFlags {
  std::string stun;              ///< HOST:PORT
  std::string turn;              ///< [USER:PASSWORD@]HOST:PORT
  std::string turn_credentials;  ///< a file
  std::string udp_ports;         ///< A-B
  std::vector<std::string> addresses;
  bool relay_only = false;
};

/// --stun, --turn, --turn-credentials, --udp-ports, --ice-address, --relay-only.
void add_ice_options(CLI::App& app, IceFlags& flags);

/// Takes the password of --turn out of the command line, which everybody on the machine can read. After cli::parse().
void blot_out_turn(int argc, char** argv, const IceFlags& flags);

/// What sessions are given. Without --ice-address those addresses are used where the program listens: with listeners on
/// loopback alone (or unix sockets) nothing can be reached from outside by UDP either.
class Ice {
 public:
  /// Checks and completes the flags; the user and password of --turn may stand in a file, or in the environment as
  /// FRAMEPIPE_TURN_CREDENTIALS. Throws Failure.
  Ice(const IceFlags& flags, const std::vector<Listener>& listeners);

  /// For a session that begins now: where any address will do, those that the machine has at this time, loopback too.
  [[nodiscard]] rtc::IceOptions options() const;
  /// What pages may know of it: "stun:HOST:PORT". Never the relay, whose password is ours.
  [[nodiscard]] std::vector<std::string> public_urls() const;
  /// Peers on other machines cannot reach it: all its addresses are loopback's, and there is no relay.
  [[nodiscard]] bool loopback_only() const;

 private:
  rtc::IceOptions options_;
  bool every_address_ = false;
};

}  // namespace fp::tool
