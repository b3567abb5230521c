// Who is let in: --auth, --token, --grant; and --sign, which makes links for those who are not.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"

namespace fp::tool {

struct AccessOptions {
  std::string auth_file;            ///< "": no passwords
  std::string token_file;           ///< "": no tokens; with neither everybody is let in
  std::vector<std::string> grants;  ///< "USER:CAMERA,CAMERA"
  std::string sign;                 ///< "CAMERA,CAMERA": what to sign a token for, instead of serving
  std::chrono::milliseconds valid{3'600'000};

  [[nodiscard]] bool given() const { return !auth_file.empty() || !token_file.empty() || !grants.empty(); }
};

void add_access_options(CLI::App& app, AccessOptions& options);

/// With --sign: writes `token=...` to standard output, and the program has done its work. Throws Failure.
[[nodiscard]] std::optional<Exit> sign_token(const AccessOptions& options);

}  // namespace fp::tool
