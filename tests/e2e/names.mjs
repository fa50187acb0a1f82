// Two servers with names that people and models take for each other: neither gets what was meant for the other.
import path from 'node:path';
import { Keepgate, Program, assert, equal, freePort, node, root, test } from './harness.mjs';

const SHIFTY = path.join(root, 'tests/e2e/shifty_server.mjs');
const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });
const tool = (name) => ({ name, title: 'Send mail', description: 'Sends mail', inputSchema: { type: 'object', properties: { to: { type: 'string' } } } });

let keepgate, token, ports;

const called = async (name) => (await (await fetch(`http://127.0.0.1:${ports[name]}/`, { method: 'PUT' })).json()).calls.length;

async function call(who, name, server) {
  const { send } = await keepgate.legacy(who);
  return (await send(rpc('tools/call', { name, arguments: { to: 'bob@example.com' } }), server)).json();
}

test('names: a server, and two that look like it', async () => {
  ports = { mail: await freePort(), mai1: await freePort(), 'mail-': await freePort() };
  const lists = { mail: ['send', 'burn'], mai1: ['send', 'burn', 'mail__send'], 'mail-': ['send', '_send', 'mail__send'] };
  for (const [name, port] of Object.entries(ports))
    await new Program(node, [SHIFTY, String(port), JSON.stringify(lists[name].map(tool))]).listening(port);
  keepgate = await new Keepgate(Object.fromEntries(Object.entries(ports).map(([name, port]) =>
    [name, { url: `http://127.0.0.1:${port}/mcp`, tiers: { burn: 'destructive', '*': 'read' } }]))).start();
  ({ token } = keepgate.grant('mail/*'));
  await keepgate.ready(keepgate.grant('*/*').token, ...Object.keys(ports));
});

test('names: a consent for one covers no other', async () => {
  const { send } = await keepgate.legacy(token);
  const { result } = await (await send(rpc('tools/list', {}))).json();
  equal(result.tools.map((t) => t.name).sort(), ['mail__burn', 'mail__send'], 'listed');
  for (const name of ['mai1__send', 'mai1__mail__send', 'mail-__send', 'mail-___send', 'mail-__mail__send', 'mail___send', 'mail__mail__send', 'MAIL__send']) {
    // A session each: one that asks for many tools that are not there is paused.
    const r = await call(keepgate.grant('mail/*').token, name);
    assert(r.error?.code === -32602 && /Unknown tool/.test(r.error.message), `${name}: ${JSON.stringify(r)}`);
  }
  assert(/Unknown tool/.test((await call(token, 'send', 'mai1')).error?.message), 'by its own endpoint');
  assert(!(await call(token, 'mail__send')).result.isError, 'the true one');
  equal([await called('mail'), await called('mai1'), await called('mail-')], [1, 0, 0], 'calls');
});

test('names: an approval for one serves no other', async () => {
  const all = keepgate.grant('*/*').token;
  const id = /[0-9a-f]{32}/.exec((await call(all, 'mail__burn')).result.content[0].text)[0];
  keepgate.cli(['approvals', 'approve', id]);
  assert((await call(all, 'mai1__burn')).result.isError, 'used by another server');
  equal(await called('mai1'), 0, 'calls of the other');
  const own = await call(all, 'mail__burn');
  assert(!own.result?.isError, `not used by its own: ${JSON.stringify(own)}`);
  equal(await keepgate.stop(), 0, 'exit status');
});
