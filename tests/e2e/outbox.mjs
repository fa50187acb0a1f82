// A channel that was dead for so long that the outbox is full: what waits is told together, what comes is paged by itself.
import path from 'node:path';
import { Keepgate, assert, equal, freePort, test, until } from './harness.mjs';
import { Receiver, Watched } from './watched.mjs';

const ROWS = 100000; // OUTBOX_ROWS_MAX of guardiand/recorder/outbox_parts.h
const WAIT_MS = 90000;

const outbox = (keepgate) => JSON.parse(keepgate.cli(['guardian', 'status', '--json'])).outbox;

async function contained(keepgate) {
  const s = await keepgate.session();
  await until('a pause', async () => { await keepgate.spike(s); return (await s.call('mail__door')).http === 403; }, WAIT_MS);
  return until('its incident', () => keepgate.incidents().find((i) => i.session === s.session), WAIT_MS);
}

// Copies of a page that waits, each about an incident of its own, until there is room for no more.
async function fill(keepgate, incident) {
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(path.join(keepgate.state, 'guardian/audit.db'));
  const columns = (table, named) => db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all().map((c) => c.name).filter((c) => c !== 'id' && !named.includes(c)).join(', ');
  const page = columns('page', ['incident']), row = columns('outbox', ['page', 'incident', 'dedup']);
  const had = db.prepare('SELECT count(*) AS n FROM outbox').get().n, from = db.prepare('SELECT max(id) AS id FROM page').get().id;
  db.exec(`BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS - had})
      INSERT INTO page (incident, ${page}) SELECT 'inc-' || (1000000 + i), ${page} FROM n, page WHERE incident = '${incident}' ORDER BY i;
    INSERT INTO outbox (page, incident, dedup, ${row}) SELECT p.id, p.incident, replace(o.dedup, '${incident}', p.incident), ${row.split(', ').map((c) => `o.${c}`).join(', ')}
      FROM page AS p, outbox AS o WHERE p.id > ${from} AND o.incident = '${incident}' ORDER BY p.id;
    COMMIT;`);
  equal(db.prepare('SELECT count(*) AS n FROM outbox WHERE state = 1').get().n, ROWS, 'rows that wait');
  db.close();
}

test('outbox: full behind a dead channel: a finding is contained and paged all the same, and what waited is told together', async () => {
  const port = await freePort(), hook = new Receiver();
  hook.port = port;
  const keepgate = await new Watched(hook, { blast_radius: { humans: 100000 } }).start();
  const first = await contained(keepgate);
  await until('an attempt', () => keepgate.show(first.id).pages.some((p) => p.attempts > 0 && p.state === 'waiting'), WAIT_MS);
  equal(await keepgate.up.stop(), 0, 'exit status');
  await fill(keepgate, first.id);
  await Keepgate.prototype.start.call(keepgate);
  await until('the recorder', () => keepgate.role('guardiand-recorder'));
  equal(outbox(keepgate).waiting, ROWS, 'pages that wait');
  const began = Date.now();
  const second = await contained(keepgate);
  console.log(`  behind ${ROWS} pages that wait: contained after ${Date.now() - began} ms`);
  assert(outbox(keepgate).waiting < ROWS, 'there is no room');
  equal(hook.pages.length, 0, 'pages');
  await hook.listen(port);
  await until('its page', () => hook.about(second.id).length, WAIT_MS);
  const all = await until('the page of what waited', () => hook.pages.find((p) => p.code < 300 && p.data.details?.count > 1), WAIT_MS);
  equal(all.data.details.count, ROWS, 'incidents that it tells of');
  await until('no page that waits', () => outbox(keepgate).waiting === 0, WAIT_MS);
  equal(outbox(keepgate).dead, 0, 'dead pages');
  const events = keepgate.audit().filter((e) => e.kind === 'guardian'), of = (event) => events.filter((e) => e.event === event).map((e) => e.members);
  assert(of('outbox.full').some((m) => m.rows >= ROWS - 10), 'it is not on record that it was full');
  assert(of('page.delivered').some((m) => m.count === ROWS), 'it is not on record of how many incidents was told');
  assert(of('page.delivered').some((m) => m.incident === second.id), 'the page of the new finding is not on record');
  keepgate.cli(['audit', 'verify']);
  equal(await keepgate.stop(), 0, 'exit status');
  await hook.close();
});
