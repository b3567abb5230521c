// The frames of a Matroska file that frame-record wrote.
#pragma once

#include <vector>

#include "record/block_reader.h"
#include "record/matroska.h"

namespace fp::record {

/// Reads the Clusters that matroska::cluster() makes, and nothing else: what is damaged is passed over up to the next
/// one, and counted. Memory: one of at most `max_frame_bytes`, plus 128 KiB.
class ClusterReader final : public BlockReader {
 public:
  /// `fd` is borrowed and read with pread(2), from the Cluster at `offset` on; 0: from the first one.
  ClusterReader(int fd, std::uint64_t offset, std::size_t max_frame_bytes);

  /// Errors: Io.
  [[nodiscard]] Result<std::optional<Block>> next() override;
  [[nodiscard]] std::optional<WallTime> begin() const override { return std::nullopt; }  // each frame says when it was
  [[nodiscard]] Skips skips() const override { return skips_; }

 private:
  Result<std::size_t> read(std::uint64_t at, std::size_t bytes);
  Result<bool> find_next();
  Result<std::optional<Block>> take(const matroska::ClusterHead& head);

  const int fd_;
  const std::size_t max_frame_bytes_;
  std::uint64_t at_;
  std::uint64_t file_bytes_ = 0;
  std::vector<std::uint8_t> buffer_;
  Skips skips_;
};

}  // namespace fp::record
