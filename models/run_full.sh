#!/bin/sh
# The reference run: data → network → spoken data, better alignments → deeper network → longer
# training → export → texts → tuning → fewer word errors in what the search makes of it all →
# attention to names → end-pointers → what is meant → evaluation → bundle → re-ranker.
#
#   KIT=…/data models/run_full.sh
#   KIT=…/data PROCESSES=1 DEEP=models/recipe_gpu.toml models/run_full.sh    # with a GPU
#
# A step that is done is not done again (its mark lies in $OUT/done; delete it to repeat the step);
# a training goes on from its checkpoint. Two cores and 6 GB are enough; on two cores the three
# trainings take two hours each at most, on a GPU minutes, and all the rest two hours.
# models/run_small.sh is the same in minutes, with other values for what follows.
set -eu
cd "$(dirname "$0")/.."

: "${KIT:?the folder of the data kit}"
: "${OUT:=build}"                       # what is made on the way
: "${BUNDLE:=models/bundles/en}"        # what comes out
: "${PYTHON:=.venv/bin/python}"
: "${RECIPE:=models/recipe.toml}"
: "${DEEP:=models/recipe_deep.toml}"    # of the second training; recipe_gpu.toml on a GPU
: "${LONG=models/recipe_long.toml}"     # of the third, which goes on from the second; empty: none
: "${MWER:=models/recipe_mwer.toml}"    # of the discriminative end
: "${ATTENTION:=models/recipe_attention.toml}" # of the adapter that attends to names
: "${PROCESSES:=2}"                     # of a training, one thread each; 1 on a GPU
: "${JOBS:=2}"                          # processes of the other steps
: "${ROOMS:=4}"                         # spoilt versions of every recording
: "${HOURS:=9}"                         # spoken by machine; 0 needs no programs that speak
: "${ALIGN:=}"
: "${LM:=--megabytes 7.5 --least 60}"
: "${G2P:=}"
: "${SPELL:=}"                          # 1: words outside the lexicon are spelt
: "${P2G:=}"
: "${NLU:=}"
: "${ENDING:=}"
: "${CADENCE:=}"
: "${FUSION:=--count 50}"
: "${TUNE:=--count 60 --seconds 300}"
: "${EVALUATE:=--phones}"
: "${NEURAL:=--steps 16000}"
: "${RESCORER:=models/rescorers/en}"    # what a re-ranker of lattices ranks with
: "${RESCORE:=}"
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

# train MODULE OUT RECIPE CACHE OPTIONS…
train() {
	module=$1 out=$2 recipe=$3 cache=$4
	shift 4
	"$PYTHON" -m torch.distributed.run --standalone --nproc-per-node "$PROCESSES" \
		-m "models.$module" --config "$recipe" --cache "$cache" --out "$out" "$@"
}

# align KIT OPTIONS…: by the first network, which also chooses among pronunciations.
align() {
	kit=$1
	shift
	tool align --kit "$kit" --out "$OUT/aligned" --network "$OUT/first.pt" \
		--g2p "$OUT/g2p.onnx" --jobs "$JOBS" $ALIGN "$@"
}

pack() {
	tool bundle --network "$OUT/export" --lexicon "$OUT/lexicon" --lm "$OUT/lm/words.lm" \
		--g2p "$OUT/g2p.onnx" --add $speller $ends "$OUT/nlu/nlu.bin" --out "$BUNDLE"
}

