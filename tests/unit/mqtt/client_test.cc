#include "mqtt/client.h"

#include <doctest/doctest.h>
#include <netinet/tcp.h>

#include <mutex>

#include "support/hand_broker.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using mqtt::Client;
using test::HandBroker;
using test::HandConnection;
using test::MqttPacket;

// What a client says, and the client.
struct Told {
  explicit Told(Client::Options options) {
    client = Client::make(std::move(options), [this](Severity, const std::string& text) {
               const std::lock_guard lock(mutex);
               words += text + "\n";
             }).value();
    client->start();
  }
  bool says(const std::string& text) {
    return test::eventually([&] {
      const std::lock_guard lock(mutex);
      return words.find(text) != std::string::npos;
    });
  }
  std::mutex mutex;
  std::string words;
  std::unique_ptr<Client> client;
};

Client::Options options_for(const HandBroker& broker) {
  Client::Options options;
  options.url = mqtt::parse_url(broker.url("cams/door")).value();
  options.protocol = Client::Speak::V311;
  options.patience = test::kPatience;
  return options;
}

mqtt::Bundle bundle(const std::string& text, int qos = 1) {
  return {{"cams/door/frame", Blob::copy_of(as_bytes(text)), qos, false}};
}

TEST_CASE("Session: the kernel asks a silent broker's machine for a sign of life, and gives it 5 s") {
  HandBroker broker;
  mqtt::Session::Options options;
  options.client_id = "framepipe-test";
  auto session = mqtt::Session::begin("127.0.0.1", std::stoi(broker.port()), options, [](const mqtt::Incoming&) {});
  REQUIRE(session);
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    CHECK(::getsockopt((*session)->fd(), level, name, &value, &size) == 0);
    return value;
  };
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) + option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT) == 5);
}

TEST_CASE("Client: one message of QoS 1 is on its way, the newest waits, others are dropped") {
  HandBroker broker;
  Told told(options_for(broker));
  HandConnection connection = broker.accept();
  connection.welcome();
  told.client->put(bundle("1"));
  const MqttPacket first = connection.read();
  CHECK(first.topic() == "cams/door/frame");
  CHECK(first.payload() == "1");
  for (const char* text : {"2", "3", "4"}) told.client->put(bundle(text));
  CHECK_FALSE(connection.readable(50ms));
  connection.acknowledge(first);
  const MqttPacket second = connection.read();
  CHECK(second.payload() == "4");
  connection.acknowledge(second);
  CHECK(test::eventually([&] { return told.client->in_hand() == 0; }));
  CHECK(told.client->figures().sent == 2);
  CHECK(told.client->figures().dropped == 2);
}

TEST_CASE("Client: what a lost connection had on its way is not sent again") {
  HandBroker broker;
  Told told(options_for(broker));
  HandConnection connection = broker.accept();
  connection.welcome();
  told.client->put(bundle("old"));
  CHECK(connection.read().payload() == "old");
  connection.close();
  CHECK(test::eventually([&] { return told.client->figures().lost == 1; }));
  told.client->put(bundle("new"));
  HandConnection again = broker.accept();
  again.welcome();
  const MqttPacket next = again.read();
  CHECK(next.payload() == "new");
  CHECK((next.flags & 8) == 0);  // no DUP
}

TEST_CASE("Client: of QoS 0 nothing more is begun while a broker takes nothing") {
  HandBroker broker;
  Told told(options_for(broker));
  HandConnection connection = broker.accept();
  connection.welcome();
  // Far more than the kernels hold in between.
  const std::string large(64u << 20, 'x');
  told.client->put(bundle(large, 0));
  CHECK(test::eventually([&] { return connection.readable(0ms); }));
  for (int i = 0; i < 10; ++i) told.client->put(bundle(std::to_string(i), 0));
  CHECK(told.client->figures().sent == 0);
  CHECK(told.client->figures().dropped >= 9);
  CHECK(connection.read().payload().size() == large.size());
  CHECK(connection.read().payload() == "9");
}

TEST_CASE("Client: a broker that never acknowledges is given up, and connected to again") {
  HandBroker broker;
  Client::Options options = options_for(broker);
  options.patience = 300ms;
  Told told(std::move(options));
  HandConnection connection = broker.accept();
  connection.welcome();
  told.client->put(bundle("1"));
  CHECK(connection.read().payload() == "1");
  CHECK(told.says("the broker takes nothing; trying again"));
  CHECK(connection.read().type == 0);
}

TEST_CASE("Client: announcements are made at each connection, the newest of each topic") {
  HandBroker broker;
  Told told(options_for(broker));
  HandConnection connection = broker.accept();
  connection.welcome();
  told.client->announce({"cams/door/status", Blob::copy_of(as_bytes("offline")), 1, true});
  connection.acknowledge(connection.read());
  told.client->announce({"cams/door/status", Blob::copy_of(as_bytes("online")), 1, true});
  connection.acknowledge(connection.read());
  connection.close();
  HandConnection again = broker.accept();
  again.welcome();
  const MqttPacket status = again.read();
  CHECK(status.topic() == "cams/door/status");
  CHECK(status.payload() == "online");
  CHECK(status.retain());
}

