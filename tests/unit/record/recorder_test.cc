#include "record/recorder.h"

#include <doctest/doctest.h>
#include <sys/file.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

#include "record/index.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

FramePtr frame_of(std::uint64_t sequence, const std::string& camera = "") {
  Frame frame = *test::make_frame(sequence);
  frame.camera = camera;
  return std::make_shared<const Frame>(std::move(frame));
}

struct Site {
  Recorder::Options options() const {
    return {.folder = temp.path(),
            .names = NamePattern::parse("a", ".mjpeg", false).value(),
            .segment = {},
            .keep = {},
            .in_order = true};
  }
  std::unique_ptr<Recorder> recorder(const Recorder::Options& options) {
    return std::make_unique<Recorder>(options, clock, [this](Severity severity, const std::string& text) {
      const std::lock_guard lock(mutex);
      if (severity != Severity::Debug) said.push_back(text);
    });
  }
  // The sequence numbers in each file.
  [[nodiscard]] std::map<std::string, std::vector<std::uint64_t>> files() const {
    std::map<std::string, std::vector<std::uint64_t>> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(temp.path())) {
      const std::string path = entry.path().string();
      if (!path.ends_with(".mjpeg")) continue;
      auto& numbers = files[path.substr(temp.path().size() + 1)];
      const auto index = read_index(path).value();
      for (const IndexEntry& frame : index) numbers.push_back(frame.sequence);
    }
    return files;
  }
  test::TempDir temp;
  SystemClock clock;
  std::mutex mutex;
  std::vector<std::string> said;
};
using Files = std::map<std::string, std::vector<std::uint64_t>>;

SteadyTime at(std::chrono::seconds time) { return SteadyTime(time); }

TEST_CASE("Recorder: writes each frame in order, and a file has its name at the end") {
  Site site;
  auto recorder = site.recorder(site.options());
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(recorder->put({frame_of(i), at(1s)}, ""));
  recorder->finish();
  CHECK(site.files().at("a.mjpeg").size() == 20);
  CHECK(recorder->figures().frames == 20);
  CHECK(recorder->figures().segments == 1);
  CHECK(site.said.empty());
}

TEST_CASE("Recorder: begins a new file after the time of one, and when times go back") {
  Site site;
  auto options = site.options();
  options.segment.time = 10s;
  auto recorder = site.recorder(options);
  recorder->put({frame_of(0), at(100s)}, "");
  recorder->put({frame_of(1), at(109s)}, "");
  recorder->put({frame_of(2), at(110s)}, "");
  recorder->put({frame_of(3), at(50s)}, "");
  recorder->finish();
  CHECK(site.files() == Files{{"a.mjpeg", {0, 1}}, {"a_2.mjpeg", {2}}, {"a_3.mjpeg", {3}}});
}

TEST_CASE("Recorder: begins a new file when one has its size") {
  Site site;
  auto options = site.options();
  options.segment.bytes = test::part_of(*frame_of(0)).size() + 1;
  auto recorder = site.recorder(options);
  for (std::uint64_t i = 0; i < 3; ++i) recorder->put({frame_of(i), at(1s)}, "");
  recorder->finish();
  CHECK(site.files() == Files{{"a.mjpeg", {0, 1}}, {"a_2.mjpeg", {2}}});
}

TEST_CASE("Recorder: a file of a live source ends by itself when no more frames come") {
  Site site;
  auto options = site.options();
  options.segment.time = 50ms;
  options.in_order = false;
  auto recorder = site.recorder(options);
  recorder->put({frame_of(0), site.clock.steady()}, "");
  CHECK(test::eventually([&] { return recorder->figures().segments == 1; }));
}

TEST_CASE("Recorder: has files for each camera, in its folder") {
  Site site;
  auto options = site.options();
  options.cameras = true;
  auto recorder = site.recorder(options);
  for (const char* const camera : {"porch", "../x", ""}) {
    const auto frame = frame_of(1, camera);
    recorder->put({frame, at(1s)}, recorder->file_of(*frame));
  }
  recorder->finish();
  CHECK(site.files() == Files{{"porch/a.mjpeg", {1}}, {"%2E.%2Fx/a.mjpeg", {1}}, {"camera/a.mjpeg", {1}}});
}

TEST_CASE("Recorder: makes folders for so many cameras and no more, and says so once") {
  Site site;
  auto recorder = site.recorder(site.options());
  for (std::size_t i = 0; i < Recorder::kMostCameras; ++i) {
    CHECK(recorder->put({frame_of(i), at(1s)}, "camera" + std::to_string(i)));
  }
  CHECK_FALSE(recorder->put({frame_of(1), at(1s)}, "another"));
  CHECK_FALSE(recorder->put({frame_of(1), at(1s)}, "more"));
  CHECK(recorder->put({frame_of(1), at(1s)}, "camera0"));
  recorder->finish();
  CHECK(recorder->figures().turned_away == 2);
  CHECK(site.said.size() == 1);
}

