#include "serve/detection_board.h"

#include <algorithm>

#include "base/text.h"
#include "serve/detection_json.h"

namespace fp {

// Listens to one camera, without being a viewer that would start its source.
class DetectionBoard::Slot final : public Subscriber {
 public:
  Slot(DetectionBoard& board, std::shared_ptr<Camera> camera) : board_(board), camera_(std::move(camera)) {
    if (const PacketPtr& newest = camera_->hub().newest_frame()) last_ = newest->index();
    camera_->hub().attach(*this);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { camera_->hub().detach(*this); }

  void frame_arrived() override {
    const PacketPtr newest = camera_->hub().newest_frame();
    if (!newest || newest->index() == last_) return;  // a card, or the last frame again
    last_ = newest->index();
    if (newest->frame().signal == Signal::Live) board_.post(camera_->name(), "", newest->frame());
  }
  [[nodiscard]] const Camera* camera() const { return camera_.get(); }

 private:
  DetectionBoard& board_;
  const std::shared_ptr<Camera> camera_;
  std::uint64_t last_ = 0;
};

DetectionBoard::DetectionBoard(const CameraList& cameras) : cameras_(cameras) {}
DetectionBoard::~DetectionBoard() = default;

void DetectionBoard::attach(Reader& reader) {
  readers_.push_back(&reader);
  look_again();
}

void DetectionBoard::detach(Reader& reader) {
  std::replace(readers_.begin(), readers_.end(), &reader, static_cast<Reader*>(nullptr));
  if (telling_ == 0) std::erase(readers_, nullptr);
  if (std::any_of(readers_.begin(), readers_.end(), [](const Reader* left) { return left != nullptr; })) return;
  slots_.clear();
  notes_.clear();
  looked_ = false;
}

void DetectionBoard::look_again() {
  if (looked_ && seen_changes_ == cameras_.changes()) return;
  looked_ = true;
  seen_changes_ = cameras_.changes();
  const auto& all = cameras_.all();
  std::erase_if(slots_, [&](const auto& slot) {
    return std::none_of(all.begin(), all.end(), [&](const auto& camera) { return camera.get() == slot->camera(); });
  });
  std::erase_if(notes_, [&](const auto& note) { return cameras_.find(note.first.first) == nullptr; });
  for (const auto& camera : all) {
    const bool known =
        std::any_of(slots_.begin(), slots_.end(), [&](const auto& slot) { return slot->camera() == camera.get(); });
    if (!known) slots_.push_back(std::make_unique<Slot>(*this, camera));
  }
}

void DetectionBoard::post(const std::string& camera, const std::string& filter, const Frame& frame) {
  const auto detected = [](const Header& header) { return equal_ignoring_case(header.name, "X-Detections"); };
  if (readers_.empty() || std::none_of(frame.extra.begin(), frame.extra.end(), detected)) return;
  const std::string detections = detections_json(frame);
  if (detections == "[]") return;
  std::string json = R"({"camera":")" + json_escape(camera) + R"(","sequence":)" + std::to_string(frame.sequence) +
                     R"(,"timestamp":)" + format_timestamp(frame.captured);
  if (!filter.empty()) json += R"(,"filter":")" + json_escape(filter) + '"';
  json += R"(,"detections":)" + detections + '}';
  notes_.insert_or_assign({camera, filter},
                          Note{camera, ++index_, std::make_shared<const std::string>(std::move(json))});
  ++telling_;
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (readers_[i] != nullptr) readers_[i]->detections_arrived();
  }
  if (--telling_ == 0) std::erase(readers_, nullptr);
}

const DetectionBoard::Note* DetectionBoard::next(std::uint64_t index, const std::string& camera) const {
  const Note* oldest = nullptr;
  for (const auto& [place, note] : notes_) {
    if (note.index <= index || (!camera.empty() && note.camera != camera)) continue;
    if (oldest == nullptr || note.index < oldest->index) oldest = &note;
  }
  return oldest;
}

}  // namespace fp
