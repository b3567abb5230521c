#!/usr/bin/env bats
# What every tool says of itself.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run --separate-stderr

bats_require_minimum_version 1.5.0
load ../support/common

TOOLS=$(cd "$BATS_TEST_DIRNAME/../../tools" && echo */ | tr -d /)

setup() { set_up; }
teardown() { clean_up; }

@test "every tool names all its long options in --help, and ends with 0" {
  local tool option help
  for tool in $TOOLS; do
    run --separate-stderr "$tool" --help
    equals "$tool $status $stderr" "$tool 0 "
    help=$output
    "$tool" --completions list >options
    at_least "$(wc -l <options)" 8
    while read -r option; do
      grep -qE -- "(^|[ ,])$option([ =,]|\$)" <<<"$help" || fails "$tool --help does not name $option"
    done <options
  done
}

@test "every tool knows the options that all share" {
  local tool option
  for tool in $TOOLS; do
    for option in --help --version --verbose --quiet --log-format --config; do
      contains "$tool $("$tool" --completions list | xargs) " " $option "
    done
  done
}

@test "every tool that writes frames knows the options of the output" {
  local tool option
  for tool in camgrab dirwatch frame-convert frame-detect frame-play frame-rate frame-record; do
    for option in --output --every-frame --frames --trace; do
      contains "$tool $("$tool" --completions list | xargs) " " $option "
    done
  done
}

@test "every tool that reads frames knows the options of the input" {
  local tool option
  for tool in frame-convert frame-detect frame-publish frame-rate frame-record frame-stat mjpeg-serve webrtc-serve; do
    for option in --input --max-frame-bytes; do
      contains "$tool $("$tool" --completions list | xargs) " " $option "
    done
  done
}

@test "every tool prints its name and version with --version" {
  local tool
  for tool in $TOOLS; do
    run --separate-stderr "$tool" --version
    matches "$status $output" "^0 $tool \(framepipe\) [0-9]+\.[0-9]+"
  done
}

@test "every tool answers -h and -V, too" {
  local tool
  for tool in $TOOLS; do
    equals "$("$tool" -h)" "$("$tool" --help)"
    equals "$("$tool" -V)" "$("$tool" --version)"
  done
}

@test "every tool answers an option that it does not know with 64 and one line that names it" {
  local tool
  for tool in $TOOLS; do
    run --separate-stderr "$tool" --no-such-option
    equals "$tool $status $output ${#stderr_lines[@]}" "$tool 64  1"
    matches "$stderr" "^$tool: "
  done
}

@test "bash understands its completions" {
  local tool
  for tool in $TOOLS; do
    "$tool" --completions bash >completion
    bash -n completion
    if type shellcheck >/dev/null 2>&1; then shellcheck -s bash completion; fi
  done
}

@test "bash completes long options and choices" {
  dirwatch --completions bash >completion
  # shellcheck disable=SC1091 # made one line above
  source completion
  COMP_WORDS=(dirwatch --ord)
  COMP_CWORD=1
  _dirwatch
  equals "${COMPREPLY[*]}" "--order"
  COMP_WORDS=(dirwatch --order m)
  COMP_CWORD=2
  _dirwatch
  equals "${COMPREPLY[*]}" "mtime"
}

@test "zsh understands its completions" {
  type zsh >/dev/null 2>&1 || skip "zsh is not here"
  local tool
  for tool in $TOOLS; do
    "$tool" --completions zsh >completion
    zsh -n completion
  done
}

@test "fish understands its completions" {
  type fish >/dev/null 2>&1 || skip "fish is not here"
  local tool
  for tool in $TOOLS; do
    "$tool" --completions fish >completion
    HOME=$T XDG_CONFIG_HOME=$T fish -n completion
  done
}

@test "fish completes long options" {
  type fish >/dev/null 2>&1 || skip "fish is not here"
  mjpeg-serve --completions fish >completion
  run env HOME="$T" XDG_CONFIG_HOME="$T" fish -c 'source completion; complete -C "mjpeg-serve --allow-h"'
  contains "$output" "--allow-host"
}

@test "--completions with a shell that is none ends with 64" {
  run camgrab --completions csh
  equals "$status" 64
}

@test "--quiet says errors only" {
  make_pictures 1
  run --separate-stderr frame-rate --quiet --output none <pictures.mjpeg
  equals "$stderr" ""
}

@test "--log-format json writes messages as JSON" {
  make_pictures 1
  run --separate-stderr frame-rate --log-format json --output none <pictures.mjpeg
  equals "$(jq -r '.tool + " " + .level + " " + .message' <<<"$stderr")" "frame-rate info 1 seen, 1 passed, 0 dropped (0.0 %)"
}

@test "--log-format json writes the error that ends a tool as JSON, too" {
  run --separate-stderr dirwatch --log-format json NOSUCH
  equals "$status" 66
  equals "$(jq -r '.tool + " " + .level' <<<"$stderr")" "dirwatch error"
}
