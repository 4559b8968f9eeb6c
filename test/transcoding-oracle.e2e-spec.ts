import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from './support/client.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { startPeer, type GrpcPeer } from './support/grpc-peer.ts';
import { kindsMessage } from './support/kinds-server.ts';
import { RandomMessages } from './support/random-messages.ts';

/** Messages that nobody thought of, and Google's library for Python as the judge of their JSON. */
let peer: GrpcPeer;

const TYPE = 'test.v1.AllKinds';
const COUNT = 200;

beforeAll(async () => {
  peer = await startPeer();
});
afterAll(() => peer?.stop());

describe.each([
  ['without defaults', false, 1],
  ['without defaults', false, 20261122],
  ['with defaults', true, 2],
])('random messages %s (%p, seed %i)', (_, emitDefaults, seed) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({
      config: `
version: 1
identity: { apiKeys: [{ sha256: ${'a'.repeat(64)}, clientId: app }] }
upstreams:
  kinds: { protocol: grpc, descriptorSet: proto/test/kinds.binpb, targets: ['${peer.url}'] }
routes:
  - id: kinds
    upstream: kinds
    grpc: { service: test.v1.Kinds, emitDefaults: ${String(emitDefaults)} }
    policies: { authentication: public }
`,
    });
  });
  afterAll(() => gateway.stop());

  it('mean the same to both when they are read, and are written alike', async () => {
    const random = new RandomMessages(seed);
    const messages = Array.from({ length: COUNT }, () => random.message(kindsMessage('AllKinds')));
    const texts = await peer.print(TYPE, messages, emitDefaults);
    await peer.behave();
    for (const text of texts) {
      const headers = { 'content-type': 'application/json' };
      const answer = await call(`${gateway.url}/test/echo`, {
        method: 'POST',
        headers,
        body: text ?? 'none',
      });
      expect([answer.status, answer.json()]).toEqual([200, JSON.parse(text ?? '')]);
    }
    const received = (await peer.calls()).map(({ requests }) => Buffer.from(requests[0] ?? '', 'base64'));
    expect(received).toHaveLength(COUNT);
    const understood = await peer.print(TYPE, received, emitDefaults);
    understood.forEach((text, index) => expect(parsed(text)).toEqual(parsed(texts[index])));
    // Most of them are not empty, and no two of a hundred alike.
    expect(new Set(texts).size).toBeGreaterThan(COUNT / 2);
  });
});

function parsed(text: string | null | undefined): unknown {
  return JSON.parse(text ?? 'null') as unknown;
}
