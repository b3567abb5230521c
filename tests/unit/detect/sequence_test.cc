#include "detect/sequence.h"

#include <doctest/doctest.h>

#include <array>
#include <map>

#include "detect/networks.h"
#include "jpeg/encoder.h"
#include "jpeg/planes.h"
#include "support/make_frame.h"

using namespace fp;
using namespace fp::detect;
using namespace std::chrono_literals;

namespace {

using std::chrono::milliseconds;

// Of one gray, 25 times the digit.
Blob picture_of(int digit) {
  static std::map<int, Blob> made;
  const auto found = made.find(digit);
  if (found != made.end()) return found->second;
  jpeg::Planes planes({32, 24}, jpeg::Sampling::Gray);
  std::fill_n(planes.plane(0), 32 * 24, static_cast<std::uint8_t>(25 * digit));
  jpeg::Encoder encoder;
  return made.emplace(digit, encoder.encode(planes, 95).value()).first->second;
}

// Plays frames to an engine whose network says which three frames it got: "class 357".
class Player {
 public:
  explicit Player(SequenceOptions options = usual()) {
    ModelOptions model;
    model.path = fp::test::networks() / "sequence-digits.onnx";
    model.layout = Layout::Sequence;  // three frames might be three colours
    auto opened = open_model(model);
    REQUIRE_MESSAGE(opened, opened.error().text);
    CHECK(opened->layout == Layout::Sequence);
    auto engine = make_sequence_engine(std::move(*opened), std::move(options));
    REQUIRE(engine);
    engine_ = std::move(*engine);
  }
  // A window of three frames of 100 ms.
  static SequenceOptions usual() {
    SequenceOptions options;
    options.window = 300ms;
    options.stride = 100ms;
    return options;
  }

  FramePtr frame(int digit, milliseconds at, const std::string& camera = "", bool damaged = false) {
    Frame frame = *fp::test::make_frame(++sequence_);
    frame.jpeg = picture_of(digit);
    if (damaged) frame.jpeg = Blob::copy_of(frame.jpeg.view().first(frame.jpeg.size() / 2));
    frame.picture.width_px = 32;
    frame.picture.height_px = 24;
    frame.captured = kBegin + at;
    frame.camera = camera;
    return std::make_shared<const Frame>(std::move(frame));
  }
  /// "357", "-" when it was looked and nothing is told, "" when it was not looked.
  std::string play(int digit, milliseconds at, const std::string& camera = "") {
    return outcome(engine_->take(frame(digit, at, camera), {}));
  }
  std::string outcome(const std::optional<Work>& work) {
    if (!work) return "";
    const auto result = (*work)();
    REQUIRE_MESSAGE(result, result.error().text);
    if (*result == nullptr) return "-";
    const auto found = parse_detections((*result)->extra.back().value);
    REQUIRE(found);
    REQUIRE(found->objects.size() == 1);
    CHECK(found->objects[0].confidence == doctest::Approx(1));
    header_ = (*result)->extra.back().value;
    return found->objects[0].label.substr(6);
  }
  [[nodiscard]] const std::string& header() const { return header_; }
  Engine& engine() { return *engine_; }

