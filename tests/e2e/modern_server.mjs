// A server of the 2026-07-28 era over HTTP, on the official SDK; demands its bearer token when one is named.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';

const [port, token] = process.argv.slice(2);

const handler = toNodeHandler(createMcpHandler(() => {
  const server = new McpServer({ name: 'modern', version: '1.0.0' });
  server.registerTool('add', {
    description: 'Adds two numbers',
    inputSchema: z.object({ a: z.number(), b: z.number() }),
    annotations: { readOnlyHint: true },
  }, async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }));
  server.registerTool('steps', {
    description: 'Reports progress in steps',
    inputSchema: z.object({ count: z.number() }),
    annotations: { readOnlyHint: true },
  }, async ({ count }, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (let i = 1; i <= count && progressToken !== undefined; i++)
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: i, total: count } });
    return { content: [{ type: 'text', text: `${count} steps` }] };
  });
  return server;
}));

createServer((req, res) => {
  if (token && req.headers.authorization !== `Bearer ${token}`) {
    res.writeHead(401).end();
    return;
  }
  handler(req, res);
}).listen(Number(port), '127.0.0.1');
