import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { call } from '../support/client.ts';
import type { TestGateway } from '../support/gateway.ts';
import { kindsMessage } from '../support/kinds-server.ts';
import { usePeerGateway } from '../support/peer-gateway.ts';
import { RandomMessages } from '../support/random-messages.ts';

/** Messages that nobody thought of, and Google's library for Python as the judge of their JSON. */
const behind = usePeerGateway();

const TYPE = 'test.v1.AllKinds';
const COUNT = 200;

describe.each([
  ['without defaults', false, 1],
  ['without defaults', false, 20261122],
  ['with defaults', true, 2],
])('random messages %s (%p, seed %i)', (_, emitDefaults, seed) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await behind.kinds.another({ grpc: `emitDefaults: ${String(emitDefaults)}` });
  });
  afterAll(() => gateway?.stop());

  it('mean the same to both when they are read, and are written alike', async () => {
    const { peer } = behind.kinds;
    const random = new RandomMessages(seed);
    const messages = Array.from({ length: COUNT }, () => random.message(kindsMessage('AllKinds')));
    const texts = await peer.print(TYPE, messages, emitDefaults);
    for (const text of texts) {
      const headers = { 'content-type': 'application/json' };
      const answer = await call(`${gateway.url}/test/echo`, {
        method: 'POST',
        headers,
        body: text ?? 'none',
      });
      expect(answer.status).toBe(200);
      expect(isDeepStrictEqual(answer.json(), parsed(text)) ? '' : text).toBe('');
    }
    const received = (await peer.calls()).map(({ requests }) => Buffer.from(requests[0] ?? '', 'base64'));
    expect(received).toHaveLength(COUNT);
    const understood = await peer.print(TYPE, received, emitDefaults);
    understood.forEach((text, index) => {
      expect(isDeepStrictEqual(parsed(text), parsed(texts[index])) ? '' : text).toBe('');
    });
    // Most of them are not empty, and no two of a hundred alike.
    expect(new Set(texts).size).toBeGreaterThan(COUNT / 2);
  });
});

const JUNK: readonly unknown[] = [
  'x', '', ' 1', '0x10', '1sx', '2026-02-30T00:00:00Z', 'A', 'a_b', '\ud800', 'NaN', '99999999999999999999',
  -1.5, 1e40, 2 ** 53, 0, true, null, [], [[]], {}, { x: 1 }, { '@type': 'type.googleapis.com/test.v1.Deep', id: {} },
]; // prettier-ignore

/** Replaces one value of a document, or adds one, wherever the random numbers point. */
function spoil(json: unknown, random: () => number): unknown {
  const isHolder = typeof json === 'object' && json !== null;
  if (!isHolder || random() < 0.15) return JUNK[Math.floor(random() * JUNK.length)];
  const holder = json as Record<string, unknown>;
  const keys = Object.keys(holder);
  const key = keys[Math.floor(random() * keys.length)] ?? (Array.isArray(json) ? '0' : 'stranger');
  const value = { value: spoil(holder[key], random), enumerable: true, configurable: true, writable: true };
  return Object.defineProperty(holder, key, value);
}

/** Whether a JSON pointer leads to something in a document. */
function leadsSomewhere(pointer: string, json: unknown): boolean {
  let at = json;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Record<string, unknown>)[key];
  }
  return true;
}

describe('random messages with something wrong in them', () => {
  it('are refused with pointers into what was sent, or mean to both the same', async () => {
    const { peer, url } = behind.kinds;
    const random = new RandomMessages(3);
    const messages = Array.from({ length: 2 * COUNT }, () => random.message(kindsMessage('AllKinds')));
    const spoiled = (await peer.print(TYPE, messages)).map((text) =>
      spoil(parsed(text), () => random.next()),
    );
    const texts = spoiled.map((json) => JSON.stringify(json));
    const meant = await peer.print(
      TYPE,
      (await peer.parse(TYPE, texts)).map((bytes) => bytes ?? Buffer.of(0xff)),
    );
    let refused = 0;
    for (const [index, text] of texts.entries()) {
      const headers = { 'content-type': 'application/json' };
      const answer = await call(`${url}/test/echo`, { method: 'POST', headers, body: text });
      if (answer.status === 200) {
        // Google's library for Python writes lists of null, and does not read them.
        const isSame =
          isDeepStrictEqual(answer.json(), parsed(meant[index])) || text.includes('"nullList":[null');
        // Not the documents themselves: comparing them for a report takes minutes.
        expect(isSame ? '' : text).toBe('');
      } else {
        refused += 1;
        const { code, errors } = answer.json<{ code: string; errors: { pointer: string }[] }>();
        const lost = errors.filter(({ pointer }) => !leadsSomewhere(pointer, spoiled[index]));
        expect([answer.status, code, errors.length > 0, lost]).toEqual([400, 'request-invalid', true, []]);
      }
    }
    expect(refused).toBeGreaterThan(COUNT / 2);
  });
});

function parsed(text: string | null | undefined): unknown {
  return JSON.parse(text ?? 'null') as unknown;
}
