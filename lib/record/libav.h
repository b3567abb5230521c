// Matroska files that others wrote, by libavformat.
#pragma once

#include "record/block_reader.h"

namespace fp::record {

/// What opens them and gives the pictures of their first MJPEG track, with the X- headers where ffmpeg has copied them
/// out of a file of ours. Empty in a program that was built without libavformat.
///
/// Nothing is decoded, and nothing opened but the file. libavformat takes no more memory at once than a frame may have,
/// or the file has, and says nothing: both are settings of the whole process.
[[nodiscard]] OpenBlocks libav_blocks();

}  // namespace fp::record