TEST_CASE("Client: announcements are made again after a while, when the will of a lost connection has been done") {
  HandBroker broker;
  Client::Options options = options_for(broker);
  options.announce_again = 50ms;
  Told told(std::move(options));
  told.client->announce({"cams/door/status", Blob::copy_of(as_bytes("online")), 0, true});
  HandConnection connection = broker.accept();
  connection.welcome();
  CHECK(connection.read().payload() == "online");
  CHECK_FALSE(connection.readable(150ms));
  connection.close();
  HandConnection again = broker.accept();
  again.welcome();
  CHECK(again.read().payload() == "online");
  CHECK(again.read().payload() == "online");
}

TEST_CASE("Client: speaks 3.1.1 where 5 is not known") {
  HandBroker broker;
  Client::Options options = options_for(broker);
  options.protocol = Client::Speak::Auto;
  Told told(std::move(options));
  HandConnection connection = broker.accept();
  const MqttPacket five = connection.read();
  CHECK(five.version() == 5);
  connection.write(std::string("\x20\x02\x00\x01", 4));  // as brokers of 3.1.1 refuse it
  connection.close();
  HandConnection again = broker.accept();
  CHECK(again.welcome().version() == 4);
  CHECK(test::eventually([&] { return told.client->connected(); }));
}

TEST_CASE("Client: in MQTT 5 the broker is told how large a message may be") {
  HandBroker broker;
  Client::Options options = options_for(broker);
  options.protocol = Client::Speak::V5;
  options.max_packet_bytes = 0x01020304;
  Told told(std::move(options));
  HandConnection connection = broker.accept();
  const MqttPacket connect = connection.welcome();
  CHECK(connect.body.find("\x27\x01\x02\x03\x04") != std::string::npos);
}

TEST_CASE("Client: a refusal is said once, with its mend, and tried again") {
  HandBroker broker;
  Told told(options_for(broker));
  for (int i = 0; i < 2; ++i) {
    HandConnection connection = broker.accept();
    connection.welcome(5);
  }
  CHECK(told.says("--credentials FILE"));
  broker.accept();
  const std::lock_guard lock(told.mutex);
  CHECK(told.words.find("trying again") == told.words.rfind("trying again"));
}

TEST_CASE("Client: what subscribes gets messages, and says that kept ones are kept") {
  HandBroker broker;
  Client::Options options = options_for(broker);
  options.subscriptions = {"cams/+/frame"};
  std::mutex mutex;
  std::string got;
  options.receive = [&](const mqtt::Incoming& message) {
    const std::lock_guard lock(mutex);
    got +=
        std::string(message.topic) + "=" + std::string(as_text(message.payload)) + (message.retained ? "!" : "") + " ";
  };
  Told told(std::move(options));
  HandConnection connection = broker.accept();
  connection.welcome();
  const MqttPacket subscribe = connection.read();
  CHECK(subscribe.type == MqttPacket::kSubscribe);
  CHECK(subscribe.body.find("cams/+/frame") != std::string::npos);
  connection.write("\x90\x03" + subscribe.body.substr(0, 2) + std::string(1, '\0'));
  connection.write(
      std::string("\x31\x05\x00\x01"
                  "axy",
                  7));
  connection.write(
      std::string("\x30\x05\x00\x01"
                  "bzz",
                  7));
  CHECK(test::eventually([&] {
    const std::lock_guard lock(mutex);
    return got == "a=xy! b=zz ";
  }));
}

TEST_CASE("Client: at the end what waits goes first, then the last words, then good-bye") {
  HandBroker broker;
  Client::Options options = options_for(broker);
  options.will = mqtt::Message{"cams/door/status", Blob::copy_of(as_bytes("offline")), 1, true};
  Told told(std::move(options));
  HandConnection connection = broker.accept();
  CHECK(connection.welcome().body.find("offline") != std::string::npos);
  told.client->put(bundle("frame"));
  const MqttPacket frame = connection.read();
  std::thread ending([&] {
    told.client->finish({{"cams/door/status", Blob::copy_of(as_bytes("off")), 1, true}}, 30s);
  });
  connection.acknowledge(frame);
  const MqttPacket last = connection.read();
  CHECK(last.payload() == "off");
  connection.acknowledge(last);
  CHECK(connection.read().type == MqttPacket::kDisconnect);
  ending.join();
}

TEST_CASE("Client: bytes that are no MQTT end the connection and nothing else") {
  HandBroker broker;
  Told told(options_for(broker));
  for (const std::string& bytes : {std::string(64, '\xFF'), std::string("\xF0\x00\xF0\x00", 4)}) {
    HandConnection connection = broker.accept();
    CHECK(connection.read().type == MqttPacket::kConnect);
    connection.write(bytes);
    CHECK(connection.read().type == 0);
  }
  HandConnection connection = broker.accept();
  connection.welcome();
  CHECK(test::eventually([&] { return told.client->connected(); }));
}

}  // namespace
