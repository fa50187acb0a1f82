// The guardian where it is hard: roles killed in the middle, a broker that floods or says nothing, more people than one may
// contain, channels that are dead, a session in two places.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { Keepgate, Program, WAIT_MS, assert, build, equal, freePort, sleep, test, until } from './harness.mjs';
import { Receiver, Watched, refused, rpc, secret } from './watched.mjs';

const KILLS = 9, KILLS_MS = 100000; // at moments of chance; steps.mjs has them one by one
const CONSENTS = 10;
const rules = (text) => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-rules-'));
  fs.writeFileSync(path.join(dir, 'own.yml'), text);
  return dir;
};

// Each page of an incident was delivered, and always under one key.
function paged(hook, incident) {
  const told = hook.pages.filter((p) => p.data.incident === incident && p.data.action === 'incident.triggered');
  assert(hook.about(incident).length > 0, `no page of ${incident}: ${JSON.stringify(told)}`);
  equal(new Set(told.map((p) => p.data.key)).size <= 1, true, `keys of ${incident}: ${JSON.stringify(told.map((p) => p.data.key))}`);
}

test('contain: the recorder, the pager and the vault killed while agents try doors: no finding, no pause, no page is lost', async () => {
  const hook = await new Receiver().listen();
  const keepgate = await new Watched(hook, { blast_radius: { humans: 100000 } }).start();
  const sessions = [], began = Date.now();
  let rounds = 0;
  for (; rounds < KILLS && Date.now() - began < KILLS_MS; rounds++) {
    const program = ['guardiand-recorder', 'guardiand-pager', 'vaultd'][rounds % 3];
    await until('all roles', () => ['guardiand-recorder', 'guardiand-pager', 'vaultd'].every((p) => keepgate.role(p)));
    const s = await keepgate.session();
    sessions.push(s);
    let back, doors = 0;
    const kill = sleep(Math.random() * 15).then(() => (back = keepgate.kill(program)));
    // What fails while nobody records is no event; so it goes on until it is stopped.
    const end = Date.now() + WAIT_MS;
    for (let r = {}; r.http !== 403; ) {
      assert(Date.now() < end, `round ${rounds}, ${program}: ${doors} doors were tried, and it was never paused: ${JSON.stringify(r)}`);
      r = await s.call(`mail__door_${doors++}`).catch((e) => ({ failed: e.message }));
      if (doors > 20) await sleep(50);
    }
    await kill;
    await back();
    const incident = await until(`the incident of round ${rounds}`, () => keepgate.incidents().find((i) => i.session === s.session));
    await until(`the page of ${incident.id}, round ${rounds}, ${program}`, () => hook.about(incident.id).length);
    keepgate.cli(['incident', 'resolve', incident.id]);
  }
  assert(rounds >= 6, `only ${rounds} rounds`);
  console.log(`  ${rounds} kills in ${Math.round((Date.now() - began) / 1000)} s`);
  const incidents = keepgate.incidents();
  for (const s of sessions) {
    equal(keepgate.stateOf(s.session), 'paused', `the state of ${s.session}`);
    const own = incidents.filter((i) => i.session === s.session);
    assert(own.length >= 1, `no incident of ${s.session}`);
    for (const i of own) paged(hook, i.id);
    assert(own.some((i) => keepgate.show(i.id).responses.some((r) => r.act === 'pause' && r.state === 'active')), `no pause in force for ${s.session}`);
  }
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
});

// A copy of the executables whose broker is the attacker's.
function flooded() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'keepgate-flood-'));
  for (const name of fs.readdirSync(build).filter((n) => /^(keepgate|gatewayd|vaultd|guardiand)/.test(n) && fs.statSync(path.join(build, n)).isFile()))
    fs.copyFileSync(path.join(build, name === 'gatewayd-broker' ? 'tests/hostile/flood' : name), path.join(dir, name));
  return dir;
}

