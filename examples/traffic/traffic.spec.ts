import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startIdentity, type IdentityService } from '../services/identity.ts';
import { Traffic } from './traffic.ts';
import { VISITORS } from './visitors.ts';
import { VISITS } from './visits.ts';

/** Answers everything, and notes what came. */
let gateway: Server;
let identity: IdentityService;
let traffic: Traffic;
let heard: IncomingMessage[];

beforeEach(async () => {
  heard = [];
  gateway = createServer((request, response) => {
    heard.push(request);
    request.resume().on('error', () => undefined);
    // A stream has a head at once, and no end.
    if (/watch/.test(String(request.url))) response.writeHead(200).flushHeaders();
    else request.once('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  gateway.on('upgrade', (request, socket) => {
    heard.push(request);
    // Who has sent traffic leaves when it likes.
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  });
  await once(gateway, 'listening');
  identity = await startIdentity();
  const { port } = gateway.address() as AddressInfo;
  traffic = new Traffic({
    gateways: () => [`http://127.0.0.1:${port}`],
    identity,
    apiKey: 'of-the-traffic',
    betweenMs: [5, 10],
  });
});
afterEach(async () => {
  traffic.stop();
  gateway.closeAllConnections();
  gateway.close();
  await identity.stop();
});

/** Waits for the first of such a request. */
async function first(isIt: (request: IncomingMessage) => boolean): Promise<IncomingMessage> {
  for (;;) {
    const found = heard.find(isIt);
    if (found !== undefined) return found;
    await sleep(5);
  }
}

const asked = ({ method, url }: IncomingMessage): string => `${String(method)} ${String(url)}`;
const bearer = ({ headers }: IncomingMessage): string => String(headers.authorization).replace('Bearer ', '');

describe('the sample traffic', () => {
  it('does all that it has to do, as callers whose limits nobody else shares', async () => {
    traffic.start();
    for (const { as, asks } of VISITS) {
      const { address, agent } = VISITORS[as];
      const request = await first((one) => asked(one) === asks && one.headers['x-forwarded-for'] === address);
      expect(request.headers['user-agent']).toBe(agent);
    }
    const withKey = heard.filter(({ headers }) => headers['x-api-key'] !== undefined);
    expect(new Set(withKey.map(({ headers }) => headers['x-api-key']))).toEqual(new Set(['of-the-traffic']));
    const tokens = heard.map(bearer).filter((text) => text.startsWith('ey'));
    // Ada, Bob and Eve are whom a reader of the demo calls as.
    expect([...new Set(tokens.map((token) => decodeJwt(token).sub))].sort()).toEqual(['4', '5', '6']);
    expect(traffic.sent).toBeGreaterThanOrEqual(VISITS.length);
  });

  it('shows a token that has ended, and one that is none', async () => {
    traffic.start();
    const late = await first((one) => one.headers['x-forwarded-for'] === VISITORS.late.address);
    expect(decodeJwt(bearer(late)).exp).toBeLessThan(Date.now() / 1000);
    const forger = await first((one) => one.headers['x-forwarded-for'] === VISITORS.forger.address);
    expect(bearer(forger)).toBe('not.a.token');
  });

  it('listens to streams over HTTP and a WebSocket all the time', async () => {
    traffic.start();
    await first((one) => asked(one) === 'GET /api/v3/notifications:watch?backlog=1');
    await first((one) => one.headers.accept === 'text/event-stream' && asked(one) === 'POST /graphql');
    const socket = await first((one) => one.headers.upgrade === 'websocket');
    expect(socket.headers['x-forwarded-for']).toBe(VISITORS.mary.address);
    // One that was refused is tried again.
    await first((one) => one.headers.upgrade === 'websocket' && one !== socket);
  });

  it('ends with all that is under way, and flows again when it is told to', async () => {
    traffic.start();
    traffic.start();
    await first((one) => /watch/.test(String(one.url)));
    const { port } = gateway.address() as AddressInfo;
    traffic.stop();
    expect(traffic.flows).toBe(false);
    // Nobody holds a connection to the gateway any more.
    await new Promise((closed) => gateway.close(closed));
    const { sent } = traffic;
    heard = [];
    gateway.listen(port, '127.0.0.1');
    await once(gateway, 'listening');
    traffic.start();
    await first((one) => !/watch/.test(String(one.url)));
    while (traffic.sent <= sent) await sleep(5);
  });

  it('goes on when there is nobody to ask', async () => {
    gateway.close();
    traffic.start();
    while (traffic.sent < 10) await sleep(5);
    expect(traffic.flows).toBe(true);
  });
});
