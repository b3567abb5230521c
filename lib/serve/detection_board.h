// What was last detected in each camera's frames, for those who follow it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/hub.h"
#include "serve/camera_list.h"

namespace fp {

/// One place for each camera and filter, with the newest detections. Written as JSON once for all readers, and only
/// while there are any; cameras are listened to, and not woken. One thread; outlives its readers.
class DetectionBoard {
 public:
  /// Is told that something new is there.
  class Reader {
   public:
    virtual void detections_arrived() = 0;

   protected:
    ~Reader() = default;
  };
  struct Note {
    std::string camera;
    std::uint64_t index = 0;                  ///< counts all notes: the higher is the newer
    std::shared_ptr<const std::string> json;  ///< {"camera","sequence","timestamp","filter","detections":[...]}
  };

  explicit DetectionBoard(const CameraList& cameras);
  DetectionBoard(const DetectionBoard&) = delete;
  DetectionBoard& operator=(const DetectionBoard&) = delete;
  ~DetectionBoard();

  void attach(Reader& reader);
  void detach(Reader& reader);
  /// Listens to cameras that have come, and forgets those that have gone.
  void look_again();
  /// A filter, by name, has worked on a frame of this camera; without X-Detections in it nothing happens. "": the frame
  /// came with them.
  void post(const std::string& camera, const std::string& filter, const Frame& frame);

  /// The oldest note with a higher index, of this camera or ("") any; nullptr when there is none.
  [[nodiscard]] const Note* next(std::uint64_t index, const std::string& camera) const;
  [[nodiscard]] std::uint64_t newest() const { return index_; }

 private:
  class Slot;  // NOLINT(cppcoreguidelines-virtual-class-destructor): it is final
  const CameraList& cameras_;
  std::uint64_t seen_changes_ = 0;
  bool looked_ = false;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<std::pair<std::string, std::string>, Note> notes_;  // by camera and filter
  std::uint64_t index_ = 0;
  std::vector<Reader*> readers_;  // nullptr: detached while they are being told
  int telling_ = 0;
};

}  // namespace fp
