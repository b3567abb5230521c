#include "mqtt/subscriber.h"

#include <doctest/doctest.h>

#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using mqtt::Subscriber;

// What is not connected to anything, fed by hand.
struct Fed {
  explicit Fed(Subscriber::Options options = {}) : subscriber(with_url(std::move(options)), clock, ignore()) {}
  static Subscriber::Options with_url(Subscriber::Options options) {
    options.url = mqtt::parse_url("mqtt://b/cams/+").value();
    return options;
  }
  static Report ignore() {
    return [](Severity, const std::string&) {};
  }
  void receive(const std::string& topic, const std::string& payload, bool retained = false) {
    subscriber.receive({topic, as_bytes(payload), retained});
  }
  // A frame with its headers, captured `age` ago.
  [[nodiscard]] std::string framed(std::uint64_t sequence, std::chrono::milliseconds age) const {
    Frame frame = *test::make_frame(sequence);
    frame.captured = clock.wall() - age;
    return test::part_of(frame);
  }
  SystemClock clock;
  Subscriber subscriber;
};

TEST_CASE("Subscriber: a frame has the camera of its topic, whatever its headers say") {
  Fed fed;
  Frame sent = *test::make_frame(5);
  sent.camera = "other";
  fed.receive("cams/door/frame", test::part_of(sent));
  CHECK(test::wait_readable(fed.subscriber.wait().fd));
  const FramePtr frame = fed.subscriber.advance();
  REQUIRE(frame);
  CHECK(frame->camera == "door");
  CHECK(frame->sequence == 5);
  CHECK(fed.subscriber.advance() == nullptr);
  CHECK_FALSE(test::wait_readable(fed.subscriber.wait().fd, 0ms));
}

TEST_CASE("Subscriber: of each camera the newest frame waits, and cameras take turns") {
  Fed fed;
  fed.receive("cams/a/frame", test::make_jpeg(1));
  fed.receive("cams/b/frame", test::make_jpeg(2));
  fed.receive("cams/a/frame", test::make_jpeg(3));
  const FramePtr first = fed.subscriber.advance();
  const FramePtr second = fed.subscriber.advance();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->camera == "a");
  CHECK(as_text(first->jpeg.view()) == test::make_jpeg(3));
  CHECK(first->sequence == 1);
  CHECK(second->camera == "b");
  CHECK(second->sequence == 0);
  CHECK(fed.subscriber.superseded() == 1);
}

TEST_CASE("Subscriber: a kept frame without a time is held") {
  Fed fed;
  fed.receive("cams/a/frame", test::make_jpeg(1), /*retained=*/true);
  const FramePtr kept = fed.subscriber.advance();
  REQUIRE(kept);
  CHECK(kept->signal == Signal::Held);
  fed.receive("cams/a/frame", test::make_jpeg(1));
  CHECK(fed.subscriber.advance()->signal == Signal::Live);
}

TEST_CASE("Subscriber: a kept frame with a time is held when it is old, and live when it is fresh") {
  Fed fed;
  fed.receive("cams/old/frame", fed.framed(1, 6s), /*retained=*/true);
  fed.receive("cams/fresh/frame", fed.framed(1, 100ms), /*retained=*/true);
  CHECK(fed.subscriber.advance()->signal == Signal::Held);
  CHECK(fed.subscriber.advance()->signal == Signal::Live);
}

TEST_CASE("Subscriber: no frame goes on behind a newer one of its camera") {
  Fed fed;
  fed.receive("cams/a/frame", fed.framed(8, 1s));
  REQUIRE(fed.subscriber.advance());
  fed.receive("cams/a/frame", fed.framed(7, 2s));
  fed.receive("cams/a/frame", fed.framed(8, 1500ms));
  fed.receive("cams/a/frame", fed.framed(9, 3s), /*retained=*/true);
  fed.receive("cams/a/frame", test::make_jpeg(1), /*retained=*/true);
  CHECK(fed.subscriber.advance() == nullptr);
  CHECK(fed.subscriber.figures().late == 4);
  fed.receive("cams/a/frame", fed.framed(9, 900ms));
  CHECK(fed.subscriber.advance());
}

TEST_CASE("Subscriber: a source whose clock was set back goes on") {
  Fed fed;
  fed.receive("cams/a/frame", fed.framed(8, 1s));
  REQUIRE(fed.subscriber.advance());
  fed.receive("cams/a/frame", fed.framed(0, 1h));
  CHECK(fed.subscriber.advance());
}

TEST_CASE("Subscriber: topics that are no camera's are counted, and nothing comes of them") {
  Fed fed;
  fed.receive("cams/a b/frame", test::make_jpeg(1));
  fed.receive("elsewhere/a/frame", test::make_jpeg(1));
  CHECK(fed.subscriber.advance() == nullptr);
  CHECK(fed.subscriber.figures().foreign == 2);
}

TEST_CASE("Subscriber: however many cameras a broker makes up, 1024 are kept") {
  Fed fed;
  const std::string jpeg = test::make_jpeg(1);
  for (int i = 0; i < 1030; ++i) fed.receive("cams/c" + std::to_string(i) + "/frame", jpeg);
  CHECK(fed.subscriber.figures().foreign == 6);
  int frames = 0;
  while (fed.subscriber.advance()) ++frames;
  CHECK(frames == 1024);
}

TEST_CASE("Subscriber: what waits has a limit, beyond which the oldest go") {
  const std::string jpeg = test::make_jpeg(1);
  Subscriber::Options options;
  options.max_waiting_bytes = 3 * jpeg.size() + 10;
  Fed fed(options);
  for (const char* name : {"a", "b", "c", "d", "e"}) fed.receive("cams/" + std::string(name) + "/frame", jpeg);
  std::string order;
  while (const FramePtr frame = fed.subscriber.advance()) order += frame->camera;
  CHECK(order == "cde");
  CHECK(fed.subscriber.superseded() == 2);
}

}  // namespace
