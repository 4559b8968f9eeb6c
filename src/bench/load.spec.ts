import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { load, readAnswer } from './load.ts';
import { median } from './rounds.ts';

const read = (text: string) => readAnswer(Buffer.from(text.replaceAll('\n', '\r\n')));

describe('readAnswer', () => {
  it('knows where an answer ends: by its length, by its chunks, or with its head', () => {
    expect(read('HTTP/1.1 200 OK\nContent-Length: 3\n\nab')).toBeUndefined();
    expect(read('HTTP/1.1 200 OK\nContent-Length: 3\n\nabc')).toEqual({ status: 200, closes: false });
    expect(read('HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\na\n')).toBeUndefined();
    expect(read('HTTP/1.1 201 OK\nTransfer-Encoding: chunked\n\n1\na\n0\n\n')).toEqual({ status: 201, closes: false });
    expect(read('HTTP/1.1 204 No\nConnection: close\n\n')).toEqual({ status: 204, closes: true });
    expect(read('HTTP/1.1 200')).toBeUndefined();
  });
}); // prettier-ignore

describe('load', () => {
  it('counts answers by status, keeps one that is no success, and tells connections that are cut', async () => {
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      if (asked === 5) return void request.socket.destroy();
      response.writeHead(asked % 2 === 0 ? 200 : 429, { 'content-length': 2 }).end('no');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const headers = [['host', 'a']] as const;
    const request = { method: 'GET', path: '/', headers, body: undefined };
    const result = await load({ port, connections: 2, forMs: 100, request });
    server.close();
    const { statuses, answers, sample, p50, p99 } = result;
    expect(statuses[200]).toBeGreaterThan(0);
    expect(statuses[429]).toBeGreaterThan(0);
    expect(statuses[0]).toBe(1);
    expect(answers).toBe(asked - 1);
    expect(sample).toMatch(/^HTTP\/1\.1 429 .*\r\n\r\nno$/s);
    expect(p99).toBeGreaterThanOrEqual(p50);
  });
});

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
  ])('of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle);
  });
});
