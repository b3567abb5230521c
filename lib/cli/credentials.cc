#include "cli/credentials.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/result.h"
#include "base/text.h"

namespace fp::cli {
namespace {

// A NAME in front of '='; the user of USER:PASSWORD may hold one, too, but then a ':' stands before it or it is no
// name.
std::string_view name_in(std::string_view line) {
  const std::string_view name = line.substr(0, line.find('='));
  const bool is_name = name.size() < line.size() && !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
                         return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
                       });
  return is_name ? name : std::string_view();
}

}  // namespace

const std::string& Credentials::of(std::string_view name) const {
  const auto found = by_name.find(name);
  return found == by_name.end() ? common : found->second;
}

Credentials read_credentials(const std::string& file, const char* variable, const std::string& option) {
  Credentials credentials;
  if (file.empty()) {
    const char* const value = std::getenv(variable);
    if (value != nullptr) credentials.common = value;
    return credentials;
  }
  std::ifstream in(file);
  if (!in) throw failure_of(io_error(option + " " + file));
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    std::string_view rest = trim(line);
    if (rest.empty() || rest.starts_with('#')) continue;
    const std::string_view name = name_in(rest);
    if (!name.empty()) rest.remove_prefix(name.size() + 1);
    if (rest.find(':') == std::string_view::npos) {
      throw Failure{Exit::Config, option + " " + file + ", line " + std::to_string(number) +
                                      ": neither USER:PASSWORD nor NAME=USER:PASSWORD"};
    }
    if (name.empty()) {
      credentials.common = std::string(rest);
    } else {
      credentials.by_name[std::string(name)] = std::string(rest);
    }
  }
  if (credentials.common.empty() && credentials.by_name.empty()) {
    throw Failure{Exit::Config, option + " " + file + ": it is empty (write USER:PASSWORD)"};
  }
  return credentials;
}

}  // namespace fp::cli
