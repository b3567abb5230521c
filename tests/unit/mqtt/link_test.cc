#include "mqtt/link.h"

#include <doctest/doctest.h>

#include <mutex>

#include "support/hand_broker.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using mqtt::Client;
using mqtt::Link;
using test::HandBroker;
using test::HandConnection;
using test::MqttPacket;

// A link to two brokers, and what it says.
struct Linked {
  explicit Linked(std::vector<std::string> subscriptions = {}, std::chrono::milliseconds announce_again = 1h) {
    Client::Options options;
    options.url = mqtt::parse_url("mqtt://127.0.0.1:" + one.port() + ",127.0.0.1:" + two.port() + "/cams/door").value();
    options.protocol = Client::Speak::V311;
    options.patience = test::kPatience;
    options.subscriptions = std::move(subscriptions);
    options.announce_again = announce_again;
    link = Link::make(options, [this](Severity, const std::string& text) {
             const std::lock_guard lock(mutex);
             words += text + "\n";
           }).value();
    link->announce({"cams/door/status", Blob::copy_of(as_bytes("here")), 0, true});
  }
  void start() {
    link->start();
    first.emplace(one.accept());
    first->welcome();
    REQUIRE(says("connected to 127.0.0.1:" + one.port() + "\n"));
    second.emplace(two.accept());
    second->welcome();
    REQUIRE(says("connected to 127.0.0.1:" + two.port() + ", standing by\n"));
  }
  bool says(const std::string& text) {
    return test::eventually([&] {
      const std::lock_guard lock(mutex);
      return words.find(text) != std::string::npos;
    });
  }
  HandBroker one;
  HandBroker two;
  std::mutex mutex;
  std::string words;
  std::unique_ptr<Link> link;
  std::optional<HandConnection> first;
  std::optional<HandConnection> second;
};

mqtt::Bundle bundle(const std::string& text) { return {{"cams/door/frame", Blob::copy_of(as_bytes(text)), 1, false}}; }

TEST_CASE("Link: to one broker there is one connection") {
  HandBroker broker;
  Client::Options options;
  options.url = mqtt::parse_url(broker.url("cams/door")).value();
  options.protocol = Client::Speak::V311;
  const auto link = Link::make(options, [](Severity, const std::string&) {}).value();
  link->start();
  HandConnection connection = broker.accept();
  connection.welcome();
  CHECK_FALSE(broker.called(100ms));
}

TEST_CASE("Link: of two brokers one gets the frames, and both hear what is announced") {
  Linked linked;
  linked.start();
  CHECK(linked.first->read().payload() == "here");
  CHECK(linked.second->read().payload() == "here");
  linked.link->put(bundle("1"));
  CHECK(linked.first->read().payload() == "1");
  CHECK_FALSE(linked.second->readable(50ms));
}

TEST_CASE(
    "Link: what waits when a broker is lost goes out by the one that stood by, and what was on its way does not") {
  Linked linked;
  linked.start();
  linked.link->put(bundle("old"));
  CHECK(linked.first->read().payload() == "here");
  CHECK(linked.first->read().payload() == "old");
  linked.link->put(bundle("waiting"));
  linked.first->close();
  CHECK(linked.second->read().payload() == "here");
  const MqttPacket next = linked.second->read();
  CHECK(next.payload() == "waiting");
  linked.second->acknowledge(next);
  linked.link->put(bundle("new"));
  const MqttPacket last = linked.second->read();
  CHECK(last.payload() == "new");
  linked.second->acknowledge(last);
  CHECK(test::eventually([&] { return linked.link->in_hand() == 0; }));
  CHECK(linked.link->figures().sent == 2);
  CHECK(linked.link->figures().lost == 1);
}

TEST_CASE("Link: the broker that was lost is the one that stands by when it comes back") {
  Linked linked({"cams/+/frame"});
  linked.start();
  linked.first->close();
  linked.first.emplace(linked.one.accept());
  linked.first->welcome();
  CHECK(linked.says("connected to 127.0.0.1:" + linked.one.port() + ", standing by\n"));
  CHECK(linked.first->read().payload() == "here");
  CHECK_FALSE(linked.first->readable(50ms));
}

TEST_CASE("Link: only one broker is subscribed at, and when it is lost the other one") {
  Linked linked({"cams/a/frame", "cams/b/frame"});
  linked.start();
  const MqttPacket all = linked.first->read();
  CHECK(all.type == MqttPacket::kSubscribe);
  CHECK(all.body.find("cams/a/frame") != std::string::npos);
  CHECK(all.body.find("cams/b/frame") != std::string::npos);
  CHECK(linked.second->read().payload() == "here");
  CHECK_FALSE(linked.second->readable(50ms));
  linked.first->close();
  CHECK(linked.second->read().type == MqttPacket::kSubscribe);
}

TEST_CASE("Link: where the first broker does not answer the second one works") {
  Linked linked({"cams/+/frame"});
  linked.one.close();
  linked.link->start();
  linked.second.emplace(linked.two.accept());
  linked.second->welcome();
  CHECK(linked.second->read().type == MqttPacket::kSubscribe);
  CHECK(linked.second->read().payload() == "here");
  CHECK(linked.link->trouble().empty());
}

TEST_CASE("Link: no broker gets both connections, also when the other one is gone") {
  Linked linked;
  linked.start();
  linked.one.close();
  linked.first->close();
  CHECK(linked.says("127.0.0.1:" + linked.one.port() + ": connection: Connection refused"));
  CHECK_FALSE(linked.two.called(300ms));
}

TEST_CASE("Link: when one connection is lost the other one announces again, since the lost one has a will") {
  Linked linked({}, 50ms);
  linked.start();
  CHECK(linked.second->read().payload() == "here");
  CHECK_FALSE(linked.second->readable(150ms));
  linked.one.close();
  linked.first->close();
  CHECK(linked.second->read().payload() == "here");
}

TEST_CASE("Link: at the end both brokers hear the last words and good-bye") {
  Linked linked;
  linked.start();
  for (HandConnection* connection : {&*linked.first, &*linked.second}) CHECK(connection->read().payload() == "here");
  linked.link->finish({{"cams/door/status", Blob::copy_of(as_bytes("off")), 0, true}}, 30s);
  for (HandConnection* connection : {&*linked.first, &*linked.second}) {
    CHECK(connection->read().payload() == "off");
    CHECK(connection->read().type == MqttPacket::kDisconnect);
  }
}

}  // namespace
