#!/usr/bin/env bash
# A producer of pictures for tests and demonstrations: a video becomes numbered JPEG files in a directory.
set -euo pipefail

readonly NAME=${0##*/}

usage() {
  cat <<END
Write the frames of a video into a directory, as frame_000001.jpg, frame_000002.jpg and so on.

usage: $NAME INPUT.mp4 DIR [FPS] [--realtime] [--loop]

  INPUT.mp4    any file that ffmpeg reads; or 'testsrc': ffmpeg's own moving test picture,
               1280x720, ten seconds long, or endless with --loop
  DIR          where the files go; made if it is missing
  FPS          how many pictures for each second of video: above 0, at most 1000 [20]
  --realtime   write them at the pace of the video; otherwise as fast as possible
  --loop       begin again at the end of the video, and go on counting
  -h, --help   show this help and end

Each file is written under the name frame_NNNNNN.jpg.tmp and then renamed, so a file that ends in
.jpg is always whole. The numbers go on after the highest that DIR holds already: no file is
overwritten. SIGINT (Ctrl-C) and SIGTERM end it quietly.

exit status: 0 done or stopped; 64 wrong usage; 65 ffmpeg cannot read INPUT; 66 no INPUT;
             69 no ffmpeg; 73 DIR cannot be made or written to; 74 the disk is full

  $NAME clip.mp4 ./frames 20 --realtime --loop &
  dirwatch ./frames | mjpeg-serve
END
}

fail() {  # STATUS TEXT
  printf '%s: %s\n' "$NAME" "$2" >&2
  exit "$1"
}

# The highest number among the files of DIR, 0 when there is none.
highest_number() {
  local highest=0 file digits
  for file in "$1"/frame_*.jpg; do
    digits=${file##*/frame_}
    digits=${digits%.jpg}
    [[ $digits =~ ^[0-9]{1,15}$ ]] || continue
    ((10#$digits > highest)) && highest=$((10#$digits))
  done
  printf '%s\n' "$highest"
}

realtime=false
loop=false
words=()
options_end=false
for argument in "$@"; do
  if $options_end; then
    words+=("$argument")
    continue
  fi
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
    --realtime) realtime=true ;;
    --loop) loop=true ;;
    --) options_end=true ;;
    -?*) fail 64 "$argument: no such option (see $NAME --help)" ;;
    *) words+=("$argument") ;;
  esac
done
((${#words[@]} == 2 || ${#words[@]} == 3)) || fail 64 "wants INPUT.mp4 DIR [FPS] (see $NAME --help)"
readonly input=${words[0]} directory=${words[1]} fps=${words[2]:-20}
if ! [[ $fps =~ ^[0-9]{1,4}(\.[0-9]{1,6})?$ && $fps =~ [1-9] ]] || ((10#${fps%.*} > 1000)); then
  fail 64 "FPS '$fps' is no number above 0 and at most 1000"
fi
[[ -n $directory ]] || fail 64 "DIR is empty (see $NAME --help)"

command -v ffmpeg >/dev/null || fail 69 "ffmpeg is not installed (on Debian: apt install ffmpeg)"

source=()
$realtime && source+=(-re)
if [[ $input == testsrc ]]; then
  picture="testsrc2=size=1280x720:rate=$fps"
  $loop || picture+=":duration=10"
  source+=(-f lavfi -i "$picture")
else
  [[ -e $input ]] || fail 66 "$input: no such file ('testsrc' stands for ffmpeg's own test picture)"
  [[ -f $input && -r $input ]] || fail 66 "$input: not a file that can be read"
  $loop && source+=(-stream_loop -1)
  # As file:, since a name with a colon in it would be taken for a protocol.
  source+=(-i "file:$input")
fi

mkdir -p -- "$directory" 2>/dev/null || fail 73 "$directory: cannot be made"
[[ -w $directory && -x $directory ]] || fail 73 "$directory: cannot be written to"
next=$(($(highest_number "$directory") + 1))

# ffmpeg takes % in a path for a number's place.
pattern=${directory//%/%%}/frame_%06d.jpg

# Only the last of ffmpeg's words is kept: an endless run over a damaged clip must not fill the disk.
said=$(mktemp)
trap 'rm -f -- "$said"' EXIT
exec {words_fd}> >(tail -n 1 >"$said")
tail_pid=$!

stopped=false
ffmpeg_pid=
stop() {
  stopped=true
  [[ -z $ffmpeg_pid ]] || kill -TERM "$ffmpeg_pid" 2>/dev/null || true
}
trap stop INT TERM HUP
ffmpeg -nostdin -hide_banner -loglevel error "${source[@]}" -map 0:v:0 -vf "fps=$fps" -q:v 5 \
  -f image2 -atomic_writing 1 -start_number "$next" "file:$pattern" </dev/null >/dev/null 2>&"$words_fd" &
ffmpeg_pid=$!
exec {words_fd}>&-
$stopped && stop  # it came before there was anything to stop

status=0
wait "$ffmpeg_pid" || status=$?
if $stopped; then
  # A trap cuts the first wait short; this one is for the picture that ffmpeg has in hand.
  wait "$ffmpeg_pid" || true
  exit 0
fi
wait "$tail_pid" || true
((status == 0)) && exit 0
reason=$(<"$said")
reason=${reason#"file:$input: "}
# 255 and no words: ffmpeg was told to end, and we were not (SIGINT is ignored in a shell's background).
[[ $status -ne 255 || -n $reason ]] || exit 0
[[ $reason != *"No space left"* ]] || fail 74 "$directory: $reason"
fail 65 "$input: ${reason:-ffmpeg ended with status $status}"
