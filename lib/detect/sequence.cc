#include "detect/sequence.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include "base/text.h"
#include "jpeg/decoder.h"

namespace fp::detect {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kMostCameras = 16;

// One moment of a window.
struct Moment {
  WallTime time;
  std::vector<float> values;
};

struct Window {
  std::deque<Moment> moments;
  std::optional<WallTime> last;  // of all frames, also of those that were passed over
  microseconds interval{0};      // between two frames, as it was last
  std::optional<WallTime> looked;
  FramePtr newest;  // nothing has been looked at with it yet
  std::uint64_t frames = 0;
  std::uint64_t used = 0;
};

bool are_shares(std::span<const float> scores) {
  double sum = 0;
  for (const float score : scores) {
    if (!(score >= 0 && score <= 1)) return false;
    sum += static_cast<double>(score);
  }
  return std::abs(sum - 1) < 0.01;
}

std::vector<double> softmax(std::span<const float> scores) {
  const double most = *std::max_element(scores.begin(), scores.end());
  std::vector<double> shares;
  double sum = 0;
  for (const float score : scores) sum += shares.emplace_back(std::exp(static_cast<double>(score) - most));
  for (double& share : shares) share /= sum;
  return shares;
}

// Of the surest object with so many keypoints in any X-Detections.
std::optional<Object> person_in(const Frame& frame, std::size_t keypoints) {
  std::optional<Object> surest;
  for (const Header& header : frame.extra) {
    if (!equal_ignoring_case(header.name, "X-Detections")) continue;
    const auto detections = parse_detections(header.value);
    if (!detections) continue;
    for (const Object& object : detections->objects) {
      const bool fits =
          object.keypoints.size() == keypoints && object.box && object.box->width_px > 0 && object.box->height_px > 0;
      if (fits && (!surest || object.confidence > surest->confidence)) surest = object;
    }
  }
  return surest;
}

class SequenceEngine final : public Engine {
 public:
  SequenceEngine(Model model, SequenceOptions options)
      : model_(std::move(model)),
        options_(std::move(options)),
        length_(static_cast<std::size_t>(model_.input_shape[1])),
        each_(model_.input_values() / length_) {
    // The whole frame, whatever its shape: what a window is trained on is cut to the model's own.
    model_.format.stretch = true;
  }

  [[nodiscard]] const std::string& model() const override { return model_.name; }

  [[nodiscard]] bool finds_events() const override { return true; }

  [[nodiscard]] std::optional<Work> take(const FramePtr& frame, const Orders& orders) override {
    if (orders.one_off) return std::nullopt;
    Window& window = window_of(frame->camera);
    const WallTime time = time_of(*frame, window);
    if (window.last && time < *window.last) {
      // The clock was set back, or the source began anew.
      const std::uint64_t frames = window.frames;
      window = Window();
      window.frames = frames;
      window.used = ++uses_;
    }
    if (window.last) window.interval = time - *window.last;
    window.last = time;
    keep(window, *frame, time);
    window.newest = frame;
    if (!full(window) || (window.looked && time - *window.looked < options_.stride)) return std::nullopt;
    return says_anything(window) ? std::optional(look(window)) : std::nullopt;
  }

  // A file may end in the middle of a stride, or with less than a window.
  [[nodiscard]] std::optional<Work> finish() override {
    for (auto& [camera, window] : windows_) {
      if (window.newest && window.moments.size() >= 2 && says_anything(window)) return look(window);
    }
    return std::nullopt;
  }

