#include "loadgen/server_side.h"

#include <cstdio>
#include <fstream>
#include <string>

namespace fp::bench {
namespace {

constexpr unsigned kEstablished = 1;  // include/net/tcp_states.h of the kernel

void add_from(const char* table, std::uint16_t server_port, std::set<std::uint16_t>& ports) {
  std::ifstream in(table);
  std::string line;
  while (std::getline(in, line)) {
    unsigned local_port = 0;
    unsigned remote_port = 0;
    unsigned state = 0;
    // "sl: local_address:PORT remote_address:PORT STATE ...", all but the first in hex
    if (std::sscanf(line.c_str(), " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &local_port, &remote_port, &state) != 3)
      continue;
    if (local_port == server_port && state == kEstablished) ports.insert(static_cast<std::uint16_t>(remote_port));
  }
}

}  // namespace

std::set<std::uint16_t> ports_held_by_server(std::uint16_t server_port) {
  std::set<std::uint16_t> ports;
  add_from("/proc/net/tcp", server_port, ports);
  add_from("/proc/net/tcp6", server_port, ports);  // a server on a dual-stack socket
  return ports;
}

}  // namespace fp::bench
