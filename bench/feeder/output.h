#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "feeder/picture.h"

namespace fp::bench {

/// Where stamped frames go. emit() takes the stamp's time at the last possible moment and returns false when nobody
/// takes frames any more.
class Output {
 public:
  virtual ~Output() = default;
  virtual bool emit(const Picture& picture, std::uint32_t number) = 0;
};

/// frame_NNNNNN.jpg in a directory, each written as .tmp and then renamed; the files before the last `keep` are
/// deleted. The stamp is taken just before close() and rename().
class DirectoryOutput : public Output {
 public:
  DirectoryOutput(std::string directory, std::size_t keep) : directory_(std::move(directory)), keep_(keep) {}
  bool emit(const Picture& picture, std::uint32_t number) override;

 private:
  std::string directory_;
  std::size_t keep_;
  std::deque<std::string> written_;
};

/// Multipart with Content-Length on a descriptor, one writev a frame. Borrows the descriptor, which may block.
class PipeOutput : public Output {
 public:
  explicit PipeOutput(int fd) : fd_(fd) {}
  bool emit(const Picture& picture, std::uint32_t number) override;

 private:
  int fd_;
};

}  // namespace fp::bench
