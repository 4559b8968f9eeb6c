/**
 * A service that sends every message of a WebSocket back, for `npm run bench:sockets`. Its port is the first argument.
 *
 * @module
 */
import { createServer } from 'node:http';
import { echoSockets } from '../../test/support/socket-service.ts';

const server = createServer((_request, response) => response.end('ok'));
echoSockets(server);
server.listen(Number(process.argv[2]), '127.0.0.1');
