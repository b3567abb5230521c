#include "tool/gate.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "base/base64.h"
#include "support/io.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using http::Connection;
using http::Request;

// "swordfish", with the fewest rounds there are.
constexpr const char* kHash =
    "$6$rounds=1000$framepipe$dMy9f4Pcb0l9SGFSVzlOs3n/6w9ZmkqrV8.MxAlEbeUeiR.8N.8oM1iRFm8T4pwbuoiOE2QQ1io6iqGSf8ajB1";
constexpr const char* kToken = "0123456789abcdef";

std::string basic(const std::string& pair) { return "Authorization: Basic " + base64(as_bytes(pair)) + "\r\n"; }

// A gate, and peers at any addresses; behind it every request is answered with the name of who sent it.
class Site {
 public:
  explicit Site(bool on = true) {
    test::write_file(folder / "users", "anna:" + std::string(kHash) + "\n");
    test::write_file(folder / "tokens", "program " + std::string(kToken) + "\n");
    tool::AccessOptions options;
    if (on) options.auth_file = folder / "users";
    if (on) options.token_file = folder / "tokens";
    gate = std::make_unique<tool::Gate>(loop, clock, options, http::SiteOptions(), nullptr);
    gate->open([this](Connection& connection, const Request& request) {
      rights = request.rights;
      http::Response response;
      response.text = request.rights == nullptr      ? "<everybody>"
                      : request.rights->name.empty() ? "<nobody>"
                                                     : "<" + request.rights->name + ">";
      connection.respond(response);
    });
  }
  ~Site() {
    connections_.clear();
    loop.settle();
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // Sends a request from an address; its number.
  std::size_t ask(const std::string& header, const std::string& address = "10.0.0.7",
                  const std::string& line = "GET / HTTP/1.1") {
    test::Pair pair = test::make_socketpair();
    peers_.push_back({std::move(pair.write), ""});
    connections_.push_back(std::make_unique<Connection>(loop, clock, std::move(pair.read), address, options_, handler_,
                                                        [this](Connection& closing, auto) {
                                                          for (auto& one : connections_) {
                                                            if (one.get() != &closing) continue;
                                                            std::shared_ptr<Connection> dying = std::move(one);
                                                            loop.defer([dying] {});
                                                          }
                                                        }));
    REQUIRE(test::write_all(peers_.back().socket.get(), line + "\r\nHost: localhost\r\n" + header + "\r\n"));
    return peers_.size() - 1;
  }
  // What was answered, once it is there.
  std::string answer(std::size_t number) {
    REQUIRE(test::eventually([&] {
      turn();
      return answered(number);
    }));
    return peers_[number].seen;
  }
  bool answered(std::size_t number) {
    char buffer[4096];
    const ssize_t got = ::recv(peers_[number].socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) peers_[number].seen.append(buffer, static_cast<std::size_t>(got));
    return !peers_[number].seen.empty();
  }
  std::string answer_to(const std::string& header, const std::string& address = "10.0.0.7") {
    return answer(ask(header, address));
  }
  void leave(std::size_t number) { peers_[number].socket.reset(); }
  void turn() { ::ev_run(loop.raw(), EVRUN_NOWAIT); }
  bool run_until(const std::string& line) {
    return test::eventually([&] {
      turn();
      return metrics().find(line + "\n") != std::string::npos;
    });
  }
  std::string metrics() const {
    std::string out;
    gate->add_metrics(out);
    return out;
  }

  test::TempDir folder;
  SystemClock clock;
  Loop loop;
  std::unique_ptr<tool::Gate> gate;
  http::RightsPtr rights;  // of the last request that came through

 private:
  struct Peer {
    Fd socket;
    std::string seen;
  };
  const http::ConnectionOptions options_;
  const Connection::Handler handler_ = [this](Connection& connection, Request& request) {
    gate->handle(connection, request);
  };
  std::vector<Peer> peers_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

bool is(const std::string& answer, const std::string& start, const std::string& inside = "") {
  CAPTURE(answer);
  return answer.starts_with("HTTP/1.1 " + start) && answer.find(inside) != std::string::npos;
}

}  // namespace

TEST_CASE("Gate: without files everybody goes through, with all rights") {
  Site site(/*on=*/false);
  CHECK(is(site.answer_to(""), "200", "<everybody>"));
  CHECK(site.metrics().empty());
}

TEST_CASE("Gate: lets in whom it knows, and tells the routes who it is") {
  Site site;
  CHECK(is(site.answer_to(basic("anna:swordfish")), "200", "<anna>"));
  CHECK(is(site.answer_to(basic("anna:swordfish")), "200", "<anna>"));
  CHECK(is(site.answer_to("Authorization: Bearer " + std::string(kToken) + "\r\n"), "200", "<program>"));
  CHECK(is(site.answer_to(basic("anna:wrong")), "401"));
  CHECK(is(site.answer_to(basic("ben:swordfish")), "401"));
  CHECK(is(site.answer_to(basic("anna:swordfish\r\n")), "401"));
  CHECK(is(site.answer_to(""), "401", "WWW-Authenticate: Basic realm=\"framepipe\""));
}

TEST_CASE("Gate: whoever goes through without a word has no rights") {
  Site site;
  CHECK(is(site.answer(site.ask("", "10.0.0.7", "GET /healthz HTTP/1.1")), "200", "<nobody>"));
  CHECK(is(site.answer(site.ask("", "10.0.0.7", "OPTIONS /stream HTTP/1.1")), "200", "<nobody>"));
  CHECK(is(site.answer(site.ask(basic("anna:wrong"), "10.0.0.7", "GET /healthz HTTP/1.1")), "401"));
  CHECK(is(site.answer(site.ask("", "10.0.0.7", "GET /healthz/ HTTP/1.1")), "401"));
}

TEST_CASE("Gate: those who show the same at the same time are one comparison, also when the first one leaves") {
  Site site;
  std::vector<std::size_t> asked;
  asked.reserve(20);
  for (int i = 0; i < 20; ++i) asked.push_back(site.ask(basic("anna:swordfish")));
  site.turn();
  site.leave(asked[0]);
  for (std::size_t i = 1; i < asked.size(); ++i) CHECK(is(site.answer(asked[i]), "200", "<anna>"));
  CHECK(site.run_until("framepipe_auth_checks_total 1"));
  CHECK(site.run_until("framepipe_auth_waiting 0"));
}

TEST_CASE("Gate: when all who wait have left, nobody is in anybody's way") {
  Site site;
  std::vector<std::size_t> asked;
  asked.reserve(9);
  for (int i = 0; i < 9; ++i) asked.push_back(site.ask(basic("anna:wrong" + std::to_string(i))));
  CHECK(site.run_until("framepipe_auth_checks_total 5"));
  for (const std::size_t one : asked) site.leave(one);
  CHECK(site.run_until("framepipe_auth_waiting 0"));
  // A second, as after five, and not as after nine.
  const SteadyTime before = site.clock.steady();
  CHECK(is(site.answer_to(basic("anna:swordfish")), "200", "<anna>"));
  CHECK(site.clock.steady() - before < 15s);
}

TEST_CASE("Gate: tries of one address beyond those that may wait are turned away at once") {
  Site site;
  std::vector<std::size_t> asked;
  asked.reserve(40);
  for (int i = 0; i < 40; ++i) asked.push_back(site.ask(basic("anna:wrong" + std::to_string(i))));
  int turned_away = 0;
  CHECK(test::eventually([&] {
    site.turn();
    turned_away = 0;
    for (const std::size_t one : asked) {
      if (site.answered(one) && is(site.answer(one), "429", "Retry-After")) ++turned_away;
    }
    return turned_away >= 20;
  }));
  // One from elsewhere, at another user, is not concerned.
  CHECK(is(site.answer_to("Authorization: Bearer " + std::string(kToken) + "\r\n", "10.0.0.8"), "200", "<program>"));
}

TEST_CASE("Gate: for a request that waits, a file that has changed meanwhile counts as it is now") {
  Site site;
  const std::size_t asked = site.ask(basic("anna:swordfish"));
  CHECK(site.run_until("framepipe_auth_waiting 1"));
  test::write_file(site.folder / "users", "ben:" + std::string(kHash) + "\n");
  site.gate->reload();
  CHECK(is(site.answer(asked), "401"));
  CHECK(is(site.answer_to(basic("ben:swordfish")), "200", "<ben>"));
  CHECK(is(site.answer_to(basic("anna:swordfish")), "401"));
}

TEST_CASE("Gate: a file that cannot be used any more changes nothing") {
  Site site;
  test::write_file(site.folder / "users", "nonsense");
  site.gate->reload();
  CHECK(is(site.answer_to(basic("anna:swordfish")), "200", "<anna>"));
}

TEST_CASE("Gate: rights of a user hold until the user is another one in the file, or none") {
  Site site;
  CHECK(is(site.answer_to(basic("anna:swordfish")), "200", "<anna>"));
  const http::RightsPtr rights = site.rights;
  test::write_file(site.folder / "users", "ben:" + std::string(kHash) + "\nanna:" + kHash + "\n");
  site.gate->reload();
  CHECK(http::still_hold(rights));
  test::write_file(site.folder / "users", "anna:$6$rounds=1000$another$" + std::string(86, 'x') + "\n");
  site.gate->reload();
  CHECK_FALSE(http::still_hold(rights));
  test::write_file(site.folder / "users", "ben:" + std::string(kHash) + "\n");
  site.gate->reload();
  CHECK_FALSE(http::still_hold(rights));
}

TEST_CASE("Gate: rights of a token hold until it is taken out of the file, which is looked at without a request") {
  Site site;
  CHECK(is(site.answer_to("Authorization: Bearer " + std::string(kToken) + "\r\n"), "200", "<program>"));
  CHECK(http::still_hold(site.rights));
  test::write_file(site.folder / "tokens", "program fedcba9876543210\n");
  CHECK(test::eventually([&] {
    site.turn();
    return !http::still_hold(site.rights);
  }));
}

TEST_CASE("Gate: rights by a link hold until it expires, or what it was signed with is taken out of the file") {
  Site site;
  const auto file = http::TokenFile::parse("program " + std::string(kToken) + "\n", "tokens");
  REQUIRE(file);
  const auto ask_with_link = [&](std::chrono::seconds valid) {
    const std::string link = file->sign({"*"}, site.clock.wall() + valid);
    CHECK(is(site.answer_to("Authorization: Bearer " + link + "\r\n"), "200", "<program>"));
    return site.rights;
  };
  const http::RightsPtr brief = ask_with_link(2s);
  const http::RightsPtr rights = ask_with_link(1h);
  CHECK(test::eventually([&] { return !http::still_hold(brief); }));
  CHECK(http::still_hold(rights));
  test::write_file(site.folder / "tokens", "program fedcba9876543210\n");
  site.gate->reload();
  CHECK_FALSE(http::still_hold(rights));
}

TEST_CASE("Gate: a file that cannot be used ends nobody's rights") {
  Site site;
  CHECK(is(site.answer_to(basic("anna:swordfish")), "200", "<anna>"));
  test::write_file(site.folder / "users", "nonsense");
  site.gate->reload();
  CHECK(http::still_hold(site.rights));
}