test('contain: a broker that floods the record hides nothing in it; one that says nothing, nothing of the others', async () => {
  const hook = await new Receiver().listen(), bin = flooded();
  process.env.TMPDIR = bin;
  const notes = { command: path.join(build, 'notes'), tiers: { '*': 'read' } };
  const keepgate = new Keepgate({ notes }, { guardian: { channels: { oncall: hook.channel() } } });
  keepgate.bin = bin;
  await keepgate.start({ secrets: [secret] });
  delete process.env.TMPDIR;
  fs.writeFileSync(path.join(bin, 'go.new'), 'yes\n');
  fs.renameSync(path.join(bin, 'go.new'), path.join(bin, 'go'));
  const of = (pattern) => hook.pages.find((p) => p.code < 300 && pattern.test(p.data.text));
  const page = await until('the page about the one that matters', () => hook.pages.find((p) => /the-one/.test(p.data.title)));
  assert(!/hostile: flood/.test(keepgate.up.output), 'the page came after the flood only');
  const asked = performance.now();
  await new Promise((r) => new Program(path.join(bin, 'keepgate'), ['consent', 'grant', '--human', 'a@example.com', '--agent', 'a', '--tools', 'notes/*',
    '--tier', 'read', '--for', '1h', '--why', 'TEST', '--state', keepgate.state]).child.on('exit', r));
  const took = performance.now() - asked;
  assert(!/hostile: flood/.test(keepgate.up.output), 'the consent came after the flood only');
  fs.writeFileSync(path.join(bin, 'enough'), '');
  const [, n, ms] = await until('the end of the flood', () => /hostile: flood (\d+) in (\d+) ms/.exec(keepgate.up.output));
  console.log(`  ${Math.round(n / ms * 1000)} intents a second; paged; a consent in the middle of it took ${Math.round(took)} ms`);
  assert(/denial-spike/.test(page.data.text), page.data.text);
  // From here on the broker is silent.
  const quiet = performance.now();
  for (let i = 0; i < CONSENTS; i++)
    keepgate.cli(['consent', 'grant', '--human', 'many@example.com', '--agent', 'a', '--tools', 'notes/*', '--tier', 'read', '--for', '1h', '--why', 'TEST']);
  // A machine that is starved is slow in the quiet too.
  const usual = (performance.now() - quiet) / CONSENTS;
  assert(took < Math.max(4000, 4 * usual), `acts of the vault are kept waiting: ${took} ms, and ${usual} ms in the quiet`);
  await until('a finding of what the vault says', () => of(/consent-burst/));
  const v = spawnSync(path.join(bin, 'keepgate'), ['audit', 'verify', '--state', keepgate.state], { encoding: 'utf8', timeout: 120000 });
  equal(v.status, 0, `audit verify: ${v.stdout}${v.stderr}`);
  await keepgate.stop();
  fs.rmSync(bin, { recursive: true });
  await hook.close();
});

test('contain: never more people than the blast radius without a person', async () => {
  const hook = await new Receiver().listen();
  const keepgate = await new Watched(hook, { blast_radius: { humans: 3, minutes: 10 } }).start();
  const sessions = [], alarmed = [];
  for (let i = 0; i < 6; i++) {
    const s = await keepgate.session();
    await keepgate.spike(s);
    sessions.push(s);
    // The sixth of a storm is added to the last incident.
    if (i < 5) alarmed.push((await until(`the incident of number ${i + 1}`, () => keepgate.incidents('open').find((x) => x.session === s.session))).id);
  }
  const states = () => sessions.map((s) => keepgate.stateOf(s.session));
  await until('three are paused', () => states().filter((x) => x === 'paused').length === 3);
  await sleep(300);
  equal(states(), ['paused', 'paused', 'paused', 'active', 'active', 'active'], 'six sessions');
  for (const [id, held, of] of [[alarmed[3], 1, [3]], [alarmed[4], 2, [4, 5]]]) {
    equal(keepgate.show(id).responses.map((r) => [r.act, r.state]), Array(held).fill(['pause', 'held']), `what was done about ${id}`);
    const [page] = await until('its page', () => hook.about(id).length && hook.about(id));
    assert(page.data.text.includes(`Held (keepgate incident release ${id})`), page.data.text);
    for (const i of of) assert(!refused(await sessions[i].call('mail__find')), 'it is contained all the same');
    keepgate.cli(['incident', 'release', id]);
    for (const i of of)
      await until('the pause that a person has released', async () => (await sessions[i].call('mail__find')).http === 403);
  }
  equal(states(), Array(6).fill('paused'), 'after the release');
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
});

