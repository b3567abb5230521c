#include "http/lockout.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"

namespace {

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;
using Outcome = Lockout::Outcome;

struct Site {
  // A try that waits as long as it must, and how long that was.
  std::chrono::nanoseconds attempt(const std::string& key, Outcome outcome) {
    const auto at = lockout.begin(key, clock.steady());
    REQUIRE(at.has_value());
    const auto waited = *at - clock.steady();
    clock.tick(waited);
    lockout.end(key, outcome, clock.steady());
    return waited;
  }
  void fail(const std::string& key, int times) {
    for (int i = 0; i < times; ++i) (void)attempt(key, Outcome::Wrong);
  }
  test::FakeClock clock;
  Lockout lockout;
};

}  // namespace

TEST_CASE("Lockout: five failures are free, then each waits twice as long as the one before, a minute at most") {
  Site site;
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 13; ++i) waits.push_back(site.attempt("10.0.0.7", Outcome::Wrong));
  CHECK(waits == std::vector<std::chrono::nanoseconds>{0s, 0s, 0s, 0s, 0s, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
}

TEST_CASE("Lockout: a right one waits as long as a wrong one would, and then all is forgotten") {
  Site site;
  site.fail("anna", 7);
  CHECK(site.attempt("anna", Outcome::Right) == 4s);
  CHECK(site.attempt("anna", Outcome::Wrong) == 0s);
  CHECK(site.lockout.keys() == 1);
}

TEST_CASE("Lockout: one that was not looked at counts as nothing") {
  Site site;
  for (int i = 0; i < 20; ++i) CHECK(site.attempt("anna", Outcome::NotLooked) == 0s);
  site.fail("anna", 5);
  CHECK(site.attempt("anna", Outcome::NotLooked) == 1s);
  CHECK(site.attempt("anna", Outcome::Wrong) <= 1s);
}

TEST_CASE("Lockout: tries at the same time wait one behind the other") {
  Site site;
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 9; ++i) {
    const auto at = site.lockout.begin("10.0.0.7", site.clock.steady());
    REQUIRE(at.has_value());
    waits.push_back(*at - site.clock.steady());
  }
  CHECK(waits == std::vector<std::chrono::nanoseconds>{0s, 0s, 0s, 0s, 0s, 1s, 3s, 7s, 15s});
}

TEST_CASE("Lockout: those that would wait longer than a minute are turned away, and take no place") {
  Site site;
  site.fail("10.0.0.7", 20);
  CHECK(site.lockout.begin("10.0.0.7", site.clock.steady()).has_value());
  CHECK_FALSE(site.lockout.begin("10.0.0.7", site.clock.steady()).has_value());
  CHECK_FALSE(site.lockout.begin("10.0.0.7", site.clock.steady()).has_value());
  site.clock.tick(60s);
  site.lockout.end("10.0.0.7", Outcome::Wrong, site.clock.steady());
  CHECK(site.lockout.begin("10.0.0.7", site.clock.steady()).has_value());
}

TEST_CASE("Lockout: when those under way have gone, nobody waits for them") {
  Site site;
  for (int i = 0; i < 8; ++i) REQUIRE(site.lockout.begin("10.0.0.7", site.clock.steady()).has_value());
  for (int i = 0; i < 8; ++i) site.lockout.end("10.0.0.7", Outcome::NotLooked, site.clock.steady());
  CHECK(site.attempt("10.0.0.7", Outcome::Wrong) == 0s);
}

TEST_CASE("Lockout: keys have nothing to do with each other") {
  Site site;
  site.fail("10.0.0.7", 9);
  CHECK(site.attempt("10.0.0.8", Outcome::Wrong) == 0s);
  CHECK(site.lockout.locked(site.clock.steady()) == 1);
}

TEST_CASE("Lockout: what is no guess waits as long as one would, and makes no other wait longer") {
  Site site;
  site.fail("10.0.0.7", 6);
  for (int i = 0; i < 3; ++i) CHECK(site.lockout.free_at("10.0.0.7", site.clock.steady()) - site.clock.steady() == 2s);
  CHECK(site.attempt("10.0.0.7", Outcome::Wrong) == 2s);
  CHECK(site.lockout.free_at("10.0.0.8", site.clock.steady()) == site.clock.steady());
}

TEST_CASE("Lockout: a quarter of an hour without a failure, and all is forgotten") {
  Site site;
  site.fail("10.0.0.7", 9);
  site.clock.tick(Lockout::kMemory - 1s);
  (void)site.attempt("10.0.0.7", Outcome::NotLooked);
  site.clock.tick(2s);
  for (int i = 0; i < 5; ++i) CHECK(site.attempt("10.0.0.7", Outcome::Wrong) == 0s);
}

TEST_CASE("Lockout: remembers so many keys, and the one whose last failure is oldest gives way") {
  Site site;
  site.fail("first", 6);
  for (std::size_t i = 1; i < Lockout::kMostKeys; ++i) {
    site.clock.tick(1ms);
    site.fail(std::to_string(i), 1);
  }
  CHECK(site.lockout.keys() == Lockout::kMostKeys);
  site.fail("one more", 1);
  CHECK(site.lockout.keys() == Lockout::kMostKeys);
  CHECK(site.attempt("first", Outcome::Wrong) == 0s);
}

TEST_CASE("network_of: an IPv4 address is itself, of IPv6 the /64, and what is no address stays") {
  CHECK(network_of("192.168.1.7") == "192.168.1.7");
  CHECK(network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(network_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64");
  CHECK(network_of("unix") == "unix");
}
