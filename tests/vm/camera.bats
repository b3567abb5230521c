#!/usr/bin/env bats
# Cameras, in a virtual machine: the kernel's own virtual ones (vivid), and such as are plugged in (uvcsim).
#
# A machine boots once for all checks of its script in tests/vm/guest. Each @test looks the line of the check of the same
# name up, which takes no time.
# shellcheck disable=SC2154 # stderr comes from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

VM=$FP_ROOT/tests/vm
machines=(vivid uvc)

setup_file() {
  local machine
  "$VM/build" >&2 || return 1
  for machine in "${machines[@]}"; do
    # What goes wrong here, the checks that left no line tell.
    "$VM/run" --timeout 1200 --out "$BATS_FILE_TMPDIR/$machine" --bin "$FP_BIN" "bash '$VM/guest/$machine.sh'" \
      >"$BATS_FILE_TMPDIR/$machine.out" 2>&1 3>&- || true
  done
}
setup() { set_up; }
teardown() { clean_up; }

# checked MACHINE: the check with the name of this test was made there, and passed.
checked() {
  local out=$BATS_FILE_TMPDIR/$1 name=$BATS_TEST_DESCRIPTION
  grep -qxF "ok $name" "$out/results" && return 0
  if ! grep -F "not ok $name: " "$out/results" >&2; then
    echo "no check of this name has ended in the machine; its last words:" >&2
    tail -n 20 "$out.out" "$out/console" >&2
    return 1
  fi
  cat "$out/logs/${name//\//_}" >&2
  return 1
}
in_vm() { run --separate-stderr "$VM/run" --out "$T/out" "$@" 3>&-; }

# --- tests/vm/run

@test "a command in the machine is root, prints on both outputs, and its exit status is passed on" {
  in_vm 'id -u; echo word >&2; echo kept >/run/vm/file; exit 7'
  equals "$status $output" "7 0"
  contains "$stderr" word
  equals "$(cat out/file)" kept
}

@test "a command that takes too long ends with 124" {
  in_vm --timeout 2 'sleep 1000'
  equals "$status" 124
}

@test "a machine that dies ends with 125" {
  in_vm 'echo c >/proc/sysrq-trigger; sleep 1000'
  equals "$status" 125
}

@test "each check in the machines has a test" {
  local machine name
  for machine in "${machines[@]}"; do
    while read -r name; do
      grep -qxF "@test \"$name\" { checked $machine; }" "$BATS_TEST_FILENAME" || fails "no @test \"$name\" { checked $machine; }"
    done < <(sed -nE "s/^check '([^']*)' .*/\1/p" "$VM/guest/$machine.sh")
  done
}

# --- vivid

@test "vivid offers YUYV at 640x480" { checked vivid; }
@test "vivid sends frames, each whole" { checked vivid; }
@test "vivid keeps a control" { checked vivid; }
@test "vivid that is disconnected ends the stream, and can be opened again" { checked vivid; }
@test "vivid that is unbound takes its node away, and brings it back" { checked vivid; }
@test "by_id makes the link that udev would make" { checked vivid; }
@test "vivid that is unloaded takes its node away" { checked vivid; }
@test "vivid is there twice when asked to" { checked vivid; }

# --- uvcsim

@test "uvcsim offers MJPG and YUYV in its sizes" { checked uvc; }
@test "uvcsim sends the pictures, byte for byte" { checked uvc; }
@test "uvcsim sends large pictures, byte for byte" { checked uvc; }
@test "uvcsim sends YUYV, each frame whole" { checked uvc; }
@test "uvcsim keeps its controls" { checked uvc; }
@test "uvcsim drop: time passes without a frame" { checked uvc; }
@test "uvcsim err: sequence numbers are missing" { checked uvc; }
@test "uvcsim empty: sequence numbers are missing" { checked uvc; }
@test "uvcsim trunc: the first half of a picture arrives" { checked uvc; }
@test "uvcsim corrupt: other bytes arrive" { checked uvc; }
@test "uvcsim notables: pictures arrive without their tables" { checked uvc; }
@test "uvcsim pad: zeros arrive behind the picture" { checked uvc; }
@test "uvcsim freeze: time passes without a frame" { checked uvc; }
@test "uvcsim nospace: the stream does not begin, the next one does" { checked uvc; }
@test "uvcsim unplug: the node goes, and comes back" { checked uvc; }
@test "uvcsim unplug: a stream ends, and the camera comes back" { checked uvc; }
@test "uvcsim is there twice, and the serial numbers tell which is which" { checked uvc; }
@test "uvcsim err: with nodrop=1 frames arrive, marked as damaged" { checked uvc; }
@test "uvcsim --bulk sends the pictures, byte for byte" { checked uvc; }
@test "uvcsim --bulk stall: frames arrive, marked as damaged" { checked uvc; }
@test "uvcsim that is unplugged for good takes its node away" { checked uvc; }
