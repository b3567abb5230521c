// Users and passwords from where nobody else can read them.
#pragma once

#include <map>
#include <string>

namespace fp::cli {

struct Credentials {
  std::string common;                                       ///< "USER:PASSWORD", or ""
  std::map<std::string, std::string, std::less<>> by_name;  ///< of lines NAME=USER:PASSWORD

  /// Those of `name`, else the common ones, else "".
  [[nodiscard]] const std::string& of(std::string_view name) const;
};

/// Reads `file`: a line USER:PASSWORD, and any number of lines NAME=USER:PASSWORD, where NAME is a camera's; empty
/// lines and those that begin with # are left out. With "" the environment variable `variable`, which holds one
/// USER:PASSWORD. `option` named the file. Throws Failure when it cannot be read or holds something else.
[[nodiscard]] Credentials read_credentials(const std::string& file, const char* variable,
                                           const std::string& option = "--credentials");

}  // namespace fp::cli
