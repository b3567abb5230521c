// Where a broker is, and which cameras are meant: mqtt://USER@HOST:PORT/PREFIX/NAME. The nodes of a cluster stand with
// commas in between: mqtt://A,B:1884,C/PREFIX/NAME.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fp::mqtt {

struct Credentials {
  std::string user;
  std::string password;
};

struct Broker {
  std::string host;  ///< lower case; an IPv6 address without its brackets
  std::string port;  ///< 1883 or 8883 where none is written

  [[nodiscard]] std::string text(bool secure) const;  ///< as in a URL: its port where it is another one
};

struct Url {
  bool secure = false;          ///< mqtts
  std::vector<Broker> brokers;  ///< at least one; any of them will do
  std::optional<Credentials> credentials;
  std::string prefix;              ///< "site/hall"; no '/' at either end; "" when there is none
  std::vector<std::string> names;  ///< cameras, at least one; "+": all

  /// For messages: without user and password.
  [[nodiscard]] std::string text() const;
  /// "PREFIX/NAME/LEAF".
  [[nodiscard]] std::string topic(std::string_view name, std::string_view leaf) const;
};

/// Reads a whole URL. The last level of its path names the cameras: one, several with commas in between, or "+". User
/// and password are percent-decoded. Errors: Unsupported, in one line that shows no secret.
[[nodiscard]] Result<Url> parse_url(const std::string& text);

/// The camera of a topic "PREFIX/NAME/LEAF", a view into it; nothing when it is no such topic, or NAME no name.
[[nodiscard]] std::optional<std::string_view> name_in(std::string_view topic, std::string_view prefix,
                                                      std::string_view leaf);

}  // namespace fp::mqtt