 private:
  Window& window_of(const std::string& camera) {
    const auto found = windows_.find(camera);
    if (found == windows_.end() && windows_.size() >= kMostCameras) {
      windows_.erase(std::min_element(windows_.begin(), windows_.end(),
                                      [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    Window& window = windows_[camera];
    window.used = ++uses_;
    return window;
  }

  [[nodiscard]] WallTime time_of(const Frame& frame, Window& window) const {
    const std::uint64_t index = window.frames++;
    if (options_.clock_fps <= 0) return frame.captured;
    return WallTime(microseconds(std::llround(static_cast<double>(index) * 1e6 / options_.clock_fps)));
  }

  [[nodiscard]] microseconds step() const {
    return std::chrono::duration_cast<microseconds>(options_.window) / static_cast<std::int64_t>(length_);
  }

  // Two moments in the time of one that the model takes are enough.
  void keep(Window& window, const Frame& frame, WallTime time) {
    const WallTime oldest = time - options_.window - step();
    while (!window.moments.empty() && window.moments.front().time < oldest) window.moments.pop_front();
    if (window.moments.size() >= 2) {
      const Moment& before = window.moments[window.moments.size() - 2];
      if (time - before.time < step() / 2) window.moments.pop_back();
    }
    // Cannot be with the rule above, unless times stand still.
    if (window.moments.size() > 4 * length_ + 4) window.moments.pop_front();
    if (auto values = values_of(frame)) window.moments.push_back({time, std::move(*values)});
  }

  // Nothing: the picture is damaged, and its neighbours stand for it.
  [[nodiscard]] std::optional<std::vector<float>> values_of(const Frame& frame) {
    std::vector<float> values(each_, 0.0F);
    if (options_.features == SequenceOptions::Features::Pixels) {
      const auto picture = decoder_.decode(frame.jpeg.view(), model_.input);
      if (!picture) return std::nullopt;
      const jpeg::Size size = size_of(frame);
      const Box all{0, 0, static_cast<double>(size.width_px), static_cast<double>(size.height_px)};
      (void)maker_.fill(*picture, size, all, model_.input, model_.format, values);
      return values;
    }
    const auto person = person_in(frame, each_ / 3);
    if (!person) return values;
    const Box& box = *person->box;
    for (std::size_t k = 0; k < person->keypoints.size(); ++k) {
      const Keypoint& keypoint = person->keypoints[k];
      values[3 * k] = static_cast<float>((keypoint.x - box.x) / box.width_px);
      values[3 * k + 1] = static_cast<float>((keypoint.y - box.y) / box.height_px);
      values[3 * k + 2] = static_cast<float>(keypoint.confidence);
    }
    return values;
  }

  // Each frame stands for the time up to the next one.
  [[nodiscard]] bool full(const Window& window) const {
    if (window.moments.size() < 2) return false;
    const auto span = window.moments.back().time - window.moments.front().time;
    const auto covered = span + std::min<microseconds>(window.interval, options_.window / 2);
    return covered + microseconds(1000) >= options_.window;
  }

  // T moments that end with the newest, a step apart; for each the frame that is nearest.
  [[nodiscard]] std::vector<float> resampled(const Window& window) const {
    std::vector<float> values;
    values.reserve(length_ * each_);
    const WallTime end = window.moments.back().time;
    auto nearest = window.moments.begin();
    for (std::size_t i = 0; i < length_; ++i) {
      const WallTime time = end - step() * static_cast<std::int64_t>(length_ - 1 - i);
      while (std::next(nearest) != window.moments.end() &&
             std::chrono::abs(std::next(nearest)->time - time) <= std::chrono::abs(nearest->time - time)) {
        ++nearest;
      }
      values.insert(values.end(), nearest->values.begin(), nearest->values.end());
    }
    return values;
  }

  // Zeros for everybody who is not there are right for a while; of zeros alone a network makes up something.
  [[nodiscard]] bool says_anything(const Window& window) {
    if (options_.features == SequenceOptions::Features::Pixels) return true;
    const auto empty = [](const Moment& moment) {
      return std::all_of(moment.values.begin(), moment.values.end(), [](float value) { return value == 0.0F; });
    };
    const bool any = !std::all_of(window.moments.begin(), window.moments.end(), empty);
    if (any || !options_.report || std::exchange(told_of_nobody_, true)) return any;
    options_.report(Severity::Warning, "no frame of a window has an object with " + std::to_string(each_ / 3) +
                                           " keypoints (is a pose network in front, as in 'frame-detect --model "
                                           "pose.onnx | ...'?)");
    return any;
  }

  // With the newest frame. After a pause nothing is the same event any more.
  [[nodiscard]] Work look(Window& window) {
    const Span span{window.moments.front().time, window.moments.back().time};
    const auto patience = std::max(options_.window, 2 * options_.stride);
    const bool anew = !window.looked || *window.last - *window.looked > patience;
    window.looked = window.last;
    return [this, frame = std::exchange(window.newest, nullptr), span, anew, values = resampled(window)] {
      return recognise(*frame, span, anew, values);
    };
  }

  // On the worker's thread: nothing of the windows is touched.
  Result<FramePtr> recognise(const Frame& frame, const Span& span, bool anew, const std::vector<float>& values) {
    const auto begin = std::chrono::steady_clock::now();
    const auto outputs = model_.run(values);
    if (!outputs) return fail(outputs.error());
    const std::span<const float> scores = outputs->front().values.first(static_cast<std::size_t>(model_.classes));
    const bool finite = std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); });
    if (!finite) return malformed(model_.name + ": gave scores that are no numbers");
    const std::vector<double> shares =
        are_shares(scores) ? std::vector<double>(scores.begin(), scores.end()) : softmax(scores);
    const auto best = std::max_element(shares.begin(), shares.end());
    Object event;
    event.label = model_.label(static_cast<int>(best - shares.begin()));
    event.confidence = *best;
    event.span = span;
    const bool nothing =
        event.confidence < options_.confidence ||
        std::find(options_.nothing.begin(), options_.nothing.end(), event.label) != options_.nothing.end();
    std::string& told = told_[frame.camera];
    const bool again = !anew && !nothing && event.label == told;
    told = nothing ? "" : event.label;
    if (told_.size() > kMostCameras)
      told_.erase(told_.begin()->first == frame.camera ? std::next(told_.begin()) : told_.begin());
    if (nothing || again) return FramePtr();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    return with_detections(frame, {model_.name, took.count(), {std::move(event)}, ""});
  }

  Model model_;
  const SequenceOptions options_;
  const std::size_t length_;  // T
  const std::size_t each_;    // numbers of a moment
  std::map<std::string, Window> windows_;
  bool told_of_nobody_ = false;
  std::uint64_t uses_ = 0;
  jpeg::Decoder decoder_;
  InputMaker maker_;
  std::map<std::string, std::string> told_;  // by camera: what was recognised at the last look; the worker's alone
};

}  // namespace

Result<std::unique_ptr<Engine>> make_sequence_engine(Model model, SequenceOptions options) {
  const Shape& shape = model.input_shape;
  const bool pixels = options.features == SequenceOptions::Features::Pixels;
  const bool fits = pixels ? shape.size() == 4 : shape.size() == 3 && shape[2] % 3 == 0;
  if (!fits || shape[1] < 2) {
    return fail({Error::Kind::Unsupported, 0,
                 "--features " +
                     std::string(pixels ? "pixels wants a model with an input 1xTxHxW"
                                        : "keypoints wants a model with an input 1xTx(3*keypoints)") +
                     ", and that of " + model.name + " is " + to_text(shape)});
  }
  return std::make_unique<SequenceEngine>(std::move(model), std::move(options));
}

}  // namespace fp::detect
