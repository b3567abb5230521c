#include "tool/access_options.h"

#include <unistd.h>

#include "base/text.h"
#include "http/access.h"
#include "http/tokens.h"
#include "tool/web_program.h"

namespace fp::tool {

using namespace std::chrono_literals;

void add_access_options(CLI::App& app, AccessOptions& options) {
  app.add_option("--auth", options.auth_file,
                 "Ask for a user and a password of this file (lines USER:HASH, as htpasswd -B makes them)")
      ->type_name("FILE");
  app.add_option("--token", options.token_file,
                 "Ask for a token of this file (lines NAME TOKEN), or for one that was signed with it")
      ->type_name("FILE");
  add_list(
      app, "--grant", options.grants, "GRANT",
      "USER:CAMERA,CAMERA: let USER (or the token of that NAME) see these cameras alone, * for all; whoever has no "
      "grant then sees none; any number of times");
  app.add_option("--sign", options.sign,
                 "Print a token for links that shows these cameras (* for all) for a while, signed with the first of "
                 "--token, and end")
      ->type_name("CAMERA,...");
  cli::add_duration(app, "--valid", options.valid, "With --sign: for how long", 1s, 24h * 3660);
}

std::optional<Exit> sign_token(const AccessOptions& options) {
  if (options.sign.empty()) return std::nullopt;
  if (options.token_file.empty()) throw Failure{Exit::Usage, "--sign needs --token FILE, to sign with"};
  std::vector<std::string> cameras;
  for (const std::string_view camera : split(std::string_view(options.sign), ',')) {
    if (!http::is_camera_or_all(camera)) {
      throw Failure{Exit::Usage, "--sign " + printable(options.sign, 80) + ": write CAMERA,CAMERA or *"};
    }
    cameras.emplace_back(camera);
  }
  const auto file = http::TokenFile::load(options.token_file);
  if (!file) throw access_failure("--token", file.error());
  const std::string line = "token=" + file->sign(cameras, SystemClock().wall() + options.valid) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw failure_of(io_error("write the token"));
  }
  return Exit::Done;
}

}  // namespace fp::tool
