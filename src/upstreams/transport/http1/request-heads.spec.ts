import { describe, expect, it } from '@jest/globals';
import { ask, poolFor, RawService } from './raw-service.fixture.ts';
import { RequestHeads } from './request-heads.ts';

const GET = { method: 'GET', path: '/', fields: [], body: null, isIdempotent: true };

describe(RequestHeads.name, () => {
  it.each<[string, number, boolean, string]>([
    ['localhost', 8080, false, 'localhost:8080'],
    ['localhost', 80, false, 'localhost'],
    ['localhost', 443, false, 'localhost:443'],
    ['localhost', 443, true, 'localhost'],
    ['localhost', 80, true, 'localhost:80'],
    ['::1', 80, false, '[::1]'],
    ['::1', 8080, true, '[::1]:8080'],
  ])('names the host %s and port %d, secure: %s', (host, port, secure, field) => {
    const heads = new RequestHeads({ host, port, secure });
    expect(heads.write(GET)).toBe(`GET / HTTP/1.1\r\nhost: ${field}\r\nconnection: keep-alive\r\n\r\n`);
  });

  it('names a host of IPv6 that it reaches', async () => {
    const service = await RawService.start(undefined, { host: '::1' });
    const pool = poolFor(service.port, { host: '::1' });
    expect((await ask(pool)).body).toBe('ok');
    expect(service.requests[0]).toContain(`\r\nhost: [::1]:${service.port}\r\n`);
    pool.close();
    await service.close();
  });
});
