// Whoever posts pictures to be worked on, and whose gate is open.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp {

struct FitTicket;

/// Closed until it is opened; one that is closed is forgotten.
struct FitClient {
  FitClient();
  FitClient(const FitClient&) = delete;
  FitClient& operator=(const FitClient&) = delete;
  ~FitClient();
  bool open = false;
  /// Of those who are known by their address: what one that has opened the gate there may bring along the next time.
  std::vector<std::string> cookies;
  std::unique_ptr<FitTicket> waiting;  ///< the question that waits for its turn, if there is one
};

/// Knows a client by its cookie, and by its address when it brings none. One that brings the cookie it was given when
/// it came first is the same one, and takes its open gate along: nothing is left for others at that address. One
/// thread. Memory: kMostClients.
class FitClients {
 public:
  static constexpr std::size_t kMostClients =
      256;  ///< with an open gate; the one that was not seen longest is forgotten
  struct Visit {
    std::shared_ptr<FitClient> client;
    std::string set_cookie;  ///< for Set-Cookie; "": it has one
  };

  /// `cookies`: the request's Cookie header. `opens`: its gate is open from now on.
  [[nodiscard]] Visit visit(std::optional<std::string_view> cookies, const std::string& address, bool opens);
  /// Closes the gate of whoever this is; gives the client, if its gate was open.
  [[nodiscard]] std::shared_ptr<FitClient> leave(std::optional<std::string_view> cookies, const std::string& address);
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  using Known = std::list<std::pair<std::string, std::shared_ptr<FitClient>>>;
  [[nodiscard]] Known::iterator find(const std::string& key);
  [[nodiscard]] std::shared_ptr<FitClient> of_cookie(const std::string& id, const std::string& address);
  void remember(const std::string& key, const std::shared_ptr<FitClient>& client);
  void forget(const std::string& key);

  Known known_;  // the one that was seen last is in front
};

}  // namespace fp
