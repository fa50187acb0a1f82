#!/bin/bash
# The audit log of a live tree: complete through kills, verified, exported, and a change in it found and named.
set -u
cd "$(dirname "$0")/../.." || exit 1
keepgate=$PWD/${KEEPGATE_BUILD:-build}/keepgate
tmp=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
up=
passed=0 failed=0
trap '[ -n "$up" ] && kill "$up" 2>/dev/null; wait 2>/dev/null; rm -rf "$tmp"' EXIT
export KEEPGATE_STATE=$tmp/state

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL $name"; fi
}
says() { grep -q -- "$1" "$2"; }

cat >"$tmp/keepgate.json" <<END
{ "listen": { "port": $port },
  "mcpServers": { "notes": { "command": "$(dirname "$keepgate")/notes",
    "tiers": { "list_notes": "read", "add_note": "write", "wipe_notes": "destructive" } } } }
END

start() {
	"$keepgate" up --config "$tmp/keepgate.json" --state "$tmp/state" >"$tmp/log" 2>&1 &
	up=$!
	for _ in $(seq 200); do
		says '^ready: ' "$tmp/log" && return
		sleep 0.05
	done
	cat "$tmp/log"
}
stop() {
	kill "$up"
	wait "$up" 2>/dev/null
	up=
}
pid_of() { # EXECUTABLE: the process below our own tree
	ps -eo pid,ppid,args | awk -v top="$up" -v name="$1" '
		{ parent[$1] = $2; args[$1] = $3 }
		END { for (p in args) if (args[p] == name && (parent[p] == top || parent[parent[p]] == top)) print p }'
}
kill_9() { # EXECUTABLE, as soon as it is there
	local pid=
	for _ in $(seq 100); do
		pid=$(pid_of "$1")
		[ -n "$pid" ] && break
		sleep 0.05
	done
	kill -9 "$pid"
}
call() { # TOOL [SECONDS]
	printf 'header = "Authorization: Bearer %s"\n' "$token" | curl -sS --max-time "${2:-10}" --config - \
		"http://127.0.0.1:$port/mcp" \
		-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
		-H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H "Mcp-Name: notes__$1" \
		--data '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"notes__'"$1"'","arguments":{},
			"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'
}
verified() { "$keepgate" audit verify >"$tmp/verify" 2>&1; }

start
token=$("$keepgate" consent grant --human ann@example.com --agent tester --tools 'notes/*' --tier write --for 1h \
	--why audit.sh --json | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')
call list_notes >"$tmp/out"
check 'an allowed call is answered' says '"isError":false' "$tmp/out"
call wipe_notes >"$tmp/out"
check 'a destructive call is refused' says "needs a person's approval" "$tmp/out"
"$keepgate" audit tail >"$tmp/tail"
check 'the grant is on record' says 'consent.grant .*tier=write' "$tmp/tail"
check 'the allowed call is on record with its end' says 'allow .*ann@example.com .*notes/list_notes .*-> ok in' "$tmp/tail"
check 'the refused call is on record with its reason' says 'deny .*notes/wipe_notes .*approval' "$tmp/tail"
check 'the log verifies' verified

# The recorder killed under load: no answered call is missing.
for i in 1 2 3 4 5; do
	for _ in $(seq 10); do
		call list_notes 5 >>"$tmp/answers" 2>/dev/null
		echo >>"$tmp/answers"
	done &
	load=$!
	sleep "0.$i"
	kill_9 guardiand-recorder
	wait $load
done
sleep 1
answered=$(grep -c '"isError":false' "$tmp/answers")
recorded=$("$keepgate" audit tail -n 100000 | grep -c 'notes/list_notes .*-> ok in')
check "$answered answered calls are on record ($recorded)" test "$recorded" -gt "$answered"
check 'some calls were answered' test "$answered" -gt 5
check 'the log verifies after the kills' verified

# A call whose broker is killed while the server works on it has an end that nobody knows.
upstream=$(pid_of gatewayd-upstream)
kill -STOP "$upstream"
call list_notes 3 >/dev/null 2>&1 &
load=$!
sleep 0.4
"$keepgate" audit tail -n 1 >"$tmp/tail"
check 'a call under way is open' says '-> open' "$tmp/tail"
kill_9 gatewayd-broker
wait $load
kill -CONT "$upstream"
sleep 0.5
"$keepgate" audit tail -n 100 >"$tmp/tail"
check 'its end is indeterminate' says 'notes/list_notes .*-> indeterminate' "$tmp/tail"

# Exports.
sleep 1.2
"$keepgate" audit export -o "$tmp/all.jsonl" 2>/dev/null
"$keepgate" audit export --from 3 --to 9 -o "$tmp/part.jsonl" 2>/dev/null
key=$(sed -n '$s/.*"vkey":"\([^"]*\)".*/\1/p' "$tmp/all.jsonl")
check 'an export verifies offline' "$keepgate" audit verify --file "$tmp/all.jsonl" --vkey "$key" >/dev/null
check 'a part of it verifies offline' "$keepgate" audit verify --file "$tmp/part.jsonl" --vkey "$key" >/dev/null
sed '4s/"decision":"allow"/"decision":"denyx"/;5s/"seq"/"sEq"/' "$tmp/part.jsonl" >"$tmp/forged.jsonl"
"$keepgate" audit verify --file "$tmp/forged.jsonl" --vkey "$key" >"$tmp/out"
check 'a forged export does not' test $? = 1
sed 3d "$tmp/part.jsonl" >"$tmp/forged.jsonl"
"$keepgate" audit verify --file "$tmp/forged.jsonl" --vkey "$key" >"$tmp/out"
check 'a missing record is named' says 'record 5 is missing' "$tmp/out"
check 'CSV has a row for each record' test "$("$keepgate" audit export --format csv | wc -l)" = "$(wc -l <"$tmp/all.jsonl")"
"$keepgate" audit export -o "$tmp/all.jsonl" 2>"$tmp/out"
check 'an export overwrites nothing' says 'name that is not taken' "$tmp/out"

# Somebody with the file in hand: the same length, another tool.
stop
seq=$(grep -m1 -n '"name":"wipe_notes"' "$tmp/all.jsonl" | cut -d: -f1)
check 'the log is found closed' test -s "$tmp/state/guardian/audit.db"
LC_ALL=C sed -i 's/"name":"wipe_notes"/"name":"list_notes"/' "$tmp/state/guardian/audit.db"
start
"$keepgate" audit verify >"$tmp/out" 2>&1
check 'verify fails' test $? = 1
check "the changed record ($seq) is named" says "record $seq has been changed" "$tmp/out"
stop

# A log that is older than what vaultd has signed is recorded on, but never signed.
cp "$tmp/state/guardian/audit.db" "$tmp/old.db"
start
call list_notes >/dev/null
sleep 1.5
stop
cp "$tmp/old.db" "$tmp/state/guardian/audit.db"
start
sleep 1.5
check 'a rolled back log is told' says 'rolled back' "$tmp/log"
"$keepgate" audit tail >"$tmp/tail"
check 'and on record' says 'violation .*rolled back' "$tmp/tail"
"$keepgate" audit verify >"$tmp/out" 2>&1
check 'and does not verify' test $? = 1
check 'for what vaultd has signed' says 'WRONG' "$tmp/out"
stop

echo "$passed passed, $failed failed"
[ $failed = 0 ]
