import { describe, expect, it } from '@jest/globals';
import { adminHosts, pageFault } from './page-rules.ts';

const fault = (headers: Record<string, string>, more: object = {}, hosts: readonly string[] = []) =>
  pageFault({ method: 'GET', headers, localAddress: '127.0.0.1', isTls: false, isPage: false, ...more }, adminHosts(hosts)); // prettier-ignore

describe('the rules for pages', () => {
  it.each(['localhost', 'LOCALHOST:9080', '127.0.0.1', '[::1]:9080', '[fe80::1%eth0]', 'gateway-1', 'a.localhost', ''])(
    'take the host %j',
    (host) => expect(fault({ host })).toBeUndefined(),
  ); // prettier-ignore

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost.', '[evil.example]', '127.1', '0x7f.1', 'a:b:c', 'localhost@evil.example'])(
    'take no host %j',
    (host) => expect(fault({ host })).toMatch(/ADMIN_HOSTS/),
  ); // prettier-ignore

  it.each(['null', 'http://localhost.', 'https://localhost', 'http://localhost:1', 'http://evil', '', 'http://localhost, http://localhost'])(
    'take no origin %j',
    (origin) => expect(fault({ host: 'localhost', origin })).toBeDefined(),
  ); // prettier-ignore

  it.each(['cross-site', 'same-site', 'SAME-ORIGIN', 'none, none', ''])('take no site %j', (site) =>
    expect(fault({ host: 'localhost', 'sec-fetch-site': site })).toBeDefined(),
  );

  it('know a listed name with its port, and who speaks TLS for it', () => {
    const hosts = ['ops.example:1', 'https://tls.example'];
    expect(fault({ host: 'OPS.example:1', origin: 'http://ops.EXAMPLE:1' }, {}, hosts)).toBeUndefined();
    expect(fault({ host: 'ops.example:2' }, {}, hosts)).toBeDefined();
    expect(fault({ host: 'tls.example', origin: 'https://tls.example' }, {}, hosts)).toBeUndefined();
  });

  it('ask JSON and a field of one’s own of orders that a browser could send by itself', () => {
    const cookie = `gatehouse-admin=${'a'.repeat(43)}`;
    const order = { method: 'DELETE' };
    const json = { 'content-type': 'application/json; charset=utf-8', 'x-gatehouse-admin': 'console' };
    expect(fault({ cookie }, order)).toBeDefined();
    expect(fault({ cookie, ...json }, order)).toBeUndefined();
    expect(fault({ cookie, ...json, 'content-type': 'application/jsonx' }, order)).toBeDefined();
    expect(fault({ cookie, ...json, 'x-gatehouse-admin': 'cli' }, order)).toBeDefined();
    expect(fault({ cookie, authorization: 'Bearer x' }, order)).toBeUndefined();
  });

  it.each<[string, string, Record<string, string>, boolean]>([
    ['nothing', 'POST', {}, true],
    ['a field of one’s own', 'POST', { 'x-gatehouse-admin': '' }, false],
    ['a body of JSON', 'POST', { 'content-type': 'application/json' }, false],
    // It is answered 415, with what to send instead.
    ['a form', 'POST', { 'content-type': 'application/x-www-form-urlencoded' }, false],
    ['a token', 'POST', { authorization: 'Bearer x' }, false],
    ['a method that no page may use without leave', 'DELETE', {}, false],
  ])('ask something that no form has of an order with %s', (_what, method, headers, isRefused) => {
    const said = fault({ host: 'localhost', ...headers }, { method });
    expect(said).toEqual(isRefused ? expect.stringContaining('x-gatehouse-admin') : undefined);
  });
});