TEST_CASE("Recorder: the end of an event begins a new file") {
  Site site;
  auto recorder = site.recorder(site.options());
  recorder->put({frame_of(0), at(1s)}, "");
  recorder->end("");
  recorder->end("");
  recorder->put({frame_of(1), at(1s)}, "");
  recorder->finish();
  CHECK(site.files() == Files{{"a.mjpeg", {0}}, {"a_2.mjpeg", {1}}});
}

TEST_CASE("Recorder: what is written is on its way to the disk within a second or so, index too") {
  Site site;
  auto recorder = site.recorder(site.options());
  recorder->put({frame_of(0), at(1s)}, "");
  const std::string wanted = std::string(kIndexHead) + index_line({0, frame_of(0)->captured, 0, ""});
  CHECK(test::eventually([&] { return test::read_file(site.temp / ".a.mjpeg.index.part") == wanted; }));
}

TEST_CASE("Recorder: mends what was left before it begins") {
  Site site;
  test::write_file(site.temp / ".b.mjpeg.part", test::part_of(*frame_of(7)) + "rest");
  test::write_file(site.temp / ".b.mjpeg.index.part", kIndexHead);
  site.recorder(site.options());
  CHECK(site.files() == Files{{"b.mjpeg", {7}}});
  CHECK(site.said.size() == 1);
}

TEST_CASE("Recorder: keeps no more than it should while it writes") {
  Site site;
  const std::uint64_t part = test::part_of(*frame_of(0)).size();
  auto options = site.options();
  options.segment.bytes = 1;
  options.keep.limits.bytes = 10 * part;
  auto recorder = site.recorder(options);
  for (std::uint64_t i = 0; i < 50; ++i) recorder->put({frame_of(i), at(1s)}, "");
  recorder->finish();
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(site.temp.path())) bytes += entry.file_size();
  CHECK(bytes <= 10 * part);
  CHECK(site.files().size() >= 5);
}

TEST_CASE("Recorder: what is too old goes at the start, though no frame comes") {
  Site site;
  site.recorder(site.options())->put({frame_of(1), at(1s)}, "");
  auto options = site.options();
  options.keep.limits.time = 50ms;
  CHECK(test::eventually([&] {
    site.recorder(options)->finish();
    return site.files().empty();
  }));
}

TEST_CASE("Recorder: where nothing is to be left free, frames are lost and counted, and it is said once") {
  Site site;
  auto options = site.options();
  options.keep.min_free_bytes = 1ull << 60;
  auto recorder = site.recorder(options);
  for (std::uint64_t i = 0; i < 10; ++i) recorder->put({frame_of(i), at(1s)}, "");
  recorder->finish();
  CHECK(recorder->figures().lost == 10);
  CHECK(recorder->trouble().find("No space left") != std::string::npos);
  CHECK(site.said.size() == 1);
}

TEST_CASE("Recorder: goes on when its folder has come back, and mends what was open") {
  Site site;
  std::filesystem::create_directory(site.temp / "rec");
  auto options = site.options();
  options.folder = site.temp / "rec";
  options.segment.bytes = 1;
  auto recorder = site.recorder(options);
  recorder->put({frame_of(0), at(1s)}, "");
  REQUIRE(test::eventually([&] { return recorder->figures().frames == 1; }));
  std::filesystem::rename(site.temp / "rec", site.temp / "away");
  recorder->put({frame_of(1), at(1s)}, "");
  REQUIRE(test::eventually([&] { return recorder->figures().lost == 1; }));
  std::filesystem::rename(site.temp / "away", site.temp / "rec");
  std::uint64_t tried = 1;
  CHECK(test::eventually([&] {
    recorder->put({frame_of(++tried), at(1s)}, "");
    return recorder->figures().frames >= 2;
  }));
  recorder->finish();
  CHECK(recorder->trouble().empty());
  CHECK(site.files().size() == recorder->figures().frames);
  CHECK(site.files().at("rec/a.mjpeg") == std::vector<std::uint64_t>{0});
}

TEST_CASE("Recorder: a folder that cannot be made ends the program, naming it") {
  Site site;
  test::write_file(site.temp / "file", "x");
  auto options = site.options();
  for (const char* const name : {"file", "file/rec"}) {
    options.folder = site.temp / name;
    CHECK_THROWS_AS(site.recorder(options), Failure);
  }
}

TEST_CASE("Recorder: makes its folder, and those above it") {
  Site site;
  auto options = site.options();
  options.folder = site.temp / "x/y/z";
  site.recorder(options)->finish();
  CHECK(std::filesystem::is_directory(site.temp / "x/y/z"));
}

}  // namespace
