#!/bin/bash
# No executable holds another's code: symbols by nm, libraries by objdump. Needs make all.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${KEEPGATE_BUILD:-build}
passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

roles='gatewayd gatewayd-front gatewayd-broker gatewayd-upstream gatewayd-authzen gatewayd-opal gatewayd-pdp vaultd guardiand guardiand-recorder guardiand-pager keepgate'

ok() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL $1"; }

# The functions that a folder defines for others to call; those that each executable holds; what it takes from libraries.
for r in $roles; do
	nm --defined-only --extern-only "$build/lib/$r.a" 2>/dev/null | awk '$2 == "T" {print $3}' | sort -u >"$tmp/own-$r"
	nm --defined-only --extern-only "$build/$r" | awk '$2 == "T" {print $3}' | sort -u >"$tmp/in-$r"
	nm -D --undefined-only "$build/$r" | awk '{print $2}' | sed 's/@.*//' | sort -u >"$tmp/from-$r"
	objdump -p "$build/$r" | awk '$1 == "NEEDED" {print $2}' >"$tmp/libs-$r"
done

# A name that two folders use for a function each says nothing.
for r in $roles; do
	for other in $roles; do
		[ "$r" = "$other" ] && continue
		foreign=$(comm -23 "$tmp/own-$other" "$tmp/own-$r" | comm -12 - "$tmp/in-$r")
		if [ -s "$tmp/own-$other" ] && [ -z "$foreign" ]; then
			ok
		else
			fail "$r holds code of $other: $(echo "$foreign" | head -n 5 | tr '\n' ' ')"
		fi
	done
done

# only WHAT FILE-KIND PATTERN ROLE...: the pattern stands in these executables and in no other.
only() {
	local what=$1 kind=$2 pattern=$3 found
	shift 3
	for r in $roles; do
		found=$(grep -xE "$pattern" "$tmp/$kind-$r" | head -n 3 | tr '\n' ' ')
		case " $* " in
		*" $r "*) if [ -n "$found" ]; then ok; else fail "$r should have $what"; fi ;;
		*) if [ -z "$found" ]; then ok; else fail "$r has $what: $found"; fi ;;
		esac
	done
}

only 'libcurl' libs 'libcurl.*' gatewayd-upstream gatewayd-pdp guardiand-pager
only 'SQLite' libs 'libsqlite3.*' vaultd guardiand-recorder
only 'PCRE2' libs 'libpcre2-8.*' gatewayd-broker keepgate
only 'libyaml' libs 'libyaml.*' guardiand-recorder keepgate
only 'execution of programs' from 'exec.*|posix_spawn.*|system|popen|fexecve' gatewayd guardiand gatewayd-upstream keepgate
only 'HTTP' in 'http1_.*' gatewayd-front gatewayd-authzen gatewayd-opal
only 'sealed credentials' in 'credentials_(open|seal)' vaultd gatewayd-upstream gatewayd-pdp guardiand-pager
only 'the master key' in 'master_.*' vaultd
# keepgate signs sets of policies with an operator's own key (keepgate policy sign), and holds none of Keepgate's; the
# pager signs webhooks with a channel's.
only 'signing' from 'crypto_sign_(ed25519_)?detached' vaultd keepgate guardiand-pager
only 'dynamic loading' from 'dlopen|dlsym'

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
