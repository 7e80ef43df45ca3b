#!/bin/sh
# The reference run: data → network → export → texts → tuning → evaluation → bundle.
#
#   KIT=…/data models/run_full.sh
#
# A step that is done is not done again (its mark lies in $OUT/done; delete it to repeat the step);
# the training goes on from its checkpoint. Two cores and 6 GB are enough; on two cores it takes
# about three hours, of which all but twenty minutes are training. models/run_small.sh is the same
# in minutes, with other values for what follows.
set -eu
cd "$(dirname "$0")/.."

: "${KIT:?the folder of the data kit}"
: "${OUT:=build}"                       # what is made on the way
: "${BUNDLE:=models/bundles/en}"        # what comes out
: "${PYTHON:=.venv/bin/python}"
: "${RECIPE:=models/recipe.toml}"
: "${PROCESSES:=2}"                     # of the training, one thread each; 1 on a GPU
: "${ROOMS:=3}"                         # spoilt versions of every recording
: "${LM:=--megabytes 7.5 --share 0.6 --least 60}"
: "${G2P:=}"
: "${TUNE:=--count 60 --seconds 300}"
: "${EVALUATE:=--phones}"
export OMP_NUM_THREADS=1
export PYTHONUNBUFFERED=1

mkdir -p "$OUT/done"

# step NAME COMMAND…: run the command unless it was done before.
step() {
	name=$1
	shift
	if [ -e "$OUT/done/$name" ]; then
		echo "$name: done before"
		return
	fi
	echo "$name: $*"
	"$@"
	touch "$OUT/done/$name"
}

# tool MODULE OPTIONS…
tool() {
	module=$1
	shift
	"$PYTHON" -m "models.$module" "$@"
}

train() {
	"$PYTHON" -m torch.distributed.run --standalone --nproc-per-node "$PROCESSES" \
		-m models.train --config "$RECIPE" --cache "$OUT/cache" --out "$OUT/run"
}

pack() {
	tool bundle --network "$OUT/export" --lexicon "$OUT/lexicon" --lm "$OUT/lm/words.lm" \
		--g2p "$OUT/g2p.onnx" --out "$BUNDLE"
}

# Options are lists of words, so they are not quoted.
# shellcheck disable=SC2086
{
	step prepare tool prepare --kit "$KIT" --out "$OUT/cache" --rooms "$ROOMS"
	step lm tool lm --kit "$KIT" --out "$OUT/lm" $LM
	step g2p tool g2p --kit "$KIT" --out "$OUT/g2p.onnx" $G2P
	step lexicon tool lexicon --kit "$KIT" --words "$OUT/lm/words.txt" --g2p "$OUT/g2p.onnx" \
		--out "$OUT/lexicon"
	step train train
	step export tool export --run "$OUT/run" --out "$OUT/export"
	step pack pack
	step tune tool tune --kit "$KIT" --bundle "$BUNDLE" --out "$OUT/tuning.toml" \
		--jobs "$PROCESSES" $TUNE
	step tuned tool bundle --update "$BUNDLE" --tuning "$OUT/tuning.toml"
	step evaluate tool evaluate --kit "$KIT" --bundle "$BUNDLE" --json "$OUT/measured.json" \
		--jobs "$PROCESSES" $EVALUATE
	step measured tool bundle --update "$BUNDLE" --measured "$OUT/measured.json"
}
