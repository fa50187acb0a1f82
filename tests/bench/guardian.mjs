// From the first bad call of a spike to the receipt of its page, and from the alarming call to the pause, over a running tree.
import { assert, equal, sleep, until } from '../e2e/harness.mjs';
import { Receiver, Watched, refused } from '../e2e/watched.mjs';

const SESSIONS = 100, APART_MS = 150, MARK_PAGE_MS = 1000, MARK_PAUSE_MS = 50, TRIES_MAX = 200;

const page = [], pause = [];
let hook, keepgate;

async function one() {
  const s = await keepgate.session();
  assert(!refused(await s.call('mail__find', { q: 'x' })), 'refused before');
  await sleep(APART_MS); // below what the channel takes: rates are another matter
  const began = performance.now();
  await keepgate.spike(s); // the permit before makes the next one the alarming call
  const alarmed = performance.now();
  let r = await s.call('mail__door_5');
  for (let i = 0; i < TRIES_MAX && r.http !== 403; i++) r = await s.call('mail__find', { q: String(i) });
  equal(r.http, 403, 'the status of a paused session');
  pause.push(performance.now() - alarmed);
  const incident = await until('its incident', () => keepgate.incidents('open').find((i) => i.session === s.session), 5000);
  const [told] = await until('its page', () => { const x = hook.about(incident.id); return x.length && x; }, 5000);
  page.push(told.at - began);
  // A rule that opens many incidents in a minute adds to the last: each session here is a case of its own.
  keepgate.cli(['incident', 'resolve', incident.id]);
}

function print(what, taken, mark) {
  taken.sort((a, b) => a - b);
  const at = (q) => taken[Math.ceil(q * taken.length) - 1];
  console.log(`guardian, ${what}: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, worst ${at(1).toFixed(1)} ms of ${taken.length} (mark ${mark} ms)`);
  return at(0.99) <= mark;
}

let status = 1;
try {
  hook = await new Receiver().listen();
  keepgate = await new Watched(hook, { blast_radius: { humans: 100000 } }).start();
  for (let i = 0; i < SESSIONS; i++) await one();
  keepgate.cli(['audit', 'verify']);
  const good = [
    print('from the first bad call to the page at a stand-in', page, MARK_PAGE_MS),
    print('from the alarming call to the first refused by the pause', pause, MARK_PAUSE_MS),
  ];
  status = good.every(Boolean) ? 0 : 1;
} catch (e) {
  console.log(e.stack);
}
await keepgate?.stop();
await hook?.close();
process.exit(status);
