#!/usr/bin/env bats
# tests/support/fault_proxy.py: a fault that does not happen would make the chaos run pass.

bats_require_minimum_version 1.5.0
load ../support/common

setup() { set_up; }
teardown() { clean_up; }

checked() { timeout "$FP_DEADLINE_S" "$PYTHON" "$SUPPORT/fault_proxy_check.py" "$1"; }

@test "the fault proxy carries bytes both ways, and the end of a connection" { checked pass; }
@test "a link that is held lets nothing through until it is healed, and loses nothing" { checked hold; }
@test "a link that delays brings bytes so much later" { checked delay; }
@test "connections that are abandoned stay silent while new ones work" { checked abandon; }
@test "a reset reaches both ends as one" { checked reset; }
@test "a link that truncates ends a connection in the middle" { checked truncate; }
@test "what spoils a stream adds, removes or overwrites bytes, one way only" { checked spoil; }
