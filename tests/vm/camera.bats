#!/usr/bin/env bats
# Cameras, in a virtual machine: the kernel's own virtual ones (vivid), and such as are plugged in (uvcsim).
#
# A machine boots once for all checks of its script in tests/vm/guest. Each @test looks the line of the check of the same
# name up, which takes no time.
# shellcheck disable=SC2154 # stderr comes from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

VM=$FP_ROOT/tests/vm
machines=(vivid uvc camgrab-vivid camgrab-uvc soak)

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
    done < <(sed -nE "s/^([A-Z].*)?check '([^']*)' .*/\2/p" "$VM/guest/$machine.sh")
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

# --- camgrab-vivid

@test "camgrab encodes each raw format to the same picture" { checked camgrab-vivid; }
@test "camgrab refuses a format that the camera has not, and names those that it has" { checked camgrab-vivid; }
@test "camgrab gives each frame the time at which the driver took it" { checked camgrab-vivid; }
@test "camgrab keeps the order with several threads" { checked camgrab-vivid; }
@test "camgrab goes on after a disconnect" { checked camgrab-vivid; }
@test "camgrab goes on after a driver is unbound and bound" { checked camgrab-vivid; }
@test "camgrab goes on after a fatal error of the stream" { checked camgrab-vivid; }
@test "camgrab goes on after a buffer that cannot be queued" { checked camgrab-vivid; }
@test "camgrab counts a buffer with the error flag" { checked camgrab-vivid; }
@test "camgrab counts the gaps in the sequence" { checked camgrab-vivid; }
@test "camgrab says what fails at the start" { checked camgrab-vivid; }
@test "camgrab says that there is no signal, shows a card, and goes on" { checked camgrab-vivid; }
@test "camgrab waits for a signal that is not there at the start" { checked camgrab-vivid; }
@test "camgrab follows a signal that changes its size" { checked camgrab-vivid; }

# --- camgrab-uvc

@test "camgrab passes MJPEG byte for byte" { checked camgrab-uvc; }
@test "camgrab finds a camera by path, number, node and by-id name, and the first by none" { checked camgrab-uvc; }
@test "camgrab puts in missing Huffman tables" { checked camgrab-uvc; }
@test "camgrab cuts off padding" { checked camgrab-uvc; }
@test "camgrab drops truncated frames" { checked camgrab-uvc; }
@test "camgrab drops corrupt frames" { checked camgrab-uvc; }
@test "camgrab counts frames that the driver swallowed for errors" { checked camgrab-uvc; }
@test "camgrab counts frames that the driver swallowed for emptiness" { checked camgrab-uvc; }
@test "camgrab notices a camera that freezes" { checked camgrab-uvc; }
@test "camgrab holds the last frame while the camera is away" { checked camgrab-uvc; }
@test "camgrab shows a card while the camera is away" { checked camgrab-uvc; }
@test "camgrab sends nothing while the camera is away when told so" { checked camgrab-uvc; }
@test "camgrab finds a camera that returns under another number" { checked camgrab-uvc; }
@test "camgrab and a server keep their viewers while the camera is away" { checked camgrab-uvc; }
@test "camgrab lists cameras, formats, sizes, rates and controls" { checked camgrab-uvc; }
@test "camgrab sets controls, and says what they take" { checked camgrab-uvc; }
@test "camgrab says when the camera gives another size" { checked camgrab-uvc; }
@test "camgrab encodes YUYV of a USB camera" { checked camgrab-uvc; }
@test "camgrab says that a camera is in use" { checked camgrab-uvc; }
@test "camgrab says that it may not open a camera" { checked camgrab-uvc; }
@test "camgrab says that the bus has no bandwidth left" { checked camgrab-uvc; }
@test "camgrab says that a metadata node is no camera" { checked camgrab-uvc; }
@test "camgrab grabs two cameras at once" { checked camgrab-uvc; }
@test "camgrab waits for its own camera and takes no other" { checked camgrab-uvc; }
@test "camgrab counts frames that the driver flags" { checked camgrab-uvc; }
@test "camgrab survives a stalled endpoint" { checked camgrab-uvc; }

# --- soak: with the address sanitizer's build of camgrab

@test "camgrab survives a minute of faults without a leak or a lost descriptor" { checked soak; }
