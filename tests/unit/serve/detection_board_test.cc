#include "serve/detection_board.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/fake_clock.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;

// Two cameras whose hubs the test feeds, and a reader.
struct Site final : DetectionBoard::Reader {
  Site() {
    for (const char* name : {"one", "two"}) add(name);
    board.attach(*this);
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  ~Site() {
    if (attached) board.detach(*this);
  }
  void add(const std::string& name) {
    cameras.put(cameras.open({name, parse_source("exec:sleep 1000", "camgrab").value(), /*on_demand=*/true}));
  }
  void detections_arrived() override { ++told; }
  Frame frame(std::uint64_t sequence, const std::string& json) {
    Frame made = *test::make_frame(sequence);
    made.captured = clock.wall();
    if (!json.empty()) made.extra.push_back({"x-detections", json});
    return made;
  }
  void publish(const std::string& camera, std::uint64_t sequence, const std::string& json = R"({"model":"m"})") {
    cameras.find(camera)->hub().publish(std::make_shared<const Frame>(frame(sequence, json)));
  }
  // What a reader gets that takes all there is: each as "camera sequence".
  std::string take(const std::string& camera = {}) {
    std::string all;
    while (const DetectionBoard::Note* note = board.next(seen, camera)) {
      seen = note->index;
      all += *note->json + "\n";
    }
    return all;
  }

  test::FakeClock clock;
  Loop loop;
  ServeOptions options;
  CameraList cameras{loop, clock, options, "", Report(), [] {}};
  DetectionBoard board{cameras};
  std::uint64_t seen = 0;
  int told = 0;
  bool attached = true;
};

TEST_CASE("DetectionBoard: a frame's detections are there with its camera, sequence and time") {
  Site site;
  site.publish("one", 7);
  CHECK(site.told == 1);
  CHECK(site.take() == R"({"camera":"one","sequence":7,"timestamp":1763688000.000000,"detections":[{"model":"m"}]})"
                       "\n");
  CHECK(site.take().empty());
}

TEST_CASE("DetectionBoard: a filter's detections are told with its name, beside those of the camera") {
  Site site;
  site.publish("one", 7);
  site.board.post("one", "detect", site.frame(7, R"({"model":"f"})"));
  const std::string all = site.take();
  CHECK(all.find(R"("detections":[{"model":"m"}])") < all.find(R"("filter":"detect","detections":[{"model":"f"}])"));
  CHECK(all.find(R"("filter":"detect")") != std::string::npos);
}

TEST_CASE("DetectionBoard: a slow reader gets the newest of each camera, and nothing older") {
  Site site;
  for (std::uint64_t i = 0; i < 10; ++i) {
    site.publish("one", i);
    site.publish("two", 100 + i);
  }
  const std::string all = site.take();
  CHECK(std::count(all.begin(), all.end(), '\n') == 2);
  CHECK(all.find(R"("sequence":9,)") != std::string::npos);
  CHECK(all.find(R"("sequence":109,)") != std::string::npos);
}

TEST_CASE("DetectionBoard: frames without detections, and those that cannot be read, are no news") {
  Site site;
  site.publish("one", 1, "");
  site.publish("one", 2, "{{{");
  CHECK(site.told == 0);
  CHECK(site.take().empty());
}

TEST_CASE("DetectionBoard: a frame that is held or shown again is not told of") {
  Site site;
  Frame held = site.frame(1, R"({"model":"m"})");
  held.signal = Signal::Held;
  site.cameras.find("one")->hub().publish(std::make_shared<const Frame>(held));
  CHECK(site.told == 0);
  site.publish("one", 2);
  site.cameras.find("one")->hub().show(std::make_shared<const Frame>(held));
  CHECK(site.told == 1);
}

TEST_CASE("DetectionBoard: who asks for one camera gets that one alone") {
  Site site;
  site.publish("one", 1);
  site.publish("two", 2);
  CHECK(site.take("two").find(R"("camera":"two")") != std::string::npos);
  CHECK(site.take("two").empty());
}

TEST_CASE("DetectionBoard: cameras that come are listened to, those that go are forgotten") {
  Site site;
  site.add("three");
  site.board.look_again();
  site.publish("three", 1);
  site.publish("one", 1);
  CHECK(site.told == 2);
  site.cameras.remove("three");
  site.board.look_again();
  const std::string all = site.take();
  CHECK(all.find("three") == std::string::npos);
  CHECK(all.find("one") != std::string::npos);
}

TEST_CASE("DetectionBoard: while nobody reads nothing is kept, and no camera is held") {
  Site site;
  site.publish("one", 1);
  site.board.detach(site);
  site.attached = false;
  CHECK(site.take().empty());
  CHECK(site.cameras.find("one")->hub().viewers() == 0);
  site.board.post("one", "detect", site.frame(1, R"({"model":"m"})"));
  CHECK(site.board.newest() == 1);
}

}  // namespace
