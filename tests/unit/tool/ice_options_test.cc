#include "tool/ice_options.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using namespace fp;
using tool::Ice;
using tool::IceFlags;

std::vector<Listener> listeners(const std::vector<std::string>& addresses) {
  std::vector<Listener> made;
  for (const std::string& address : addresses) {
    Listener listener;
    listener.address = address;
    made.push_back(std::move(listener));
  }
  return made;
}

bool has(const std::vector<std::string>& list, const std::string& one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

std::string refusal(const IceFlags& flags) {
  try {
    const Ice ice(flags, listeners({"127.0.0.1:1"}));
  } catch (const Failure& failure) {
    CHECK(failure.code == Exit::Usage);
    return failure.text;
  }
  return "";
}

TEST_CASE("Ice: media is offered where the program listens, and on loopback alone when only that can be reached") {
  using Addresses = std::vector<std::string>;
  CHECK(Ice({}, listeners({"127.0.0.1:8889"})).options().addresses == Addresses{"127.0.0.1"});
  CHECK(Ice({}, listeners({"unix:/run/x.sock"})).options().addresses == Addresses{"127.0.0.1"});
  CHECK(Ice({}, listeners({"[::1]:1", "127.0.0.1:1"})).options().addresses == Addresses{"::1", "127.0.0.1"});
  CHECK(Ice({}, listeners({"192.0.2.5:1", "192.0.2.5:2", "unix:@x"})).options().addresses == Addresses{"192.0.2.5"});
  CHECK(Ice({}, listeners({"127.0.0.1:1"})).loopback_only());
  CHECK_FALSE(Ice({}, listeners({"192.0.2.5:1"})).loopback_only());
}

TEST_CASE("Ice: who listens on all addresses offers all, loopback too") {
  for (const char* any : {"0.0.0.0:8889", "[::]:8889"}) {
    const Ice ice({}, listeners({"127.0.0.1:1", any}));
    CHECK(has(ice.options().addresses, "127.0.0.1"));
    CHECK_FALSE(has(ice.options().addresses, "0.0.0.0"));
    CHECK_FALSE(ice.loopback_only());
  }
}

TEST_CASE("Ice: the addresses that are given are taken, and those that the machine has not are refused") {
  IceFlags flags;
  flags.addresses = {"127.0.0.1"};
  CHECK(Ice(flags, listeners({"0.0.0.0:1"})).options().addresses == std::vector<std::string>{"127.0.0.1"});
  for (const char* wrong : {"192.0.2.1", "localhost", "0.0.0.0", "::", ""}) {
    flags.addresses = {wrong};
    CHECK(refusal(flags).starts_with("--ice-address"));
  }
}

TEST_CASE("Ice: ports are a range, or one") {
  IceFlags flags;
  flags.udp_ports = "40000-40100";
  CHECK(Ice(flags, listeners({"127.0.0.1:1"})).options().min_port == 40000);
  CHECK(Ice(flags, listeners({"127.0.0.1:1"})).options().max_port == 40100);
  flags.udp_ports = "40000";
  CHECK(Ice(flags, listeners({"127.0.0.1:1"})).options().max_port == 40000);
  for (const char* wrong : {"0-1", "2-1", "1-70000", "a-b", "1-2-3", "-5", "5-"}) {
    flags.udp_ports = wrong;
    CHECK(refusal(flags).starts_with("--udp-ports"));
  }
}

TEST_CASE("Ice: a relay's user and password stand in the option or in a file, and are encoded for a URL") {
  IceFlags flags;
  flags.turn = "me:p@ss/wo%rd@relay.example:3478";
  CHECK(Ice(flags, listeners({"127.0.0.1:1"})).options().turn == "me:p%40ss%2Fwo%25rd@relay.example:3478");
  const std::string file = "ice_options_test.secret";
  {
    FILE* const out = std::fopen(file.c_str(), "w");
    REQUIRE(out != nullptr);
    std::fputs("you:other\n", out);
    std::fclose(out);
  }
  flags.turn = "[::1]:3478";
  flags.turn_credentials = file;
  CHECK(Ice(flags, listeners({"127.0.0.1:1"})).options().turn == "you:other@[::1]:3478");
  std::remove(file.c_str());
}

TEST_CASE("Ice: what a relay lacks is told, and never its password") {
  IceFlags flags;
  for (const char* wrong :
       {"relay.example:3478", "me@relay.example:3478", "me:@relay.example:3478", ":secret@relay.example:3478",
        "me:secret@relay.example", "me:secret@:3478", "me:secret@relay.example:0", "me:secret@re lay:1"}) {
    flags.turn = wrong;
    const std::string text = refusal(flags);
    CHECK(text.starts_with("--turn"));
    CHECK(text.find("secret") == std::string::npos);
  }
  flags.turn.clear();
  flags.relay_only = true;
  CHECK(refusal(flags).starts_with("--relay-only"));
}

TEST_CASE("Ice: pages are told of the STUN server, and of no relay") {
  IceFlags flags;
  flags.stun = "stun.example:3478";
  flags.turn = "me:secret@relay.example:3478";
  CHECK(Ice(flags, listeners({"127.0.0.1:1"})).public_urls() == std::vector<std::string>{"stun:stun.example:3478"});
}

TEST_CASE("blot_out_turn: a relay's password goes out of the command line") {
  std::string name = "tool";
  std::string one = "--turn=me:secret@relay.example:3478";
  std::string other = "--verbose";
  std::vector<char*> arguments = {name.data(), one.data(), other.data()};
  IceFlags flags;
  flags.turn = "me:secret@relay.example:3478";
  tool::blot_out_turn(static_cast<int>(arguments.size()), arguments.data(), flags);
  CHECK(one == "--turn=*********@relay.example:3478");
  CHECK(other == "--verbose");
}

}  // namespace
