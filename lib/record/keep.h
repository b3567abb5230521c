// How much of a recording is kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/report.h"
#include "record/limits.h"

namespace fp::record {

/// Removes the oldest segments of a folder and of those in it: by their age, by what they take together, and when the
/// disk is full. Only files with an index of ours count and are ever removed, with that index; folders that are empty
/// then go, too. Age and order go by modification times, since X-Timestamp is whatever a camera says.
///
/// Blocks for as long as the disk does. One thread. Memory: a path for each segment.
class Keep {
 public:
  struct Options {
    Limits limits;
    std::uint64_t min_free_bytes = 0;  ///< that are to stay free on the file system, for others too; 0: none
  };
  /// `clock` must live as long. Looks through the folder.
  Keep(std::string folder, Options options, const Clock& clock, Report report);

  void scan();  ///< looks again
  /// A segment has got its name.
  void added(const std::string& segment);
  /// Removes what is beyond the limits; `open_bytes` is what is being written. False: less than min_free_bytes are free
  /// and nothing is left to remove.
  bool enforce(std::uint64_t open_bytes);
  /// Removes one segment because the disk is full. False: there is none, or none can be removed.
  bool make_room();

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  ///< of all segments that are whole, with their indexes
  [[nodiscard]] std::size_t segments() const { return segments_.size(); }

 private:
  struct Age {
    std::int64_t modified_ns;
    std::string path;
    friend auto operator<=>(const Age&, const Age&) = default;
  };
  void scan_if_old();
  bool remove_oldest();
  void tell_full();
  [[nodiscard]] bool beyond(std::uint64_t open_bytes) const;
  [[nodiscard]] bool too_little_free() const;

  const std::string folder_;
  const Options options_;
  const Clock& clock_;
  Report report_;
  std::map<Age, std::uint64_t> segments_;  // and their bytes, oldest first
  std::uint64_t bytes_ = 0;
  SteadyTime scanned_{};
  bool told_full_ = false;
};

}  // namespace fp::record
