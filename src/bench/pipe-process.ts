import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The least that Node needs to pass a request on: `node:http` on both sides, connections that are kept, bodies that are piped.
 * It looks at nothing. `TARGET` is where it goes; it tells its port, and what CPU time it has used when it is asked.
 */
const target = new URL(process.env['TARGET'] ?? 'http://127.0.0.1:4101');
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

function pipe(request: IncomingMessage, response: ServerResponse): void {
  const { method, url: path, headers } = request;
  const { hostname: host, port } = target;
  const sent = { ...headers, host: target.host, connection: 'keep-alive' };
  const asking = send({ agent, host, port, method, path, headers: sent }, (answer) => {
    const { connection: _, 'keep-alive': _keep, ...fields } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, fields);
    answer.pipe(response);
  });
  asking.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  request.pipe(asking);
}

const server = createServer(pipe).listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
process.once('disconnect', () => process.exit(0));