# Options are lists of words, so they are not quoted.
# shellcheck disable=SC2086
{
	step g2p tool g2p --kit "$KIT" --out "$OUT/g2p.onnx" $G2P
	step prepare tool prepare --kit "$KIT" --out "$OUT/cache" --rooms "$ROOMS"
	step first train train "$OUT/first" "$RECIPE" "$OUT/cache"
	step kept tool export --run "$OUT/first" --out "$OUT/first/export" --keep "$OUT/first.pt"
	step align align "$KIT"
	more=
	if [ "$HOURS" != 0 ]; then
		step speak tool speak --kit "$KIT" --out "$OUT/spoken" --hours "$HOURS" --jobs "$JOBS"
		step align_spoken align "$OUT/spoken" --lexicon-kit "$KIT"
		more="--more $OUT/spoken"
	fi
	step prepare_again tool prepare --kit "$KIT" --out "$OUT/cache2" --rooms "$ROOMS" \
		--align "$OUT/aligned" $more
	step deep train train "$OUT/deep" "$DEEP" "$OUT/cache2" --weights "$OUT/first.pt"
	last=deep
	if [ "$LONG" ]; then
		step kept_deep tool export --run "$OUT/deep" --out "$OUT/deep/export" \
			--keep "$OUT/deep.pt"
		step long train train "$OUT/long" "$LONG" "$OUT/cache2" --weights "$OUT/deep.pt"
		last=long
	fi
	step export tool export --run "$OUT/$last" --out "$OUT/export" --keep "$OUT/$last.pt"
	step lm tool lm --kit "$KIT" --out "$OUT/lm" $LM
	step lexicon tool lexicon --kit "$KIT" --words "$OUT/lm/words.txt" --g2p "$OUT/g2p.onnx" \
		--align "$OUT/aligned" --out "$OUT/lexicon"
	speller= ends=
	if [ "$SPELL" ]; then
		step p2g tool p2g --kit "$KIT" --out "$OUT/p2g.onnx" $P2G
		speller="$OUT/p2g.onnx"
	fi
	step nlu tool nlu --kit "$KIT" --out "$OUT/nlu" $NLU
	step pack pack
	step tune tool tune --kit "$KIT" --bundle "$BUNDLE" --out "$OUT/tuning.toml" --jobs "$JOBS" $TUNE
	step tuned tool bundle --update "$BUNDLE" --tuning "$OUT/tuning.toml"
	step mwer train mwer "$OUT/mwer" "$MWER" "$OUT/cache2" --weights "$OUT/$last.pt" \
		--bundle "$BUNDLE"
	step export_again tool export --run "$OUT/mwer" --out "$OUT/export" --keep "$OUT/mwer.pt"
	step attention train attention "$OUT/attention" "$ATTENTION" "$OUT/cache2" \
		--weights "$OUT/mwer.pt"
	step export_attention tool export_attention --run "$OUT/attention" --weights "$OUT/mwer.pt" \
		--out "$OUT/export" --keep "$OUT/attention.pt"
	step ending tool ending --cache "$OUT/cache2" --out "$OUT/ending.onnx" $ENDING
	step cadence tool cadence --cache "$OUT/cache2" --weights "$OUT/mwer.pt" \
		--out "$OUT/cadence.onnx" $CADENCE
	ends="$OUT/ending.onnx $OUT/cadence.onnx"
	step pack_again pack
	step tuned_again tool bundle --update "$BUNDLE" --tuning "$OUT/tuning.toml"
	step fusion tool fusion --kit "$KIT" --bundle "$BUNDLE" --out "$OUT/fusion.toml" \
		--jobs "$JOBS" $FUSION
	step fused tool bundle --update "$BUNDLE" --tuning "$OUT/tuning.toml" "$OUT/fusion.toml"
	if [ "$HOURS" != 0 ]; then
		step directed tool directed --kit "$KIT" --bundle "$BUNDLE" --nlu "$OUT/nlu" \
			--out "$OUT/directed" --json "$OUT/directed.json"
		step tuned_directed tool bundle --update "$BUNDLE" \
			--tuning "$BUNDLE/bundle.toml" "$OUT/directed/directed.toml"
	fi
	step evaluate tool evaluate --kit "$KIT" --bundle "$BUNDLE" --json "$OUT/measured.json" \
		--jobs "$JOBS" $EVALUATE
	step measured tool bundle --update "$BUNDLE" --measured "$OUT/measured.json"
	step neural_lm tool neural_lm --kit "$KIT" --lm "$OUT/lm/words.lm" --out "$OUT/neural_lm" $NEURAL
	step rescorer tool rescorer --run "$OUT/neural_lm" --out "$RESCORER"
	step rescore tool rescore --kit "$KIT" --bundle "$BUNDLE" --rescorer "$RESCORER" \
		--out "$OUT/rescore" --json "$OUT/rescore.json" --jobs "$JOBS" $RESCORE
	step rescored tool rescorer --weights "$OUT/rescore/weights.toml" --out "$RESCORER"
}
