#!/bin/sh
# The main job on a real model: Llama-3-70B at its true size, on a machine where the host link
# is the limit (h100-sxm) and on one where compute is (gh200).
set -eu
cd "$(dirname "$0")/.."
mirc=".venv/bin/mirc"
mkdir -p out

run() {
    printf '\n$ mirc %s\n' "$*"
    "$mirc" "$@"
}

run compile preset:llama3-70b --machine h100-sxm --machine gh200 -o out/llama3-70b.mir
run check out/llama3-70b.mir
run simulate out/llama3-70b.mir --machine h100-sxm --machine gh200 --schedule 'REPEAT(64, decode_step)'
