#!/usr/bin/env bash
# camgrab on the kernel's virtual cameras: raw formats, faults by controls, HDMI.
set -euo pipefail
# shellcheck source=tests/vm/guest/lib.sh
. "$FP_ROOT/tests/vm/guest/lib.sh"
set +e # a check that fails must not take the others with it

small=(-s 320x180)

# Every format shows the same picture: means of sixteen fields, each within a few steps of those of YUYV.
formats_agree() {
  local format
  # Nothing that moves, no text.
  c test_pattern=0
  c osd_text_mode=2 || c text_mode=2 || true
  for format in yuyv uyvy yvyu nv12 nv21 yu12 yv12 422p rgb3 bgr3 grey; do
    camgrab "${small[@]}" --format "$format" --quality 95 --frames 1 "$VIDEO" >"$format.mjpeg" 2>grab.err
    python3 "$FP_ROOT/tests/support/frames.py" split "$format.mjpeg" "$format"
    djpeg -rgb "${format}1.jpg" >"$format.ppm"
  done
  python3 - yuyv uyvy yvyu nv12 nv21 yu12 yv12 422p rgb3 bgr3 <<'END'
import sys

def fields(name):
    with open(name + ".ppm", "rb") as file:
        data = file.read()
    body = data.split(b"\n", 3)[3]
    found = []
    for i in range(16):
        x, y = 10 + 20 * i, 120
        at = 3 * (y * 320 + x)
        found.append(tuple(body[at : at + 3]))
    return found

wanted = fields(sys.argv[1])
if len({max(c) - min(c) > 60 for c in wanted}) < 2:
    sys.exit(f"no colours in {wanted}")
for name in sys.argv[2:]:
    for a, b in zip(wanted, fields(name)):
        if max(abs(x - y) for x, y in zip(a, b)) > 24:
            sys.exit(f"{name}: {b} for {a}")
END
}
goes_on_after() { # TEXT COMMAND...
  local text=$1
  shift
  grab "${small[@]}" "$VIDEO"
  "$@"
  eventually grab_says "$text"
  grabs_more 5
  grab_ends
  sequence_rises
}
unbound_and_bound() {
  grab "${small[@]}" "$VIDEO"
  echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
  eventually grab_says 'opening the camera again'
  echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
  grabs_more 5
  grab_ends
}
flagged_is_counted() {
  grab "${small[@]}" "$VIDEO"
  c inject_v4l2_buf_flag_error=1
  grabs_more 10
  grab_ends
  grab_says '1 flagged by the driver'
}
lost_is_counted() {
  c percentage_of_dropped_buffers=50
  grab "${small[@]}" "$VIDEO"
  grabs_more 20
  c percentage_of_dropped_buffers=0
  grab_ends
  grab_says '[0-9]+ lost by the driver'
  sequence_rises
}
fails_at_start() {
  c inject_vidioc_reqbufs_error=1
  refuses 74 'at asking for buffers' "${small[@]}" "$VIDEO"
  c inject_vidioc_streamon_error=1
  refuses 74 'at starting the stream' "${small[@]}" "$VIDEO"
}
threads_keep_order() {
  grab "${small[@]}" --threads 3 --every-frame "$VIDEO"
  grabs_more 20
  grab_ends
  sequence_rises
}
times_are_the_drivers() {
  local before after first
  before=$(date +%s)
  camgrab "${small[@]}" --frames 3 --every-frame "$VIDEO" >grab.mjpeg
  after=$(date +%s)
  first=$(grep -a '^X-Timestamp: ' grab.mjpeg | head -n 1 | tr -d '\r' | sed -E 's/.*: ([0-9]+)\..*/\1/')
  ((first >= before - 1 && first <= after)) || fails "$first is not between $before and $after"
  grep -a '^X-Timestamp: ' grab.mjpeg | tr -d '\r' | cut -d ' ' -f 2 | sort -nuc
}
refuses_unknown_format() { refuses 69 'no format mjpeg (it has yu12' --format mjpeg "$VIDEO"; }
hdmi() { v4l2-ctl -d "$VIDEO" --set-input 1 && c dv_timings_signal_mode=0; }
no_signal_is_said() {
  hdmi
  grab --no-signal card "$VIDEO"
  c dv_timings_signal_mode=1
  eventually grab_says 'no signal'
  eventually grep -aq 'X-Signal: card' grab.mjpeg
  c dv_timings_signal_mode=0
  local before
  before=$(grep -ac 'X-Signal: card' grab.mjpeg)
  grabs_more 5
  # Cards end when frames come again.
  eventually test "$(($(grabs) - $(grep -ac 'X-Signal: card' grab.mjpeg)))" -ge "$((before > 0 ? 5 : 1))"
  grab_ends
  equals "$(grep -c 'no signal' grab.err) said" '1 said'
}
no_signal_at_start() {
  hdmi
  c dv_timings_signal_mode=1
  camgrab --no-signal none "$VIDEO" >grab.mjpeg 2>grab.err &
  GRAB=$!
  eventually grab_says 'no signal'
  equals "$(grabs) frames" '0 frames'
  c dv_timings_signal_mode=0
  eventually grabbed 2
  grab_ends
}
size_follows_signal() {
  hdmi
  v4l2-ctl -d "$VIDEO" --set-dv-bt-timings query
  grab "$VIDEO"
  local first
  first=$(grep -oE '[0-9]+x[0-9]+' grab.err | head -n 1)
  # Another entry of its list of timings.
  c dv_timings=1
  c dv_timings_signal_mode=4
  eventually several_sizes
  grabs_more 2
  grab_ends
  c dv_timings_signal_mode=0
}
several_sizes() { (($(grep -oE '[0-9]+x[0-9]+ at' grab.err | sort -u | wc -l) > 1)); }

load_vivid n_devs=1 node_types=0x1 num_inputs=2 input_types=0xc
check 'camgrab encodes each raw format to the same picture' formats_agree
check 'camgrab refuses a format that the camera has not, and names those that it has' refuses_unknown_format
check 'camgrab gives each frame the time at which the driver took it' times_are_the_drivers
check 'camgrab keeps the order with several threads' threads_keep_order
check 'camgrab goes on after a disconnect' goes_on_after 'No such device' c disconnect=1
check 'camgrab goes on after a driver is unbound and bound' unbound_and_bound
check 'camgrab goes on after a fatal error of the stream' goes_on_after 'Input/output error' c inject_fatal_streaming_error=1
check 'camgrab goes on after a buffer that cannot be queued' goes_on_after 'Invalid argument' c inject_vidioc_qbuf_error=1
check 'camgrab counts a buffer with the error flag' flagged_is_counted
check 'camgrab counts the gaps in the sequence' lost_is_counted
check 'camgrab says what fails at the start' fails_at_start
check 'camgrab says that there is no signal, shows a card, and goes on' no_signal_is_said
check 'camgrab waits for a signal that is not there at the start' no_signal_at_start
check 'camgrab follows a signal that changes its size' size_follows_signal