test('contain: a channel that is dead loses no page, though the recorder dies too', async () => {
  const port = await freePort(), hook = new Receiver();
  hook.port = port;
  const keepgate = await new Watched(hook, { blast_radius: { humans: 100000 } }).start();
  const incidents = [];
  for (let i = 0; i < 12; i++) {
    const s = await keepgate.session();
    await keepgate.spike(s);
    const mine = await until('an incident', () => keepgate.incidents('all').find((x) => x.session === s.session));
    incidents.push(mine.id);
    if (i % 4 === 3)
      await keepgate.kill('guardiand-recorder')();
    // Storms have one incident: twelve are wanted, and people resolve some before anybody was told.
    if (i < 6) keepgate.cli(['incident', 'ack', mine.id]);
  }
  equal(hook.pages.length, 0, 'pages');
  await hook.listen(port);
  for (const id of new Set(incidents)) {
    await until(`the page of ${id}`, () => hook.about(id).length, 90000);
    paged(hook, id);
  }
  assert(!JSON.parse(keepgate.cli(['guardian', 'status', '--json'])).outbox.dead, 'a page is dead');
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
});

test('contain: one session in two places is paused', async () => {
  const hook = await new Receiver().listen(), keepgate = await new Watched(hook).start();
  const s = await keepgate.session();
  const from = (localAddress) => new Promise((resolve, reject) => {
    const body = JSON.stringify(rpc('tools/call', { name: 'mail__find', arguments: { q: 'x' } }));
    const headers = { authorization: `Bearer ${s.token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream', 'mcp-session-id': s.mcp, 'mcp-protocol-version': '2025-06-18', 'content-length': body.length };
    http.request({ host: '127.0.0.1', port: keepgate.port, path: '/mcp', method: 'POST', headers, localAddress, agent: false }, (res) => {
      let text = '';
      res.on('data', (d) => (text += d)).on('end', () => resolve({ http: res.statusCode, text }));
    }).on('error', reject).end(body);
  });
  for (let i = 0; i < 5; i++) assert(!refused(await from('127.0.0.1')), 'in one place');
  assert(!refused(await from('127.0.0.2')), 'a move alone is none');
  for (let i = 0; i < 5; i++) assert(!refused(await from('127.0.0.2')), 'it has moved');
  const r = await from('127.0.0.1');
  assert(refused(r), `back again: ${JSON.stringify(r)}`);
  await until('it is paused', async () => (await from('127.0.0.2')).http === 403);
  await until('its page', () => hook.pages.some((p) => /two-places/.test(p.data.text) && p.code < 300));
  await keepgate.stop();
  await hook.close();
});

const errors = `title: Errors of a server
id: own-errors
class: statistical
severity: medium
strong: true
page: true
detection:
  selection:
    kind: call
    phase: outcome
  failure:
    outcome: [rpc-error, tool-error, timeout, lost]
detector:
  type: cusum
  by: [agent, server]
  usual: 0.05
  spike: 0.9
  threshold: 30
  window: 30m
`;

test('contain: rules of an operator\'s folder hold, and a storm of errors is one page', async () => {
  const hook = await new Receiver().listen(), dir = rules(errors);
  const keepgate = await new Watched(hook, { rules: dir }).start();
  const s = await keepgate.session();
  await keepgate.results({ find: { isError: true, content: [{ type: 'text', text: 'out of order' }] } });
  for (let i = 0; i < 120; i++) await s.call('mail__find', { q: String(i) });
  await until('its page', () => hook.pages.some((p) => /own-errors/.test(p.data.text)));
  await sleep(1500);
  equal(hook.pages.filter((p) => p.code < 300).length, 1, 'pages');
  equal(keepgate.incidents().length, 1, 'incidents');
  assert(!refused(await s.call('mail__find')), 'a rule without a response acts');
  await keepgate.stop();
  fs.rmSync(dir, { recursive: true });
  await hook.close();
});

test('contain: a fault in a rule stops the start, by its file and place', async () => {
  const dir = rules(errors.replace('type: cusum', 'type: cussum'));
  const keepgate = new Keepgate({}, { guardian: { rules: dir } });
  keepgate.port = await freePort();
  keepgate.writeConfig();
  const up = new Program(path.join(build, 'keepgate'), ['up', '--config', keepgate.file, '--state', keepgate.state]);
  try {
    const code = await Promise.race([up.ended, sleep(WAIT_MS)]);
    assert(typeof code === 'number' && code !== 0, `it goes on: ${code} ${up.output}`);
    assert(/own\.yml:\d+:\d+: detector\.type/.test(up.output), `it does not say where: ${up.output}`);
  } finally {
    await up.stop();
    fs.rmSync(dir, { recursive: true });
    fs.rmSync(keepgate.dir, { recursive: true });
  }
});
