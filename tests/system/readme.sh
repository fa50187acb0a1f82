#!/bin/bash
# Runs every shell command of README.md, in its order, in a scratch folder that has what the README speaks of:
# its own JSON as examples/keepgate.json (with a free port, its remote server and the provider of its pages moved to loopback).
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
tmp=$(mktemp -d)
passed=0 failed=0 up='' provider=''
trap 'kill $up $provider 2>/dev/null; wait 2>/dev/null; rm -rf "$tmp"' EXIT
export PATH=$root/${KEEPGATE_BUILD:-build}:$PATH
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

mkdir "$tmp/examples"
ln -s "$root/build" "$tmp/build"
ln -s "$root/policies" "$tmp/policies"
# A provider that takes every page.
python3 - "$tmp/provider" <<'END' &
import http.server, sys
class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Provider)
open(sys.argv[1], "w").write(str(server.server_port))
server.serve_forever()
END
provider=$!
for _ in $(seq 100); do
	[ -s "$tmp/provider" ] && break
	sleep 0.1
done
# Its pieces of JSON together are the whole of it.
python3 - "$tmp/examples/keepgate.json" <<END
import json, re, sys
whole = {}
for piece in re.findall(r'^\`\`\`json\n(.*?)^\`\`\`', open("README.md").read(), re.M | re.S):
    whole.update(json.loads(piece))
text = json.dumps(whole).replace("8931", "$port").replace("https://api.githubcopilot.com/mcp/", "http://127.0.0.1:9/mcp")
open(sys.argv[1], "w").write(text.replace("https://ntfy.sh", "http://127.0.0.1:$(cat "$tmp/provider")"))
END

ok() { passed=$((passed + 1)); echo "ok $1"; }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }

# make run, from the checkout itself: up to the line that it ends its work with, then Ctrl-C.
try_run() {
	local log=$tmp/run.log
	sed -e "s/8931/$port/" -e "s#\.\./build#$root/build#" examples/keepgate.json >"$tmp/run.json"
	KEEPGATE_STATE=$tmp/run-state KEEPGATE_CONFIG=$tmp/run.json setsid make --no-print-directory -C "$root" run >"$log" 2>&1 &
	local pid=$!
	for _ in $(seq 1200); do
		grep -q '^Up until Ctrl-C' "$log" && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	kill -INT -- -$pid 2>/dev/null
	wait $pid 2>/dev/null
	if grep -q '^Up until Ctrl-C' "$log" && grep -q 'wipe_notes' "$log" && grep -q 'claude mcp add' "$log"; then
		ok 'make run'
	else
		cat "$log"
		fail 'make run'
	fi
}

try_up() {
	(cd "$tmp" && exec $1) >"$tmp/up.log" 2>&1 &
	up=$!
	for _ in $(seq 300); do
		grep -q '^ready: ' "$tmp/up.log" && break
		sleep 0.1
	done
	if grep -q '^ready: ' "$tmp/up.log"; then ok "$1"; else cat "$tmp/up.log"; fail "$1"; fi
}

try() {
	if (cd "$tmp" && echo 'value-of-a-secret' | timeout 60 bash -c "$1") >"$tmp/out" 2>&1; then
		ok "$1"
	else
		cat "$tmp/out"
		fail "$1"
	fi
}

while read -r line; do
	# shellcheck disable=SC2001 # blanks before the comment, however many
	command=$(echo "$line" | sed 's/ \+#.*//')
	case $command in
	'') ;;
	'make run') try_run ;;
	'make check') ok 'make check (this is it)' ;;
	'keepgate up '*) try_up "$command" ;;
	*) try "$command" ;;
	esac
done < <(awk '/^```sh/ {on = 1; next} /^```/ {on = 0} on' README.md)

# What the README tells to put into clients is JSON, and names the endpoint and the header that work.
# shellcheck disable=SC2016 # these backquotes are Markdown's
for snippet in $(grep -o '`{"[a-zA-Z]*ervers": .*}`' README.md | tr -d '` '); do
	if echo "$snippet" | python3 -c 'import json, sys; c = json.load(sys.stdin); s = list(c.values())[0]["keepgate"]; assert s["url"].endswith(":8931/mcp") and s["headers"]["Authorization"].startswith("Bearer")'; then
		ok "a client's snippet"
	else
		fail "a client's snippet: $snippet"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
