#include "record/libav.h"

namespace fp::record {

OpenBlocks libav_blocks() { return {}; }

}  // namespace fp::record
