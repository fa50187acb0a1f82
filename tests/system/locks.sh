#!/bin/bash
# The live tree: every process locked, restarted when killed, gone when keepgate up ends.
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
build=$root/${KEEPGATE_BUILD:-build}
tmp=$(mktemp -d)
up=
passed=0 failed=0
trap 'kill -9 $up 2>/dev/null; wait 2>/dev/null; rm -rf "$tmp"' EXIT

ok() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }
check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then ok; else fail "$name"; fi
}

# config NAME PORT [JSON-MEMBERS-OF-TOP]: the example with another port; the server leaves a process outside its group.
config() {
	cat >"$tmp/server.sh" <<-END
		setsid bash -c 'exec -a $tmp/stray sleep 600' </dev/null >/dev/null 2>&1 &
		exec $build/notes
	END
	cat >"$tmp/$1.json" <<-END
		{ ${3:-} "listen": { "port": $2 },
		  "mcpServers": { "notes": { "command": "bash", "args": ["$tmp/server.sh"],
		    "sandbox": { "read": ["$build/notes"${4:-}] },
		    "tiers": { "list_notes": "read" } } } }
	END
}

# begin NAME: keepgate up with that configuration, until it says that it is ready or ends.
begin() {
	"$build/keepgate" up --config "$tmp/$1.json" --state "$tmp/state" >"$tmp/log" 2>&1 &
	up=$!
	for _ in $(seq 200); do
		grep -q '^ready: ' "$tmp/log" && return 0
		kill -0 $up 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

status() { "$build/keepgate" status --state "$tmp/state"; }
# The name and process id of each of ours.
processes() { status | awk 'NR > 1 && /ready/ {for (i = 2; i <= NF; i++) if ($i ~ /^[0-9]+$/ && $i > 100) {print $1, $i; break}}'; }
pid_of() { processes | awk -v n="$1" '$1 == n {print $2; exit}'; }

wait_ready() {
	for _ in $(seq 100); do
		status >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

# Nothing that names this path runs any more, within ten seconds.
none_of() {
	for _ in $(seq 100); do
		pgrep -f "$1" >/dev/null || return 0
		sleep 0.1
	done
	pgrep -fa "$1"
	return 1
}
all_gone() { none_of "$tmp"; }

# The processes that the server left outside its group.
strays() { pgrep -f "^$tmp/stray" >/dev/null; }
end_strays() { for pid in $(pgrep -f "^$tmp/stray"); do kill -9 "$pid"; done; }

field() { awk -v f="$2:" '$1 == f {print $2}' "/proc/$1/status"; }
has() { [ "$(field "$1" "$2")" = "$3" ]; }
no_core() { grep -Eq '^Max core file size +0 +0 ' "/proc/$1/limits"; }
# A process that is not dumpable shows itself to root alone.
closed_to_its_user() { [ "$(id -u)" = 0 ] || ! cat "/proc/$1/environ" >/dev/null 2>&1; }
no_foreign_environment() { ! tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | grep -vE '^(PATH|HOME|LANG|TMPDIR|ASAN_OPTIONS|UBSAN_OPTIONS)=' | grep -q .; }
no_writable_code() { ! grep -qsE '^[0-9a-f-]+ .wx' "/proc/$1/maps"; }
# Of regular files a role holds only what it keeps: databases; the rest are sockets and its loop.
files_of() { for fd in /proc/"$1"/fd/*; do readlink "$fd" 2>/dev/null; done | grep -E '^/' | grep -vE '^/dev/null$|/log$'; }

check_locks() {
	local name pid
	while read -r name pid; do
		check "$name: seccomp" has "$pid" Seccomp 2
		check "$name: no_new_privs" has "$pid" NoNewPrivs 1
		for set in CapEff CapPrm CapInh CapAmb; do
			check "$name: $set" has "$pid" $set 0000000000000000
		done
		check "$name: no core" no_core "$pid"
		check "$name: not dumpable" closed_to_its_user "$pid"
		check "$name: environment" no_foreign_environment "$pid"
		check "$name: writable code" no_writable_code "$pid"
		case $name in
		vaultd | guardiand-recorder) ;;
		*) check "$name: holds files: $(files_of "$pid" | tr '\n' ' ')" test -z "$(files_of "$pid")" ;;
		esac
	done <<-END
		$(processes)
	END
	check 'eight processes' test "$(processes | wc -l)" = 8
}

# Each is killed and comes back; the others go on.
check_restarts() {
	local name old
	for name in gatewayd-front gatewayd-broker gatewayd-upstream guardiand-recorder vaultd; do
		old=$(pid_of $name)
		[ -n "$old" ] || { fail "$name is not there"; continue; }
		kill -9 "$old"
		while kill -0 "$old" 2>/dev/null; do sleep 0.05; done
		check "$name comes back" wait_ready
		check "$name is another process" test "$(pid_of $name)" != "$old"
	done
}

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
config good "$port"
if begin good; then ok; else cat "$tmp/log"; fail 'up'; fi
check_locks
check 'the stray process runs' strays
check_restarts
kill -INT $up
wait $up
check 'ends with 0' test $? = 0
check 'no process stays' all_gone

if begin good; then ok; else fail 'up again'; fi
kill -9 $up
wait $up 2>/dev/null
check 'no daemon outlives a killed keepgate up' none_of "$tmp/state"
end_strays

config floor "$port" '"min_landlock_abi": 16,'
begin floor
wait $up
check 'the floor stops it' test $? = 71
check 'and says so' grep -q 'min_landlock_abi' "$tmp/log"

config reach "$port" '' ", \"$tmp/state\""
begin reach
wait $up
check 'a sandbox over our state stops it' test $? = 78
check 'and says so' grep -q 'its sandbox reaches' "$tmp/log"
check 'no process stays at the end' all_gone

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
