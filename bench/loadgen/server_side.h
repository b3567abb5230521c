#pragma once

#include <cstdint>
#include <set>

namespace fp::bench {

/// The client ports of all connections that `server_port` of this host still holds open.
///
/// A viewer that does not read cannot see that the server closed: FIN stays behind the data that it leaves unread. The
/// server's own socket, on the same host, shows it: it has left ESTABLISHED.
std::set<std::uint16_t> ports_held_by_server(std::uint16_t server_port);

}  // namespace fp::bench
