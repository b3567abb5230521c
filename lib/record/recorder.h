// Frames into files, on a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/report.h"
#include "frame/frame.h"
#include "record/keep.h"
#include "record/limits.h"
#include "record/name_pattern.h"
#include "record/segment.h"
#include "record/timed.h"

namespace fp::record {

/// Writes every frame that it is given for as long as the disk keeps up. What waits for the disk is bounded: beyond
/// that frames are dropped and counted. fdatasync(2) once a second, so a power cut costs the last second.
///
/// On a full disk the oldest segments go first, which is said once. When nothing is left to remove, or the disk has
/// another trouble, frames are dropped and counted, it is said, and tried again each second.
class Recorder {
 public:
  struct Options {
    std::string folder;
    NamePattern names;
    Limits segment;  ///< of one file; nothing: as long as it goes on
    Keep::Options keep;
    bool cameras = false;  ///< a folder and files for each X-Camera
    /// put() waits for the disk instead of dropping: frames of a recording, whose times are those of their capture.
    bool in_order = false;
    std::size_t queue_bytes = 64u << 20;
  };
  struct Figures {
    std::uint64_t frames = 0;  ///< written
    std::uint64_t bytes = 0;
    std::uint64_t segments = 0;     ///< that have their names
    std::uint64_t dropped = 0;      ///< because the disk was too slow
    std::uint64_t lost = 0;         ///< because it was full, or in trouble
    std::uint64_t turned_away = 0;  ///< of more cameras than kMostCameras
  };
  static constexpr std::size_t kMostCameras = 256;  ///< names come from outside: each makes a folder

  /// Mends what a recorder before it left. `clock` must live as long; `report` is called on both threads. Throws
  /// Failure when the folder is none, or not to be written in.
  Recorder(Options options, const Clock& clock, Report report);
  ~Recorder();  ///< finish()
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The files of which a frame is put into one: its camera's folder, or "".
  [[nodiscard]] std::string file_of(const Frame& frame) const;
  /// False: the frame was dropped.
  bool put(Timed frame, const std::string& file);
  /// The next frame of these files begins a new one.
  void end(const std::string& file);
  /// Writes what waits, and gives all files their names. Blocks until that is done.
  void finish();

  [[nodiscard]] Figures figures() const;
  /// Why nothing can be written at present, or "".
  [[nodiscard]] std::string trouble() const;

 private:
  struct Item {
    Timed timed;  // no frame: the end of the file
    std::string file;
  };
  struct Open {
    std::optional<Segment> segment;
    SteadyTime since{};
    std::optional<SteadyTime> unsynced;  // since when, on our own clock
  };

  void run();
  std::optional<SteadyTime> due() const;
  void take(const Item& item);
  Result<Done> write(const Item& item);
  Result<Done> begin(Open& open, const Item& item);
  Result<Done> close(Open& open);
  void abandon(Open& open);
  void look_after();
  void close_all();
  void in_trouble(const std::string& why);
  void recovered();
  [[nodiscard]] bool full(const Open& open, SteadyTime at) const;
  [[nodiscard]] std::uint64_t open_bytes() const;
  [[nodiscard]] Error no_room() const;

  const Options options_;
  const Clock& clock_;
  Report report_;
  Keep keep_;  // this and the next few: of the thread alone
  std::map<std::string, Open> open_;
  std::optional<SteadyTime> blocked_until_;
  SteadyTime kept_{};
  bool left_parts_ = false;
  std::uint64_t lost_before_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;
  bool finishing_ = false;
  bool told_slow_ = false;
  bool told_cameras_ = false;
  std::set<std::string> files_;  // that were put to
  Figures figures_;
  std::string trouble_;
  std::thread thread_;  // last: it uses all the rest
};

}  // namespace fp::record
