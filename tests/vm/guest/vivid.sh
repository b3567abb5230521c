#!/usr/bin/env bash
# The machine with the kernel's virtual cameras.
set -euo pipefail
# shellcheck source=tests/vm/guest/lib.sh
. "$FP_ROOT/tests/vm/guest/lib.sh"
set +e # a check that fails must not take the others with it

offers_yuyv() {
  v4l2-ctl -d "$VIDEO" --list-formats-ext >formats
  contains "$(<formats)" "'YUYV'"
  contains "$(<formats)" 640x480
}
frames_arrive() {
  capture 5 YUYV 640x480
  equals "$(stat -c %s capture.raw)" $((5 * 640 * 480 * 2))
}
control_is_kept() {
  c brightness=42
  contains "$(v4l2-ctl -d "$VIDEO" -C brightness)" 42
}
disconnect_ends_stream() {
  stream YUYV 640x480
  c disconnect=1
  eventually stream_ended
  capture 2 YUYV 640x480
}
unbind_takes_node() {
  echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
  eventually not_there "$VIDEO"
  echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
  eventually there "$VIDEO"
  capture 2 YUYV 640x480
}
link_is_made() {
  by_id usb-Vendor_Model_1234-video-index0 "$VIDEO"
  equals "$(readlink -f /dev/v4l/by-id/usb-Vendor_Model_1234-video-index0)" "$VIDEO"
}
unloads() {
  unload vivid
  eventually node_count_is 'vivid-*' 0
}
two_at_once() {
  load_vivid n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0x0,0x0
  eventually node_count_is 'vivid-*' 2
  for VIDEO in $(nodes_named 'vivid-*'); do capture 2 YUYV 640x480; done
}

load_vivid
check 'vivid offers YUYV at 640x480' offers_yuyv
check 'vivid sends frames, each whole' frames_arrive
check 'vivid keeps a control' control_is_kept
check 'vivid that is disconnected ends the stream, and can be opened again' disconnect_ends_stream
check 'vivid that is unbound takes its node away, and brings it back' unbind_takes_node
check 'by_id makes the link that udev would make' link_is_made
check 'vivid that is unloaded takes its node away' unloads
check 'vivid is there twice when asked to' two_at_once
