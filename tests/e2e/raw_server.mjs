// A legacy server by hand that keeps every byte it was sent: for what an SDK would round, drop or refuse.
import { createServer } from 'node:http';

const [port] = process.argv.slice(2);
const seen = [];
const tools = [
  { name: 'exact', description: 'Answers with the bytes it was sent', annotations: { readOnlyHint: true }, 'x-vendor': { n: 1.10 },
    inputSchema: { type: 'object', $schema: 'https://json-schema.org/draft/2020-12/schema', $defs: { a: { type: 'string' } } } },
  { name: 'slow', description: 'Never answers by itself', annotations: { readOnlyHint: true }, inputSchema: { type: 'object' } },
];

function answer(text, req, res) {
  const message = JSON.parse(text);
  const send = (result) => {
    res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'raw-1' });
    res.end(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${result}}`);
  };
  if (message.method === 'initialize')
    return send(JSON.stringify({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'raw', version: '1' } }));
  if (message.method === 'tools/list')
    return send(JSON.stringify({ tools }).replace('1.1', '1.10'));
  if (message.method === 'tools/call' && message.params.name === 'exact')
    return send(`{"content":[{"type":"text","text":${JSON.stringify(text)}}],"big":9223372036854775807,"precise":1.10,"huge":1e400}`);
  if (message.method === 'tools/call') {
    res.on('close', () => seen.push('closed'));
    return undefined;
  }
  if (message.id === undefined)
    return res.writeHead(202).end();
  res.writeHead(400, { 'content-type': 'application/json' });
  return res.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request: Server not initialized"}}');
}

createServer((req, res) => {
  if (req.method === 'GET' && req.url === '/seen') {
    res.end(JSON.stringify(seen));
    return;
  }
  if (req.method !== 'POST') {
    res.writeHead(405).end();
    return;
  }
  let text = '';
  req.on('data', (d) => (text += d));
  req.on('end', () => {
    seen.push({ headers: req.headers, url: req.url, body: text });
    answer(text, req, res);
  });
}).listen(Number(port), '127.0.0.1');
