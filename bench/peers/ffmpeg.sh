#!/bin/bash
# ffmpeg's own HTTP server: one viewer, and it ends with it. usage: ... | ffmpeg.sh PORT
exec ffmpeg -v error -nostdin -probesize 32 -analyzeduration 0 -f mpjpeg -i pipe:0 -c copy \
  -flush_packets 1 -f mpjpeg -listen 1 "http://127.0.0.1:$1/"
