// Roles in an attacker's hands, inside a running Keepgate; and secrets searched for where they must not be.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Keepgate, Program, assert, build, equal, freePort, main, node, root, test, until } from '../e2e/harness.mjs';

const ATTACKS_MS = 180000;
const notes = () => ({ command: path.join(build, 'notes'), tiers: { list_notes: 'read', add_note: 'write', wipe_notes: 'destructive' } });

// A copy of the executables in which one role is the attacker's.
function takenOver(role, program) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-hostile-'));
  for (const name of ['keepgate', 'gatewayd', 'gatewayd-front', 'gatewayd-broker', 'gatewayd-upstream', 'gatewayd-authzen', 'gatewayd-pdp', 'vaultd', 'guardiand', 'guardiand-recorder', 'guardiand-pager'])
    fs.copyFileSync(path.join(build, name === role ? `tests/hostile/${program}` : name), path.join(dir, name));
  return dir;
}

for (const [role, program] of [['gatewayd-front', 'front'], ['gatewayd-broker', 'broker']]) {
  test(`${role} in an attacker's hands`, async () => {
    const bin = takenOver(role, program);
    process.env.TMPDIR = bin;
    const keepgate = new Keepgate({ notes: notes(), other: notes() }, { listen: { fronts: 1 } });
    keepgate.bin = bin;
    await keepgate.start();
    // The guardian would contain it after its first attack: here each wall is met by itself.
    keepgate.cli(['guardian', 'break-glass', '--for', '1h', '--why', 'a role in strange hands']);
    const { token } = keepgate.grant('notes/*');
    fs.writeFileSync(path.join(bin, 'token.new'), `${token}\n`);
    fs.renameSync(path.join(bin, 'token.new'), path.join(bin, 'token'));
    if (program === 'broker') {
      const asked = await until('its question for an approval', () => /^hostile: approve ([0-9a-f]{32})$/m.exec(keepgate.up.output), ATTACKS_MS);
      keepgate.cli(['approvals', 'approve', asked[1]]);
      fs.writeFileSync(path.join(bin, 'approved.new'), 'yes\n');
      fs.renameSync(path.join(bin, 'approved.new'), path.join(bin, 'approved'));
      await until('its wait for a seal', () => /^hostile: seal$/m.test(keepgate.up.output), ATTACKS_MS);
      keepgate.cli(['vault', 'seal', '--why', 'a broker in strange hands']);
      fs.writeFileSync(path.join(bin, 'sealed.new'), 'yes\n');
      fs.renameSync(path.join(bin, 'sealed.new'), path.join(bin, 'sealed'));
    }
    const tally = await until('the attacks', () => /^hostile: (\d+) passed, (\d+) failed$/m.exec(keepgate.up.output), ATTACKS_MS);
    const text = keepgate.up.output.split('\n').filter((l) => l.startsWith('hostile: ')).join('\n');
    const events = keepgate.audit();
    keepgate.cli(['audit', 'verify']);
    await keepgate.stop();
    delete process.env.TMPDIR;
    fs.rmSync(bin, { recursive: true });
    console.log(text.replace(/^/gm, '  '));
    equal(Number(tally[2]), 0, 'attacks that succeeded');
    assert(Number(tally[1]) > 8, `only ${tally[1]} attacks were tried`);
    if (program === 'broker')
      assert(events.some((e) => e.kind === 'violation'), 'no violation is on record');
  });
}

// The places of needle in what a process has mapped and may read.
function inMemory(pid, needle) {
  const found = [];
  const mem = fs.openSync(`/proc/${pid}/mem`, 'r');
  for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const m = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (!m || m[3] === '[vvar]' || m[3] === '[vsyscall]') continue;
    const [from, to] = [parseInt(m[1], 16), parseInt(m[2], 16)];
    if (to - from > 512 << 20) continue;
    const bytes = Buffer.alloc(to - from);
    try {
      const n = fs.readSync(mem, bytes, 0, bytes.length, from);
      if (bytes.subarray(0, n).includes(needle)) found.push(m[3] || 'anonymous');
    } catch (e) {
      if (e.code !== 'EIO' && e.code !== 'EFAULT') throw e;
    }
  }
  fs.closeSync(mem);
  return found;
}

test('planted secrets are in no memory map and no file of a role that must not have them', async () => {
  if (process.getuid() !== 0) {
    console.log('  memory is not searched: reading another process needs root');
  }
  const httpSecret = Buffer.from(`planted-http-${Math.random().toString(36).slice(2)}-secret`);
  const envSecret = Buffer.from(`planted-env-${Math.random().toString(36).slice(2)}-secret`);
  const port = await freePort();
  const server = await new Program(node, [path.join(root, 'tests/e2e/modern_server.mjs'), String(port), httpSecret.toString()]).listening(port);
  const keepgate = await new Keepgate({
    web: { url: `http://127.0.0.1:${port}/mcp`, headers: { Authorization: 'Bearer ${secret:web-token}' }, tiers: { '*': 'read' } },
    notes: { ...notes(), env: { NOTES_TOKEN: '${secret:notes-token}' } },
  }).start({ secrets: [{ name: 'web-token', server: 'web', kind: 'bearer', value: httpSecret }, { name: 'notes-token', server: 'notes', kind: 'env', slot: 'NOTES_TOKEN', value: envSecret }] });
  const { token } = keepgate.grant('*/*');
  await keepgate.ready(token, 'web', 'notes');
  const { send } = await keepgate.legacy(token);
  for (const [name, args] of [['web__add', { a: 1, b: 2 }], ['notes__list_notes', {}]])
    for (let i = 0; i < 20; i++) {
      const r = await (await send({ jsonrpc: '2.0', id: i, method: 'tools/call', params: { name, arguments: args } })).json();
      assert(r.result && !r.result.isError, `${name}: ${JSON.stringify(r)}`);
    }
  const masterKey = fs.readFileSync(path.join(keepgate.state, 'vault/master.key'));
  const may = { // who may hold which, beside vaultd
    'gatewayd-upstream web': [httpSecret], 'gatewayd-upstream notes': [envSecret],
  };
  if (process.getuid() === 0) {
    for (const p of [...keepgate.status(), { program: 'keepgate', name: 'up', pid: keepgate.up.child.pid }]) {
      if (p.program === 'vaultd') continue;
      const who = `${p.program} ${p.name ?? ''}`.trim();
      for (const [what, secret] of [['the HTTP credential', httpSecret], ['the env credential', envSecret], ['the master key', masterKey]])
        if (!(may[who] ?? []).includes(secret))
          equal(inMemory(p.pid, secret), [], `${what} in the memory of ${who}`);
      equal(inMemory(p.pid, Buffer.from(token)).length > 0 && !/front|broker/.test(who), false, `the session token in the memory of ${who}`);
      for (const f of ['environ', 'cmdline'])
        assert(!/planted-/.test(fs.readFileSync(`/proc/${p.pid}/${f}`, 'utf8')), `a secret in ${f} of ${who}`);
    }
  }
  const files = fs.readdirSync(keepgate.state, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  for (const e of files) {
    const bytes = fs.readFileSync(path.join(e.parentPath ?? e.path, e.name));
    for (const secret of [httpSecret, envSecret, Buffer.from(token), ...(e.name === 'master.key' ? [] : [masterKey])])
      assert(!bytes.includes(secret), `a secret in the file ${e.name}`);
  }
  assert(!/planted-/.test(keepgate.up.output), 'a secret in a log line');
  await keepgate.stop();
  await server.stop();
});

await main();