  static constexpr WallTime kBegin{std::chrono::seconds(1'700'000'000)};

 private:
  std::unique_ptr<Engine> engine_;
  std::uint64_t sequence_ = 0;
  std::string header_;
};

}  // namespace

TEST_CASE("sequence: a window is looked at when it is full, and again each stride") {
  Player player;
  CHECK(player.play(1, 0ms).empty());
  CHECK(player.play(2, 100ms).empty());
  CHECK(player.play(3, 200ms) == "123");
  CHECK(player.header().find(R"("t_start":1700000000.0,"t_end":1700000000.2)") != std::string::npos);
  CHECK(player.play(4, 300ms) == "234");
  CHECK(player.play(5, 400ms) == "345");
}

TEST_CASE("sequence: a stride longer than a frame passes the frames between") {
  SequenceOptions options = Player::usual();
  options.stride = 200ms;
  Player player(options);
  (void)player.play(1, 0ms);
  (void)player.play(2, 100ms);
  CHECK(player.play(3, 200ms) == "123");
  CHECK(player.play(4, 300ms).empty());
  CHECK(player.play(5, 400ms) == "345");
}

TEST_CASE("sequence: frames that come more often are thinned out, those nearest to the even moments stay") {
  Player player;
  std::string last;
  // 50 a second: digits change each 100 ms, 40 ms before the even moments.
  for (int i = 0; i <= 20; ++i) {
    const std::string now = player.play((i * 20 + 40) / 100 % 10, milliseconds(i * 20));
    if (!now.empty()) last = now;
  }
  CHECK(last == "234");
}

TEST_CASE("sequence: frames that come less often stand for more than one moment") {
  Player player;
  CHECK(player.play(1, 0ms).empty());
  CHECK(player.play(2, 210ms) == "122");
}

TEST_CASE("sequence: an event is told once, and again when something else was between") {
  Player player;
  (void)player.play(1, 0ms);
  (void)player.play(1, 100ms);
  CHECK(player.play(1, 200ms) == "111");
  CHECK(player.play(1, 300ms) == "-");
  CHECK(player.play(1, 400ms) == "-");
  CHECK(player.play(2, 500ms) == "112");
  CHECK(player.play(1, 600ms) == "121");
  CHECK(player.play(1, 700ms) == "211");
  CHECK(player.play(1, 800ms) == "111");
}

TEST_CASE("sequence: after a pause the same event is another one") {
  Player player;
  for (int i = 0; i < 2; ++i) (void)player.play(1, milliseconds(100 * i));
  CHECK(player.play(1, 200ms) == "111");
  CHECK(player.play(1, 300ms) == "-");
  // The camera was away, or the gate was closed: longer than a window.
  for (int i = 0; i < 2; ++i) CHECK(player.play(1, 10s + milliseconds(100 * i)).empty());
  CHECK(player.play(1, 10s + 200ms) == "111");
}

TEST_CASE("sequence: at the end each camera's last window is looked at") {
  Player player;
  for (const char* camera : {"a", "b"}) {
    CHECK(player.play(1, 0ms, camera).empty());
    CHECK(player.play(2, 100ms, camera).empty());
  }
  CHECK(player.outcome(player.engine().finish()) == "112");
  CHECK(player.outcome(player.engine().finish()) == "112");
  CHECK_FALSE(player.engine().finish());
}

TEST_CASE("sequence: a class that means nothing is no event, and ends the one before") {
  SequenceOptions options = Player::usual();
  options.nothing = {"class 112"};
  Player player(options);
  (void)player.play(1, 0ms);
  (void)player.play(1, 100ms);
  CHECK(player.play(1, 200ms) == "111");
  CHECK(player.play(2, 300ms) == "-");
}

TEST_CASE("sequence: each camera has a window of its own") {
  Player player;
  for (int i = 0; i < 2; ++i) {
    CHECK(player.play(1 + i, milliseconds(100 * i), "front").empty());
    CHECK(player.play(5 + i, milliseconds(100 * i), "back").empty());
  }
  CHECK(player.play(3, 200ms, "front") == "123");
  CHECK(player.play(7, 200ms, "back") == "567");
}

TEST_CASE("sequence: of more than sixteen cameras the one that was not seen for longest is forgotten") {
  Player player;
  (void)player.play(1, 0ms, "first");
  (void)player.play(2, 100ms, "first");
  for (int i = 0; i < 15; ++i) (void)player.play(1, 0ms, "camera" + std::to_string(i));
  CHECK(player.play(3, 200ms, "first") == "123");
  for (int i = 0; i < 16; ++i) (void)player.play(1, 0ms, "other" + std::to_string(i));
  CHECK(player.play(4, 300ms, "first").empty());
}

TEST_CASE("sequence: a clock that was set back begins a new window") {
  Player player;
  (void)player.play(1, 1000ms);
  (void)player.play(2, 1100ms);
  CHECK(player.play(3, 1200ms) == "123");
  CHECK(player.play(4, 0ms).empty());
  CHECK(player.play(5, 100ms).empty());
  CHECK(player.play(6, 200ms) == "456");
}

TEST_CASE("sequence: a clock that leaps forward leaves nothing of the old window in the new one") {
  Player player;
  (void)player.play(1, 0ms);
  (void)player.play(2, 100ms);
  CHECK(player.play(3, 200ms) == "123");
  CHECK(player.play(4, 3'600'000ms).empty());
  CHECK(player.play(5, 3'600'100ms).empty());
  CHECK(player.play(6, 3'600'200ms) == "456");
}

TEST_CASE("sequence: times that stand still keep no memory, and are never a window") {
  Player player;
  for (int i = 0; i < 1000; ++i) CHECK(player.play(i % 10, 0ms).empty());
}

TEST_CASE("sequence: with a rate of their own frames need no times") {
  SequenceOptions options = Player::usual();
  options.clock_fps = 10;
  Player player(options);
  (void)player.play(1, 0ms);
  (void)player.play(2, 0ms);
  CHECK(player.play(3, 0ms) == "123");
}

TEST_CASE("sequence: a picture of no camera is no part of a window") {
  Player player;
  (void)player.play(1, 0ms);
  (void)player.play(2, 100ms);
  CHECK_FALSE(player.engine().take(player.frame(9, 150ms), {{}, /*one_off=*/true}));
  CHECK(player.play(3, 200ms) == "123");
}

TEST_CASE("sequence: for a damaged picture its neighbours stand") {
  Player player;
  (void)player.play(1, 0ms);
  (void)player.engine().take(player.frame(9, 100ms, "", /*damaged=*/true), {});
  const std::string seen = player.play(3, 200ms);
  CHECK((seen == "113" || seen == "133"));
}

TEST_CASE("sequence: a file may end within a stride, and the end of it is looked at") {
  SequenceOptions options = Player::usual();
  options.stride = 1000ms;
  Player player(options);
  (void)player.play(1, 0ms);
  (void)player.play(2, 100ms);
  CHECK(player.play(3, 200ms) == "123");
  CHECK(player.play(4, 300ms).empty());
  CHECK(player.outcome(player.engine().finish()) == "234");
  Player done;
  (void)done.play(1, 0ms);
  (void)done.play(2, 100ms);
  (void)done.play(3, 200ms);
  CHECK_FALSE(done.engine().finish());
}

TEST_CASE("sequence: a network that wants other features is refused with its input") {
  ModelOptions model;
  model.path = fp::test::networks() / "sequence-digits.onnx";
  model.layout = Layout::Sequence;
  SequenceOptions options;
  options.features = SequenceOptions::Features::Keypoints;
  const auto engine = make_sequence_engine(open_model(model).value(), options);
  REQUIRE_FALSE(engine);
  CHECK(engine.error().kind == Error::Kind::Unsupported);
  CHECK(engine.error().text.find("1x3x8x16") != std::string::npos);
}
