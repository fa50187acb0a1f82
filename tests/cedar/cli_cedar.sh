#!/bin/sh
# `keepgate policy` by hand: exit status and what it prints. Usage: cli_cedar.sh CLI
# shellcheck disable=SC2016 # these backquotes are the messages'
set -u
cli=$1
passed=0 failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT INT TERM

# expect NAME STATUS TEXT COMMAND...: the status, and TEXT in the output.
expect() {
	name=$1 status=$2 text=$3
	shift 3
	out=$("$@" 2>&1)
	got=$?
	if [ "$got" -eq "$status" ] && printf '%s' "$out" | grep -qF -- "$text"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $name: status $got: $out" >&2
	fi
}

cat > "$dir/a.cedarschema" <<'END'
entity User; entity Doc = { size: Long };
action view appliesTo { principal: User, resource: Doc, context: { n: Long } };
END
cat > "$dir/a.cedar" <<'END'
@id("small")
permit (principal, action, resource) when {
  context.n < 5 &&
  resource.size < 10
};
END
echo '[{"uid":{"type":"Doc","id":"d"},"attrs":{"size":20},"parents":[]}]' > "$dir/entities.json"
eval_it() {
	"$cli" eval --dir "$dir" --principal 'User::"u"' --action 'Action::"view"' --resource "$1" --context "$2"
}

expect help 0 "usage:" "$cli" --help
expect unknown 64 "there is no command" "$cli" nonsense
expect valid 0 "1 policies, 0 templates: valid" "$cli" check "$dir"
expect explained 1 'a.cedar:4:3: resource.size < 10' eval_it 'Doc::"d"' '{"n": 1}'
expect missing 1 'the entity is not stored' eval_it 'Doc::"x"' '{"n": 1}'
expect context 64 '--context:1:' eval_it 'Doc::"d"' '{"n": "1"}'
echo '[{"uid":{"type":"Doc","id":"d"},"attrs":{"size":2},"parents":[]}]' > "$dir/entities.json"
expect allowed 0 'because of: "small" at' eval_it 'Doc::"d"' '{"n": 1}'
echo '{"principal":{"type":"User","id":"u"},"action":{"type":"Action","id":"view"},"resource":{"type":"Doc","id":"d"},"context":{"n":9}}' > "$dir/request"
expect request 1 'a.cedar:3:3: context.n < 5' "$cli" eval --dir "$dir" --request "$dir/request"
expect format 0 'permit (principal, action, resource)' "$cli" format "$dir/a.cedar"
echo 'permit(principal, action, resource) when { context.m };' > "$dir/b.cedar"
expect invalid 1 'b.cedar:1:44: policy "policy1": attribute `m` is not declared' "$cli" check "$dir"
echo 'permit(principal, action);' > "$dir/b.cedar"
expect syntax 1 'b.cedar:1:25: expected `,` after the action' "$cli" check "$dir"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
