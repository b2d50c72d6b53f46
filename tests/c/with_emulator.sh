#!/bin/sh
# Runs a program in a folder of its own, with an emulator of its own, and takes both away afterwards:
#
#     with_emulator.sh GPTIMAGE PROGRAM [ARGUMENT...]
#
# GPTIMAGE is the path of the gptimage command. The program finds the emulator in AIMLAPI_BASE_URL.
set -eu

gptimage=$1
shift
folder=$(mktemp -d)
mkdir "$folder/work"
mkfifo "$folder/url"
"$gptimage" emulator --port 0 > "$folder/url" &
emulator=$!
trap 'kill "$emulator" 2> /dev/null || true; wait "$emulator" || true; rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# Open until the end, for the emulator may have more to say.
exec 3< "$folder/url"
read -r AIMLAPI_BASE_URL <&3
cd "$folder/work"
export AIMLAPI_BASE_URL AIMLAPI_KEY=sk-test TMPDIR="$folder/work"
"$@"
