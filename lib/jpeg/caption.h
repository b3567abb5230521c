// A line of text in a corner of a picture.
#pragma once

#include <string_view>

#include "jpeg/planes.h"

namespace fp::jpeg {

enum class Corner { TopLeft, TopRight, BottomLeft, BottomRight };

/// Writes `line` in light dots on a dark box, so that it can be read on any picture, with Picture's letters. A dot is
/// one pixel for each 240 rows of the picture (at least one), fewer where the line would not fit; what still does not
/// fit is cut. The planes' padding is filled, too. An empty line draws nothing.
void draw_caption(Planes& planes, std::string_view line, Corner corner);

}  // namespace fp::jpeg
