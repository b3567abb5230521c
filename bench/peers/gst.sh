#!/bin/bash
# GStreamer as a server of multipart on a bare TCP port (no HTTP head). usage: ... | gst.sh PORT
#
# Why these settings (gst-inspect-1.0 tcpserversink, version 1.22):
# - multipartmux makes three buffers of a frame (head, JPEG, CRLF) and marks the last two as delta units. So its heads
#   are the keyframes, and only the *-keyframe ways to join and to recover keep a viewer's stream in one piece: after
#   recover-policy=latest a viewer may get a head without its JPEG.
# - buffers-soft-max=9: a viewer that is three frames behind goes on with the newest one.
# - buffers-max=90: one that is thirty behind all the same is closed, which no live viewer reaches.
# - sync=false async=false: send as frames come, and do not wait for the first one to open the port.
# - The kernel's send buffer (4 MB) lies behind all of that and cannot be set from here.
exec gst-launch-1.0 -q fdsrc fd=0 ! multipartdemux single-stream=true ! multipartmux boundary=frame ! \
  tcpserversink host=127.0.0.1 port="$1" sync=false async=false sync-method=latest-keyframe \
  recover-policy=keyframe buffers-soft-max=9 buffers-max=90
