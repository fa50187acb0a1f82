// MINUTES of mixed load on one tree: calls allowed and refused, approvals, changed tools, spikes, consents, killed roles; what each
// role holds must not grow, and the record must verify. Not part of make check.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { Program, assert, build, equal, main, sleep, test, until } from './harness.mjs';
import { Receiver, Watched, find, refused, send } from './watched.mjs';

const MINUTES = Number(process.env.MINUTES || 5), WARM_S = Math.min(60, MINUTES * 20), CLIENTS = 4;
const GROWTH_MIB = { default: 8, 'guardiand-recorder': 24 }; // the recorder's keys fill up to their bound
const FDS = 16;
const wipe = { name: 'wipe', description: 'Deletes everything', inputSchema: { type: 'object', properties: { box: { type: 'number' } } }, annotations: { destructiveHint: true } };

const count = { allowed: 0, refused: 0, approved: 0, spikes: 0, drifts: 0, kills: 0, consents: 0, failed: 0 };
let keepgate, hook, end;

// In a process of its own: this one has clients to serve.
async function cli(args) {
  const p = new Program(path.join(build, 'keepgate'), [...args, '--state', keepgate.state]);
  const status = await new Promise((r) => p.child.on('close', r));
  return { status, text: p.output };
}

async function session(tools = 'mail/*') {
  const n = ++keepgate.people;
  const { status, text } = await cli(['consent', 'grant', '--human', `person-${n % 500}@example.com`, '--agent', `agent-${n % 500}`, '--tools', tools, '--tier', 'write', '--for', '10m', '--why', 'SOAK', '--json']);
  assert(status === 0, text);
  count.consents++;
  const s = JSON.parse(text), { send: post } = await keepgate.legacy(s.token, '2025-06-18');
  const call = async (name, args = {}) => {
    const r = await post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
    return { http: r.status, ...(await r.json()) };
  };
  return { ...s, call };
}

// Again and again until the end; what a killed role makes fail is counted.
const forever = async (each, pause = 0) => {
  while (Date.now() < end) {
    await each().catch((e) => { count.failed++; if (process.env.V) console.log(e.message); return sleep(200); });
    if (pause) await sleep(pause);
  }
};

async function works() {
  const s = await session();
  for (let i = 0; i < 200 && Date.now() < end; i++) {
    const r = i % 40 === 39 ? await s.call(`mail__nothing_${i}`) : await s.call(i % 3 ? 'mail__find' : 'mail__send', i % 3 ? { q: `q${i}` } : { to: `person-${i}@example.com` });
    if (refused(r)) return;
    r.result && !r.result.isError ? count.allowed++ : count.refused++;
    await sleep(5);
  }
}

async function spikes() {
  const s = await session();
  await keepgate.spike(s, 12);
  count.spikes++;
}

async function approves() {
  const s = await session(), args = { box: keepgate.people };
  const id = /approve ([0-9a-f]{8,32})/.exec(JSON.stringify(await s.call('mail__wipe', args)))?.[1];
  assert(id, 'no approval is asked for');
  const { status, text } = await cli(['approvals', 'approve', id]);
  assert(status === 0, text);
  assert(!(await s.call('mail__wipe', args)).result?.isError, 'the approved call');
  count.approved++;
}

async function drifts() {
  const put = (description) => fetch(`http://127.0.0.1:${keepgate.mailPort}/tools`, { method: 'PUT', body: JSON.stringify([{ ...find, description }, send, wipe]) });
  await put(`Finds messages, ${count.drifts}`);
  const held = () => JSON.parse(keepgate.cli(['tools', 'list', '--json'])).some((t) => t.name === 'find' && t.state !== 'accepted');
  await until('the change is seen', held, 10000);
  await until('it is accepted', async () => { await cli(['tools', 'accept', 'mail', 'find']); return !held(); }, 10000);
  count.drifts++;
}

async function kills() {
  const program = ['guardiand-recorder', 'guardiand-pager', 'vaultd', 'gatewayd-broker'][count.kills % 4];
  await keepgate.kill(program)();
  count.kills++;
}

async function resolves() {
  for (const i of keepgate.incidents('open').slice(0, 20)) await cli(['incident', 'resolve', i.id]);
}

// Resident memory and descriptors of each role, by its name.
function holds() {
  const held = new Map();
  for (const p of keepgate.status() ?? []) {
    try {
      const rss = Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${p.pid}/status`, 'utf8'))[1]) / 1024;
      held.set(`${p.program} ${p.name ?? ''} ${p.pid}`, { program: p.program, rss, fds: fs.readdirSync(`/proc/${p.pid}/fd`).length });
    } catch (e) {
      if (e.code !== 'ENOENT') throw e;
    }
  }
  return held;
}

test(`soak: ${MINUTES} minutes of everything`, async () => {
  hook = await new Receiver().listen();
  keepgate = await new Watched(hook, { blast_radius: { humans: 100000 } }).start([find, send, wipe], { wipe: 'destructive' });
  const began = Date.now(), first = new Map(), faults = [];
  end = began + MINUTES * 60000;
  const load = [...Array(CLIENTS).fill(0).map(() => forever(works)), forever(spikes, 2000), forever(approves, 3000), forever(drifts, 20000), forever(resolves, 10000), forever(kills, 25000)];
  while (Date.now() < end) {
    await sleep(Math.min(10000, Math.max(0, end - Date.now())));
    if (Date.now() - began < WARM_S * 1000) continue;
    // A role that was killed begins again: it is compared with itself, from when it has lived through a warm-up.
    for (const [name, h] of holds()) {
      const seen = first.get(name) ?? { since: Date.now() };
      if (!first.has(name)) first.set(name, seen);
      if (seen.rss === undefined && Date.now() - seen.since >= WARM_S * 500) Object.assign(seen, h);
      seen.last = h;
    }
  }
  await Promise.all(load);
  console.log(`  ${JSON.stringify(count)}`);
  for (const [name, { program, rss, fds, last }] of first) {
    if (rss === undefined) continue;
    console.log(`  ${name}: ${rss.toFixed(1)} -> ${last.rss.toFixed(1)} MiB, ${fds} -> ${last.fds} descriptors`);
    if (last.rss - rss > (GROWTH_MIB[program] ?? GROWTH_MIB.default)) faults.push(`${name} grew from ${rss.toFixed(1)} to ${last.rss.toFixed(1)} MiB`);
    if (last.fds - fds > FDS) faults.push(`${name} has ${last.fds} descriptors, and had ${fds}`);
  }
  equal(faults, [], 'what roles hold');
  for (const what of ['allowed', 'refused', 'approved', 'spikes', 'drifts', 'consents'])
    assert(count[what] > 0, `never: ${what}`);
  await until('all roles', () => keepgate.status()?.every((p) => p.state === 'ready' || p.state === undefined), 30000);
  const v = spawnSync(path.join(build, 'keepgate'), ['audit', 'verify', '--state', keepgate.state], { encoding: 'utf8', timeout: 300000 });
  equal(v.status, 0, `audit verify: ${v.stdout}${v.stderr}`);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
});

await main();
