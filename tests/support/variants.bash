# shellcheck shell=bash
# Streams as the writers of this world make them: `variant NAME p1.jpg p2.jpg ...` writes one to standard output.
# What each stands for is in shared/facts/interop.md, section 4.

# The length of a JPEG's file.
length() { stat -c %s -- "$1"; }

# Writes JPEG with a segment in it that holds the picture THUMBNAIL, end marker and all, as cameras put it into EXIF.
with_thumbnail() { # JPEG THUMBNAIL
  local size
  size=$(($(length "$2") + 8))
  printf '\xff\xd8\xff\xe1'
  # shellcheck disable=SC2059 # the format is made of bytes
  printf "\\x$(printf %02x $((size / 256)))\\x$(printf %02x $((size % 256)))Exif\\x00\\x00"
  cat -- "$2"
  tail -c +3 -- "$1"
}

variant() {
  local name=$1 picture n=0
  shift
  case $name in # what comes once, in front
    blank_line_first) printf '\r\n' ;;
    preamble) printf 'This is a multipart message.\r\nNothing to see here.\r\n' ;;
    http_head) printf 'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n' ;;
    http_head_lf) printf 'HTTP/1.0 200 OK\nContent-Type: multipart/x-mixed-replace;boundary=frame\n\n' ;;
    announced_with_dashes) printf 'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--frame\r\n\r\n' ;;
    announced_quoted) printf 'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary="frame"\r\n\r\n' ;;
    announced_other) printf 'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=other\r\n\r\n' ;;
    not_announced) printf 'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n' ;;
    wrong_type) printf 'HTTP/1.1 200 OK\r\nContent-Type: text/html; boundary=frame\r\n\r\n' ;;
    ffmpeg) printf -- '--ffmpeg\r\n' ;;
    esp32) printf 'HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=123456789000000000000987654321\r\n\r\n' ;;
  esac
  for picture in "$@"; do
    n=$((n + 1))
    case $name in
      plain | blank_line_first | preamble | http_head | announced_* | not_announced | wrong_type | closing_at_end) part "$picture" ;;
      http_head_lf | lf_with_length)
        printf -- '--frame\nContent-Type: image/jpeg\nContent-Length: %d\n\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\n'
        ;;
      lf_without_length)
        printf -- '--frame\nContent-Type: image/jpeg\n\n'
        cat -- "$picture"
        printf '\n'
        ;;
      ffmpeg)
        printf 'Content-type: image/jpeg\r\nContent-length: %d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n--ffmpeg\r\n'
        ;;
      gstreamer)
        printf -- '--ThisRandomString\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n'
        ;;
      foscam)
        printf -- '--ipcamera\r\nContent-Type: image/jpeg\r\nContent-Length: %8d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n'
        ;;
      esp32)
        printf '\r\n--123456789000000000000987654321\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: 12.000000\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        ;;
      lower_case)
        printf -- '--frame\r\ncontent-length: %d\r\ncontent-type: image/jpeg\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n'
        ;;
      upper_case)
        printf -- '--frame\r\nCONTENT-TYPE:IMAGE/JPEG\r\nCONTENT-LENGTH:%d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n'
        ;;
      long_header) part "$picture" "X-Long: $(head -c 60000 /dev/zero | tr '\0' x)" ;;
      json_header) part "$picture" 'X-Detections: {"objects":[{"label":"a: \"b\" --frame","box":[1,2,3,4]}]}' ;;
      without_length)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\n\r\n'
        cat -- "$picture"
        printf '\r\n'
        ;;
      without_type)
        printf -- '--frame\r\nContent-Length: %d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n'
        ;;
      without_headers)
        printf -- '--frame\r\n\r\n'
        cat -- "$picture"
        printf '\r\n'
        ;;
      without_line)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        ;;
      without_line_and_length)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\n\r\n'
        cat -- "$picture"
        ;;
      without_first_boundary)
        [ "$n" = 1 ] || printf -- '--frame\r\n'
        printf 'Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n'
        ;;
      closing_as_separator)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(length "$picture")"
        cat -- "$picture"
        printf '\r\n--frame--\r\n'
        ;;
      only_closing_boundaries)
        [ "$n" = 1 ] && printf -- '--frame\r\n'
        printf 'Content-Type: image/jpeg\r\n\r\n'
        cat -- "$picture"
        printf '\r\n--frame--\r\n'
        ;;
      length_too_small)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(($(length "$picture") - 100))"
        cat -- "$picture"
        printf '\r\n'
        ;;
      length_too_large)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(($(length "$picture") + 1000))"
        cat -- "$picture"
        printf '\r\n'
        ;;
      length_zero)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n'
        cat -- "$picture"
        printf '\r\n'
        ;;
      length_no_number)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: many\r\n\r\n'
        cat -- "$picture"
        printf '\r\n'
        ;;
      bare) cat -- "$picture" ;;
      padded)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n' "$(($(length "$picture") + 64))"
        cat -- "$picture"
        head -c 64 /dev/zero
        printf '\r\n'
        ;;
      padded_without_length)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\n\r\n'
        cat -- "$picture"
        head -c 64 /dev/zero
        printf '\r\n'
        ;;
      other_types_between)
        printf -- '--frame\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello\r\n'
        part "$picture"
        printf -- '--frame\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n'
        ;;
      empty_parts_between)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n'
        part "$picture"
        ;;
      cut_off_between)
        printf -- '--frame\r\nContent-Type: image/jpeg\r\n\r\n'
        head -c 2000 -- "$picture"
        printf '\r\n'
        part "$picture"
        ;;
      *)
        echo "no variant $name" >&2
        return 1
        ;;
    esac
  done
  [ "$name" != closing_at_end ] || printf -- '--frame--\r\n'
}
