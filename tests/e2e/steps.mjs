// The guardian at each of its steps: a role that is about to write, to sync, to send or to read is killed there, one step after
// the other. strace injects the kill into the role that runs.
import fs from 'node:fs';
import { Program, assert, equal, skip, sleep, test, until } from './harness.mjs';
import { Receiver, Watched } from './watched.mjs';

// What is done between two steps nobody else sees. A page of the database is written in two, and all before their sync: of those
// every few are enough.
const STEPS = {
  'guardiand-recorder': [{ call: 'fdatasync' }, { call: 'sendto' }, { call: 'read' }, { call: 'pwrite64', every: 7 }],
  'guardiand-pager': [{ call: 'read' }, { call: 'connect' }, { call: 'sendto' }, { call: 'recvfrom' }],
  vaultd: [{ call: 'read' }, { call: 'pwrite64' }, { call: 'fdatasync' }, { call: 'sendto' }],
};
const ALL = process.env.KEEPGATE_STEPS === 'all'; // every single one, however long it takes
const STEPS_MS = 100000;
const TREE_KILLS = 4; // each doubles the time until the next restart
const WAIT_MS = 60000;

// Dies of a signal as it enters a system call for the nth time from now on.
async function killedAt(pid, call, n) {
  const x = new Program('strace', ['-f', '-s', '0', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${n}`, '-p', String(pid)]);
  await until('strace at its role', () => /attached/.test(x.output) || x.child.exitCode !== null);
  return x;
}

// Whether it can be done here; else why not.
async function tracing(pid) {
  const x = new Program('strace', ['-e', 'trace=none', '-p', String(pid)]);
  const missing = await new Promise((r) => x.child.on('error', (e) => r(e.message)).on('spawn', () => r('')));
  if (missing) return missing;
  await until('strace', () => /attached/.test(x.output) || x.child.exitCode !== null);
  const why = /attached/.test(x.output) ? '' : x.output.trim();
  await x.stop();
  return why;
}

const told = (hook, s) => hook.pages.some((p) => p.code < 300 && p.data.details?.session === s.session);
const ready = (keepgate) => until('all roles', () => keepgate.status()?.every((p) => p.state === 'ready'), WAIT_MS);

// Tries doors until it is stopped. What fails while nobody records is no event.
async function knock(s) {
  let r = {};
  for (let doors = 0, end = Date.now() + WAIT_MS; r.http !== 403; doors++) {
    assert(Date.now() < end, `${doors} doors were tried, and it was never paused: ${JSON.stringify(r)}`);
    r = await s.call(`mail__door_${doors}`).catch((e) => ({ failed: e.message }));
    if (doors > 20) await sleep(50);
  }
}

// What must be there, whatever was killed: one incident, its pause in force, its page, and that under one key.
async function holds(keepgate, hook, s) {
  const mine = () => keepgate.incidents().filter((i) => i.session === s.session);
  const [incident] = await until('its incident', () => mine().length && mine(), WAIT_MS);
  await until(`the page of ${incident.id}`, () => hook.about(incident.id).length, WAIT_MS);
  await until('its pause in force', () => keepgate.show(incident.id).responses.some((r) => r.act === 'pause' && r.state === 'active'), WAIT_MS);
  equal(mine().length, 1, 'incidents');
  equal(keepgate.stateOf(s.session), 'paused', 'its state');
  const pages = hook.pages.filter((p) => p.data.incident === incident.id && p.data.action === 'incident.triggered');
  for (const of of [(p) => p.data.key, (p) => p.id])
    equal(new Set(pages.map(of)).size, 1, `keys of ${incident.id}: ${JSON.stringify(pages.map(of))}`);
  keepgate.cli(['incident', 'resolve', incident.id]);
}

// One spike with a kill in it; whether there were so many steps.
async function spikeWith({ keepgate, hook }, program, call, n) {
  await ready(keepgate);
  const s = await keepgate.session(), was = keepgate.role(program);
  const x = await killedAt(was.pid, call, n);
  await knock(s);
  await Promise.race([x.ended, until('its page', () => told(hook, s), WAIT_MS)]);
  // What follows the page is put on record.
  await Promise.race([x.ended, sleep(300)]);
  const reached = x.child.exitCode !== null || x.child.signalCode !== null;
  if (reached) {
    assert(/killed by SIGKILL/.test(x.output), `${program} was not killed at ${call} ${n}: ${x.output}`);
    await until(`another ${program}`, () => ![undefined, was.pid].includes(keepgate.role(program)?.pid), WAIT_MS);
  } else {
    await x.stop();
  }
  await holds(keepgate, hook, s);
  return reached;
}

async function open() {
  const hook = await new Receiver().listen();
  hook.headers = { connection: 'close' };
  return { hook, keepgate: await new Watched(hook, { blast_radius: { humans: 100000 } }).start() };
}

async function close({ hook, keepgate }) {
  await until('no page that waits', () => JSON.parse(keepgate.cli(['guardian', 'status', '--json'])).outbox.waiting === 0, WAIT_MS);
  equal(JSON.parse(keepgate.cli(['guardian', 'status', '--json'])).outbox.dead, 0, 'dead pages');
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
}

// All steps of one program, the first of each kind first; how many of each were there.
async function killAtEach(program) {
  const steps = STEPS[program].map((x) => ({ ...x, n: 1, kills: 0 })), began = Date.now();
  const late = (x) => !ALL && x.kills > 0 && Date.now() - began > STEPS_MS;
  let tree = await open(), kills = 0;
  for (let left = steps; left.length; left = left.filter((x) => !x.done && !late(x))) {
    for (const x of left) {
      if (kills === TREE_KILLS) {
        await close(tree);
        tree = await open();
        kills = 0;
      }
      x.done = !await spikeWith(tree, program, x.call, x.n).catch((e) => {
        throw new Error(`${program} killed at ${x.call} ${x.n}: ${e.stack}`);
      });
      x.n += ALL ? 1 : x.every ?? 1;
      kills += !x.done;
      x.kills += !x.done;
    }
  }
  await close(tree);
  console.log(`  ${program}, ${Math.round((Date.now() - began) / 1000)} s: killed at ${steps.map((x) => `${x.kills} ${x.call}${x.done ? '' : ' (and there are more)'}`).join(', ')}`);
  for (const x of steps) assert(x.kills > 0, `${program} has no step ${x.call}`);
}

test('steps: the recorder, the pager and the vault killed at each step of a spike: no finding, no pause, no page is lost', async () => {
  const tree = await open(), why = await tracing(tree.keepgate.role('guardiand-recorder').pid);
  await close(tree);
  if (why) skip(`a role cannot be traced here (strace, and root with CAP_SYS_PTRACE, are needed): ${why}`);
  for (const r of await Promise.allSettled(Object.keys(STEPS).map(killAtEach)))
    if (r.status === 'rejected') throw r.reason;
});

const gone = (pid) => {
  try {
    return / \(.*\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
};

test('steps: guardiand itself killed before each door of a spike: its roles die with it, and nothing is lost', async () => {
  const tree = await open(), { keepgate, hook } = tree;
  for (let door = 0; door <= 5; door++) {
    await ready(keepgate);
    const s = await keepgate.session();
    const roles = ['guardiand', 'guardiand-recorder', 'guardiand-pager'].map((p) => keepgate.role(p).pid);
    await keepgate.spike(s, door);
    const back = keepgate.kill('guardiand');
    await until('the end of its roles', () => roles.every(gone));
    await knock(s);
    await back();
    await holds(keepgate, hook, s);
  }
  await close(tree);
});
