// The newest valid JPEG that lands in a directory.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "base/fd.h"
#include "base/report.h"
#include "base/result.h"
#include "frame/pacer.h"
#include "frame/parser.h"
#include "frame/producer.h"
#include "frame/skips.h"
#include "jpeg/encoder.h"

namespace fp {

/// Watches a directory with inotify(7), or by looking (`poll`), and gives the newest picture in it that is whole.
///
/// Files count by their ending: .jpg and .jpeg in any case, .png too with `png`; names that begin with a dot do not. A
/// file that is cut off or being written is tried again until it is whole or nobody has touched it for ten seconds; it
/// is never given out. An overflow of the event queue, and a directory that was removed and made again, lead to a look
/// at the whole directory. Of a burst of files only the newest is read and decoded. Memory: two pictures, and the names
/// that wait (at most 4096; with every_frame 1,000,000, further ones are dropped and counted).
class Directory final : public Producer {
 public:
  enum class Order {
    Arrival,    ///< the last that was closed after writing or renamed into the directory
    Mtime,      ///< the latest modification time
    Name,       ///< the highest name, digits compared by value
    Timestamp,  ///< the latest time in the name
  };
  struct Options {
    double fps = 20;  ///< 0: no limit
    Order order = Order::Arrival;
    bool png = false;
    bool existing = false;              ///< begin with what is there already
    std::optional<std::uint64_t> keep;  ///< delete files older than the one shown, but the newest so many of them
    bool poll = false;
    std::chrono::milliseconds settle{200};  ///< how long a file must have been left alone that was never closed
    bool every_frame = false;
    std::size_t max_frame_bytes = StreamParser::kDefaultMaxFrameBytes;
    int png_quality_percent = 90;
  };
  struct Figures {
    std::uint64_t shown = 0;
    std::uint64_t superseded = 0;  ///< landed, and a newer one was shown instead
    std::uint64_t deleted = 0;
    std::uint64_t rescans = 0;
    Skips skips;
  };

  /// Errors: Io when `path` is no directory or cannot be watched. `clock` must live as long.
  [[nodiscard]] static Result<Directory> open(const std::string& path, Options options, const Clock& clock,
                                              Report report);

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return false; }
  [[nodiscard]] std::uint64_t superseded() const override { return figures_.superseded; }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  // What a file is sorted by: a time or a count, then its name.
  struct Key {
    long long rank = 0;
    std::string name;
    bool operator<(const Key& other) const;
  };
  struct Stat {
    long long mtime_ns = 0;
    long long ctime_ns = 0;
    long long size_bytes = 0;
    unsigned long long inode = 0;
    friend bool operator==(const Stat&, const Stat&) = default;
  };
  struct Candidate {
    Key key;
    SteadyTime ready;    // not to be read before
    SteadyTime touched;  // when it was last seen to change
    WallTime arrived;
    Stat last;  // at the last try
  };
  enum class Load { Shown, Partial, Lost };

  Directory(std::string path, Options options, const Clock& clock, Report report);
  Result<Done> watch();
  void unwatch(const char* why);
  void read_events();
  void look_after_directory(SteadyTime now);
  [[nodiscard]] bool matches(std::string_view name) const;
  [[nodiscard]] std::optional<Stat> stat_of(const std::string& name) const;
  [[nodiscard]] std::optional<Key> key_of(const std::string& name, const Stat* known);
  void note(const std::string& name, bool finished, const Stat* known = nullptr);
  void forget(const std::string& name);
  void drop_overflow();
  void rescan(bool initial);
  void poll_directory();
  template <typename Each>
  void for_each_file(Each each);
  FramePtr choose(SteadyTime now);
  Load load(Candidate& candidate, FramePtr& frame, SteadyTime now);
  FramePtr make_frame(const Candidate& candidate, const Stat& stat, Blob jpeg, const jpeg::Info& info);
  void settle_behind(const Key& shown);
  void delete_old();

  std::string path_;
  Options options_;
  const Clock* clock_;
  Report report_;
  SkipReporter skip_reporter_;
  Fd inotify_;
  int watch_ = -1;
  unsigned long long watched_device_ = 0;
  unsigned long long watched_inode_ = 0;
  SteadyTime look_at_;  // when to look after the directory itself, and in poll mode at its files
  bool must_rescan_ = false;

  std::map<Key, std::string> order_;                       // the candidates by age
  std::unordered_map<std::string, Candidate> candidates_;  // by name
  std::unordered_map<std::string, Stat> known_;            // poll mode: what was there at the last look
  long long arrivals_ = 0;
  std::optional<Key> shown_;
  std::string shown_name_;
  FramePtr shown_frame_;
  Stat shown_stat_;
  Pacer pacer_;
  std::uint64_t sequence_ = 0;
  std::optional<SteadyTime> delete_at_;
  bool said_undeletable_ = false;
  bool said_no_time_ = false;
  jpeg::Encoder encoder_;
  Figures figures_;
};

}  // namespace fp
