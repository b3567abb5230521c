#include <doctest/doctest.h>
#include "frame/parser.h"
