#!/bin/sh
# Every step of models/run_full.sh in minutes, on a kit of a minute: does the way still hold?
# What it makes understands next to nothing. Everything goes to $OUT (build/small).
set -eu
cd "$(dirname "$0")/.."

: "${OUT:=build/small}"
: "${PYTHON:=.venv/bin/python}"
export OUT PYTHON

rm -rf "$OUT"
mkdir -p "$OUT"
"$PYTHON" -m models.tiny_kit --audio tests/audio --out "$OUT/kit"

export KIT="$OUT/kit" BUNDLE="$OUT/bundle" ROOMS=1 HOURS=0
export RECIPE=models/recipe_small.toml DEEP=models/recipe_small_deep.toml
export LONG=
export MWER=models/recipe_small_mwer.toml ATTENTION=models/recipe_small_attention.toml
export ALIGN="--least -99"
export LM="--megabytes 0.1 --least 60" G2P="--steps 25" SPELL=1 P2G="--steps 25" NLU="--bytes 20000"
export ENDING="--steps 10" CADENCE="--examples 48 --steps 10" FUSION="--count 2 --conditions quiet"
export TUNE="--count 6 --seconds 20" EVALUATE="--count 6 --phones"
export NEURAL="--steps 30 --hidden 32" RESCORER="$OUT/rescorer" RESCORE="--count 6"
sh models/run_full.sh
"$PYTHON" -m earshot transcribe --bundle "$BUNDLE" tests/audio/*.flac
