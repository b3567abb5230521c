#include "mqtt/publisher.h"

#include <doctest/doctest.h>

#include "support/hand_broker.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using mqtt::Publisher;
using test::HandBroker;
using test::HandConnection;
using test::MqttPacket;

// A publisher of the camera "door" at a broker by hand, which has taken it in.
struct Published {
  explicit Published(Publisher::Options options = {})
      : publisher(open(std::move(options))), connection(broker.accept()) {
    connection.welcome();
  }
  std::unique_ptr<Publisher> open(Publisher::Options options) {
    options.url = mqtt::parse_url(broker.url("cams/door")).value();
    options.protocol = mqtt::Client::Speak::V311;
    return Publisher::open(std::move(options), clock, [](Severity, const std::string&) {}).value();
  }
  // The next message of this topic; those of QoS 1 are acknowledged, others are left out.
  MqttPacket next(const std::string& leaf) {
    for (;;) {
      MqttPacket packet = connection.read();
      if (packet.type != MqttPacket::kPublish) return packet;
      if (packet.qos() > 0) connection.acknowledge(packet);
      if (packet.topic() == "cams/door/" + leaf) return packet;
    }
  }
  HandBroker broker;
  SystemClock clock;
  std::unique_ptr<Publisher> publisher;
  HandConnection connection;
};

TEST_CASE("Publisher: a live frame is a message of its JPEG, and the camera is online") {
  Published door;
  CHECK(door.next("status").payload() == "offline");
  door.publisher->put(test::make_frame(1));
  CHECK(door.next("status").payload() == "online");
  const MqttPacket frame = door.next("frame");
  CHECK(frame.payload() == test::make_jpeg(1));
  CHECK(frame.qos() == 0);
}

TEST_CASE("Publisher: held frames and cards do not go out, and do not make a camera online") {
  Published door;
  CHECK(door.next("status").payload() == "offline");
  Frame held = *test::make_frame(1);
  held.signal = Signal::Held;
  CHECK(door.publisher->put(std::make_shared<const Frame>(held)));
  door.publisher->put(test::make_frame(2, test::make_jpeg(2)));
  CHECK(door.next("frame").payload() == test::make_jpeg(2));
  CHECK(door.publisher->figures().dropped == 0);
}

TEST_CASE("Publisher: with headers a frame is what stands in a stream") {
  Published door({.framed = true});
  door.publisher->put(test::make_frame(9));
  Frame named = *test::make_frame(9);
  named.camera = "door";
  CHECK(door.next("frame").payload() == test::part_of(named));
}

TEST_CASE("Publisher: the broker is asked to keep the first frame, and another only after a while") {
  Published door({.retain_every = 1h});
  door.publisher->put(test::make_frame(1));
  CHECK(door.next("frame").retain());
  CHECK(test::eventually([&] { return door.publisher->figures().written == 1; }));
  door.publisher->put(test::make_frame(2));
  CHECK_FALSE(door.next("frame").retain());
}

TEST_CASE("Publisher: a broker is asked to keep none when none is wanted") {
  Published door({.retain_every = 0ms});
  door.publisher->put(test::make_frame(1));
  CHECK_FALSE(door.next("frame").retain());
}

TEST_CASE("Publisher: what was detected goes with its frame") {
  Published door;
  Frame frame = *test::make_frame(1);
  frame.extra = {{"X-Detections", R"({"objects":[{"label":"cat"}]})"}};
  door.publisher->put(std::make_shared<const Frame>(frame));
  CHECK(door.next("detections").payload().find(R"("label":"cat")") != std::string::npos);
}

TEST_CASE("Publisher: a camera that falls silent is offline, and online again with its next frame") {
  Published door({.stale = 10s});
  CHECK(door.next("status").payload() == "offline");
  CHECK_FALSE(door.publisher->due().has_value());
  door.publisher->put(test::make_frame(1));
  CHECK(door.next("status").payload() == "online");
  const auto due = door.publisher->due();
  REQUIRE(due.has_value());
  door.publisher->tick(*due - 1ms);
  CHECK(door.publisher->due().has_value());
  door.publisher->tick(*due);
  CHECK(door.next("status").payload() == "offline");
  door.publisher->put(test::make_frame(2));
  CHECK(door.next("status").payload() == "online");
}

TEST_CASE("Publisher: it is gone when the limit has been sent") {
  Published door({.limit = 1});
  door.publisher->put(test::make_frame(1));
  CHECK(door.next("frame").type == MqttPacket::kPublish);
  CHECK(test::wait_readable(door.publisher->gone_fd()));
  CHECK_FALSE(door.publisher->put(test::make_frame(2)));
}

TEST_CASE("Publisher: with every frame wanted each one goes out, in order") {
  Published door({.qos = 1, .every_frame = true});
  std::thread putting([&] {
    for (int i = 0; i < 20; ++i) door.publisher->put(test::make_frame(1, test::make_jpeg(i)));
  });
  for (int i = 0; i < 20; ++i) CHECK(door.next("frame").payload() == test::make_jpeg(i));
  putting.join();
}

TEST_CASE("Publisher: at the end the camera is offline") {
  Published door;
  door.publisher->put(test::make_frame(1));
  CHECK(door.next("frame").type == MqttPacket::kPublish);
  std::thread ending([&] { door.publisher->finish(30s); });
  CHECK(door.next("status").payload() == "offline");
  CHECK(door.next("status").type == MqttPacket::kDisconnect);
  ending.join();
}

}  // namespace
