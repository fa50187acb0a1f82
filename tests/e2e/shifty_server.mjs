// A legacy server by hand whose tools the test sets while it runs: PUT /tools replaces them and tells the clients.
import { createServer } from 'node:http';

const [port, first] = process.argv.slice(2);
const streams = new Set();
const calls = [];
let tools = JSON.parse(first), results = {};

function answer(message, res) {
  const send = (result) => {
    res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'shifty-1' });
    res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
  };
  if (message.method === 'initialize')
    return send({ protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'shifty', version: '1' } });
  if (message.method === 'tools/list')
    return send({ tools });
  if (message.method === 'tools/call') {
    calls.push(message.params);
    return send(results[message.params.name] ?? { content: [{ type: 'text', text: `did ${message.params.name}` }] });
  }
  return message.id === undefined ? res.writeHead(202).end() : send({});
}

function control(req, res, text) {
  if (req.url === '/tools') {
    tools = JSON.parse(text);
    for (const s of streams) s.write('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
  } else if (req.url === '/results') {
    results = JSON.parse(text);
  }
  res.end(JSON.stringify({ calls, streams: streams.size }));
}

createServer((req, res) => {
  if (req.method === 'GET' && req.url === '/mcp') {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.flushHeaders();
    streams.add(res);
    res.on('close', () => streams.delete(res));
    return;
  }
  if (req.method === 'DELETE') {
    res.end();
    return;
  }
  let text = '';
  req.on('data', (d) => (text += d));
  req.on('end', () => (req.method === 'POST' ? answer(JSON.parse(text), res) : control(req, res, text)));
}).listen(Number(port), '127.0.0.1');
