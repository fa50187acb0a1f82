#!/bin/bash
# As under systemd: each daemon under a user of its own, started apart. In a mount namespace, so that the users
# exist for this test alone. Needs root.
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	echo 'SKIP users.sh: needs root and mount namespaces'
	echo '0 passed, 0 failed, 1 skipped'
	exit 0
fi
if [ -z "${KEEPGATE_USERS_INSIDE:-}" ]; then
	KEEPGATE_USERS_INSIDE=1 exec unshare -m "$0"
fi

build=${KEEPGATE_BUILD:-build}
group=64170 vault=64171 guardian=64172 gateway=64173 stranger=64174
tmp=$(mktemp -d)
pids=
passed=0 failed=0
trap 'kill $pids 2>/dev/null; wait 2>/dev/null; umount /etc/passwd; rm -rf "$tmp"' EXIT

ok() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }
check() {
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then ok; else fail "$name"; fi
}
# as UID COMMAND...
as() {
	local uid=$1
	shift
	setpriv --reuid="$uid" --regid=$group --clear-groups "$@"
}
refused() { ! "$@"; }

chmod 0755 "$tmp"
cp /etc/passwd "$tmp/passwd"
for u in "vault $vault" "guardian $guardian" "gateway $gateway"; do
	echo "keepgate-${u% *}:x:${u#* }:$group::/:/usr/sbin/nologin" >>"$tmp/passwd"
done
chmod 0644 "$tmp/passwd"
mount --bind "$tmp/passwd" /etc/passwd || exit 1

# As StateDirectory= and tmpfiles.conf make them.
mkdir "$tmp/bin" "$tmp/state"
install -d -m 0700 -o $vault -g $group "$tmp/state/vault"
install -d -m 0700 -o $guardian -g $group "$tmp/state/guardian"
install -d -m 1770 -o 0 -g $group "$tmp/run"
cp "$build"/{keepgate,vaultd,guardiand,gatewayd,notes} "$build"/gatewayd-* "$build"/guardiand-* "$tmp/bin/"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$tmp/keepgate.json" <<END
{ "listen": { "port": $port },
  "users": { "vaultd": "keepgate-vault", "guardiand": "keepgate-guardian", "gatewayd": "keepgate-gateway" },
  "mcpServers": { "notes": { "command": "$tmp/bin/notes" } } }
END

start() { # UID PROGRAM
	setpriv --reuid="$1" --regid=$group --clear-groups "$tmp/bin/$2" --config "$tmp/keepgate.json" --state "$tmp/state" --run "$tmp/run" >>"$tmp/log" 2>&1 &
	pids="$pids $!"
}
status() { "$tmp/bin/keepgate" status --run "$tmp/run"; }
wait_ready() {
	for _ in $(seq 200); do
		status >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	cat "$tmp/log"
	return 1
}

start $vault vaultd
start $guardian guardiand
start $gateway gatewayd
check 'every process is ready' wait_ready
check 'the gateway lists the tools of its server' grep -q 'notes: connected' "$tmp/log"
check 'root may ask' "$tmp/bin/keepgate" consent list --run "$tmp/run"
check 'a stranger of the group may not' refused as $stranger "$tmp/bin/keepgate" consent list --run "$tmp/run"
check 'the gateway may not ask as an operator' refused as $gateway "$tmp/bin/keepgate" consent list --run "$tmp/run"
check 'the gateway may not read the vault' refused as $gateway cat "$tmp/state/vault/master.key"
check 'the guardian may not read the vault' refused as $guardian cat "$tmp/state/vault/master.key"
check 'the vault may not read the record' refused as $vault cat "$tmp/state/guardian/audit.db"
check 'a socket may not be taken from its owner' refused as $gateway mv "$tmp/run/vault-broker.sock" "$tmp/run/x"
check 'no refusal among our own' refused grep -q 'was refused' <(grep -v vault-admin "$tmp/log")

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
