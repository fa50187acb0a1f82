// Roles that are stopped and say nothing: what others see goes on being found and paged, what is ordered is in force, and nothing
// leaves without a receipt.
import { assert, equal, sleep, test, until } from './harness.mjs';
import { Receiver, Watched, refused } from './watched.mjs';

const WAIT_MS = 60000;
const BOUND_MS = 20000; // an answer within it is none that waits for ever, on the slowest machine

async function open(settings = {}) {
  const hook = await new Receiver().listen();
  return { hook, keepgate: await new Watched(hook, { blast_radius: { humans: 100000 } }, settings).start() };
}

async function close({ hook, keepgate }) {
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
}

// Runs `while_` with roles stopped, and lets them go on whatever comes of it.
async function frozen(roles, while_) {
  for (const p of roles) process.kill(p.pid, 'SIGSTOP');
  try {
    return await while_();
  } finally {
    for (const p of roles) process.kill(p.pid, 'SIGCONT');
  }
}

const calls = async (keepgate) => (await (await fetch(`http://127.0.0.1:${keepgate.mailPort}/`)).json()).calls.length;
const paged = (hook, pattern) => hook.pages.some((p) => p.code < 300 && pattern.test(p.data.text));
const incident = (keepgate, s) => keepgate.incidents().find((i) => i.session === s.session);
const inForce = (keepgate, s) => keepgate.show(incident(keepgate, s).id).responses.some((r) => r.act === 'pause' && r.state === 'active');

// An operator's command, which must not wait for ever.
function soon(keepgate, args) {
  const began = Date.now(), out = keepgate.cli(args);
  assert(Date.now() - began < BOUND_MS, `keepgate ${args.join(' ')} took ${Date.now() - began} ms`);
  return out;
}

// As many consents for one human as the shipped rule calls a burst: a finding of what vaultd says.
async function burst(keepgate, hook, human) {
  for (let i = 0; i < 10; i++)
    soon(keepgate, ['consent', 'grant', '--human', human, '--agent', 'a', '--tools', 'mail/*', '--tier', 'read', '--for', '1h', '--why', 'TEST']);
  await until('the page of what vaultd says', () => hook.pages.some((p) => p.code < 300 && /consent-burst/.test(p.data.text) && p.data.title.includes(human)), WAIT_MS);
}

test('frozen: a broker that is stopped: acts are found, paged and answered; it obeys at once when it goes on', async () => {
  const tree = await open(), { keepgate, hook } = tree;
  const [s, t] = [await keepgate.session(), await keepgate.session()];
  for (const x of [s, t]) assert(!refused(await x.call('mail__find')), 'it is let in');
  const before = await calls(keepgate);
  let queued;
  const broker = keepgate.role('gatewayd-broker');
  // The order waits before vaultd, until the broker cannot take what comes of it.
  await frozen([keepgate.role('vaultd')], async () => {
    await keepgate.spike(s);
    process.kill(broker.pid, 'SIGSTOP');
  });
  await frozen([broker], async () => {
    await until('the pause in vaultd', () => keepgate.stateOf(s.session) === 'paused', WAIT_MS);
    await until('the pause in force, on record', () => incident(keepgate, s) && inForce(keepgate, s), WAIT_MS);
    await until('its page', () => hook.about(incident(keepgate, s).id).length, WAIT_MS);
    soon(keepgate, ['session', 'pause', t.session]);
    equal(keepgate.stateOf(t.session), 'paused', 'what an operator has paused');
    await burst(keepgate, hook, 'one@example.com');
    queued = [s, t].flatMap((x) => [x.call('mail__find'), x.call('mail__send', { to: 'x@example.com' })]);
    await sleep(1000);
  });
  for (const r of await Promise.all(queued)) assert(r.http === 403 || r.error || r.result?.isError, `a call of a paused session: ${JSON.stringify(r)}`);
  for (const x of [s, t]) equal((await x.call('mail__find')).http, 403, 'afterwards');
  equal(await calls(keepgate), before, 'calls that the server has seen');
  const u = await keepgate.session();
  assert(!refused(await u.call('mail__find')), 'the others go on');
  await close(tree);
});

test('frozen: a front, an upstream role, or the parent of all of them stopped: spikes are contained and paged all the same', async () => {
  const tree = await open({ listen: { fronts: 1 } }), { keepgate, hook } = tree;
  for (const program of ['gatewayd-upstream', 'gatewayd']) {
    const s = await keepgate.session();
    await frozen([keepgate.status().find((p) => p.program === program)], async () => {
      await keepgate.spike(s);
      await until(`the pause, with ${program} stopped`, async () => (await s.call('mail__door')).http === 403, WAIT_MS);
      await until(`the incident, with ${program} stopped`, () => incident(keepgate, s), WAIT_MS);
      await until(`its page, with ${program} stopped`, () => hook.about(incident(keepgate, s).id).length, WAIT_MS);
      await burst(keepgate, hook, `${program}@example.com`);
    });
  }
  // What knocks at a front that is stopped is heard when it goes on.
  const s = await keepgate.session();
  let knocks;
  await frozen([keepgate.role('gatewayd-front')], async () => {
    knocks = keepgate.spike(s);
    await burst(keepgate, hook, 'front@example.com');
  });
  await knocks;
  await until('the pause', async () => (await s.call('mail__door')).http === 403, WAIT_MS);
  await until('the page', () => incident(keepgate, s) && hook.about(incident(keepgate, s).id).length, WAIT_MS);
  await close(tree);
});

test('frozen: a recorder that is stopped: no call leaves, and each has its answer', async () => {
  const tree = await open(), { keepgate, hook } = tree;
  const s = await keepgate.session(), before = await calls(keepgate);
  await frozen([keepgate.role('guardiand-recorder')], async () => {
    const began = Date.now();
    for (const r of await Promise.all([1, 2, 3].map((i) => s.call('mail__find', { q: String(i) })))) {
      equal(r.http, 503, `without a recorder: ${JSON.stringify(r)}`);
      assert(/audit log/.test(JSON.stringify(r)), `it does not say why: ${JSON.stringify(r)}`);
    }
    assert(Date.now() - began < BOUND_MS, `answers after ${Date.now() - began} ms`);
    equal(await calls(keepgate), before, 'calls that the server has seen');
  });
  await until('calls again', async () => !refused(await s.call('mail__find')) && await calls(keepgate) > before, WAIT_MS);
  await until('a pause', async () => { await keepgate.spike(s); return (await s.call('mail__door')).http === 403; }, WAIT_MS);
  await until('its page', () => incident(keepgate, s) && hook.about(incident(keepgate, s).id).length, WAIT_MS);
  await close(tree);
});

test('frozen: a pager that is stopped has its pages when it goes on, or when another takes its place', async () => {
  const tree = await open(), { keepgate, hook } = tree;
  for (const end of ['SIGCONT', 'SIGKILL']) {
    const s = await keepgate.session(), pager = keepgate.role('guardiand-pager'), told = hook.pages.length;
    process.kill(pager.pid, 'SIGSTOP');
    await keepgate.spike(s);
    await until('the pause', () => keepgate.stateOf(s.session) === 'paused', WAIT_MS);
    const { id } = await until('the incident', () => incident(keepgate, s), WAIT_MS);
    await sleep(1000);
    equal(hook.pages.length, told, 'pages of a pager that is stopped');
    process.kill(pager.pid, end);
    await until(`its page after ${end}`, () => hook.about(id).length, WAIT_MS);
    equal(new Set(hook.pages.filter((p) => p.data.incident === id).map((p) => p.data.key)).size, 1, 'keys');
  }
  await close(tree);
});
