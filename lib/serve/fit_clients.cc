#include "serve/fit_clients.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.h"
#include "serve/fit_question.h"

namespace fp {
namespace {

constexpr std::string_view kName = "framepipe_fit=";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kMostGiven = 8;  // at one address, to clients that have not come back yet
constexpr std::size_t kIdBytes = 16;   // nobody guesses another one's

// Nothing when the kernel has none to give: then the address must do.
std::string random_id() {
  std::array<std::uint8_t, kIdBytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  return hex(bytes);
}

// RFC 6265, section 4.2: "a=1; b=2". "": there is none of ours, or one that we never gave.
std::string id_of(std::optional<std::string_view> cookies) {
  if (!cookies) return {};
  for (std::string_view cookie : split(*cookies, ';')) {
    cookie = trim(cookie);
    if (!cookie.starts_with(kName)) continue;
    const std::string_view id = cookie.substr(kName.size());
    if (id.size() == 2 * kIdBytes && id.find_first_not_of(kDigits) == std::string_view::npos) return std::string(id);
  }
  return {};
}

std::string set_cookie(const std::string& id) {
  return id.empty() ? "" : std::string(kName) + id + "; Path=/; HttpOnly; SameSite=Lax";
}

std::string key_of(const std::string& address) { return "at " + address; }

}  // namespace

FitClient::FitClient() = default;
FitClient::~FitClient() = default;

FitClients::Known::iterator FitClients::find(const std::string& key) {
  return std::find_if(known_.begin(), known_.end(), [&](const auto& known) { return known.first == key; });
}

void FitClients::remember(const std::string& key, const std::shared_ptr<FitClient>& client) {
  if (const auto found = find(key); found != known_.end()) {
    known_.splice(known_.begin(), known_, found);
  } else {
    known_.emplace_front(key, client);
  }
  if (known_.size() > kMostClients) known_.pop_back();
}

void FitClients::forget(const std::string& key) {
  if (const auto found = find(key); found != known_.end()) known_.erase(found);
}

// The one whose cookie this is, one who was given it at this address, or a new one.
std::shared_ptr<FitClient> FitClients::of_cookie(const std::string& id, const std::string& address) {
  if (const auto found = find(id); found != known_.end()) return found->second;
  auto client = std::make_shared<FitClient>();
  const auto before = find(key_of(address));
  if (before == known_.end() || std::erase(before->second->cookies, id) == 0) return client;
  client->open = before->second->open;
  if (before->second->cookies.empty()) known_.erase(before);
  return client;
}

FitClients::Visit FitClients::visit(std::optional<std::string_view> cookies, const std::string& address, bool opens) {
  Visit visit;
  std::string key = id_of(cookies);
  if (!key.empty()) {
    visit.client = of_cookie(key, address);
  } else {
    key = key_of(address);
    const auto found = find(key);
    visit.client = found != known_.end() ? found->second : std::make_shared<FitClient>();
    std::vector<std::string>& given = visit.client->cookies;
    if (opens) {
      if (given.size() >= kMostGiven) given.erase(given.begin());
      given.push_back(random_id());
    }
    visit.set_cookie = set_cookie(given.empty() ? random_id() : given.back());
  }
  visit.client->open = visit.client->open || opens;
  if (visit.client->open) remember(key, visit.client);
  return visit;
}

std::shared_ptr<FitClient> FitClients::leave(std::optional<std::string_view> cookies, const std::string& address) {
  std::string key = id_of(cookies);
  std::shared_ptr<FitClient> client;
  if (!key.empty()) {
    client = of_cookie(key, address);
  } else if (const auto found = find(key = key_of(address)); found != known_.end()) {
    client = found->second;
  }
  forget(key);
  if (!client || !client->open) return nullptr;
  client->open = false;
  return client;
}

}  // namespace fp
