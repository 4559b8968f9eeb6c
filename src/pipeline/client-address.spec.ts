import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { ClientAddress, type ForwardingFields } from './client-address.ts';

interface Arrival {
  readonly peer: string;
  readonly forwardedFor?: string;
  readonly proto?: string;
  readonly secure?: boolean;
  readonly forwarded?: string;
  readonly fields?: ForwardingFields;
}

function originOf(
  trusted: readonly string[],
  { peer, forwardedFor, proto, secure, forwarded, fields }: Arrival,
) {
  const plain = new Socket();
  const socket = secure === true ? new TLSSocket(plain) : plain;
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  if (forwardedFor !== undefined) request.headers['x-forwarded-for'] = forwardedFor;
  if (proto !== undefined) request.headers['x-forwarded-proto'] = proto;
  if (forwarded !== undefined) request.headers['forwarded'] = forwarded;
  return new ClientAddress(trusted, fields).of(request);
}

const addressOf = (trusted: readonly string[], peer: string, forwardedFor?: string) =>
  originOf(trusted, { peer, ...(forwardedFor === undefined ? {} : { forwardedFor }) }).clientAddress;

describe('ClientAddress', () => {
  it('believes nobody unless proxies are trusted', () => {
    expect(addressOf([], '127.0.0.1', '1.1.1.1')).toBe('127.0.0.1');
    expect(addressOf(['10.0.0.0/8'], '192.0.2.1', '1.1.1.1')).toBe('192.0.2.1');
  });

  it.each([
    ['nothing is said', undefined, '10.0.0.1'],
    ['the proxy names the client', '203.0.113.9', '203.0.113.9'],
    ['the client made up an address', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
    ['the client pretends to be a proxy', '1.1.1.1, 10.0.0.9, 203.0.113.9', '203.0.113.9'],
    ['several proxies stand in a row', '203.0.113.9, 10.0.0.2,10.0.0.3', '203.0.113.9'],
    ['all are trusted', '10.0.0.2, 10.0.0.3', '10.0.0.2'],
    ['something is no address', '203.0.113.9, unknown', '10.0.0.1'],
    ['something is no address behind a proxy', '203.0.113.9, unknown, 10.0.0.3', '10.0.0.3'],
    ['an address has a port', '203.0.113.9:1234', '203.0.113.9'],
    ['a proxy has a port', '203.0.113.9:1234, 10.0.0.3:80', '203.0.113.9'],
    ['the port is none', '203.0.113.9:http', '10.0.0.1'],
    ['there is nothing between commas', ', ,', '10.0.0.1'],
    ['the address is IPv6', '2001:db8::7', '2001:db8::7'],
    ['the address is mapped', '::ffff:203.0.113.9', '203.0.113.9'],
    ['a trusted proxy is mapped', '203.0.113.9, ::FFFF:10.0.0.3', '203.0.113.9'],
    ['an address has a zone', 'fe80::1%eth0', 'fe80::1'],
    ['a trusted proxy is mapped in hexadecimal', '203.0.113.9, ::ffff:a00:3', '203.0.113.9'],
  ])('walks the chain from the right when %s', (_, chain, expected) => {
    expect(addressOf(['10.0.0.0/8'], '10.0.0.1', chain)).toBe(expected);
  });

  it.each([
    [['loopback'], '127.8.8.8', true],
    [['loopback'], '::1', true],
    [['loopback'], '::ffff:127.0.0.1', true],
    [['loopback'], '10.0.0.1', false],
    [['10.1.2.3'], '10.1.2.3', true],
    [['10.1.2.3'], '10.1.2.4', false],
    [['10.1.2.0/23'], '10.1.3.255', true],
    [['10.1.2.0/23'], '10.1.4.0', false],
    [['fd00::/8'], 'fdab::1', true],
    [['fd00::/8'], 'fe00::1', false],
    [['2001:db8::1'], '2001:db8:0::1', true],
    [['192.0.2.1', 'fd00::/8', 'loopback'], 'fd00::1', true],
    [['::ffff:10.1.2.0/120'], '10.1.2.9', true],
    [['::ffff:10.1.2.0/120'], '10.1.3.9', false],
    [['::ffff:10.1.2.3'], '::ffff:10.1.2.3', true],
    [['FE80:0::1'], 'fe80::1%eth0', true],
  ])('with %j, %s vouches: %s', (trusted, peer, vouches) => {
    expect(addressOf(trusted, peer, '203.0.113.9') === '203.0.113.9').toBe(vouches);
  });

  it('knows a mapped peer by its IPv4 address', () => {
    expect(addressOf([], '::ffff:192.0.2.1')).toBe('192.0.2.1');
  });

  it.each([
    [{ peer: '192.0.2.1', proto: 'https' }, 'http'],
    [{ peer: '10.0.0.1', proto: 'https' }, 'https'],
    [{ peer: '10.0.0.1', proto: 'http', secure: true }, 'http'],
    [{ peer: '10.0.0.1', proto: 'https, http' }, 'http'],
    [{ peer: '10.0.0.1', proto: 'javascript', secure: true }, 'https'],
    [{ peer: '192.0.2.1', secure: true }, 'https'],
    [{ peer: '10.0.0.1', proto: 'HTTPS' }, 'https'],
    [{ peer: '10.0.0.1', proto: ' Wss ' }, 'https'],
    [{ peer: '10.0.0.1', proto: 'ws', secure: true }, 'http'],
    [{ peer: '10.0.0.1', proto: 'http,https' }, 'https'],
    [{ peer: '10.0.0.1', proto: 'https, ' }, 'http'],
    [{ peer: '10.0.0.1', proto: 'constructor', secure: true }, 'https'],
    [{ peer: '10.0.0.1', proto: 'https, http', forwardedFor: '203.0.113.9, 10.0.0.2' }, 'https'],
    [{ peer: '10.0.0.1', proto: 'http, https, http', forwardedFor: '203.0.113.9, 10.0.0.2' }, 'https'],
    [{ peer: '10.0.0.1', proto: 'https', forwardedFor: '203.0.113.9, 10.0.0.2' }, 'https'],
    [{ peer: '10.0.0.1', proto: 'https, http', forwardedFor: '10.0.0.9, 203.0.113.9' }, 'http'],
  ])('tells the scheme of %j', (arrival, scheme) => {
    expect(originOf(['10.0.0.0/8'], arrival).scheme).toBe(scheme);
  });

  describe('by Forwarded', () => {
    const of = (forwarded: string, more: Partial<Arrival> = {}) =>
      originOf(['10.0.0.0/8'], { peer: '10.0.0.1', forwarded, ...more });

    it.each([
      ['for=203.0.113.9', '203.0.113.9'],
      ['For="203.0.113.9:4711"', '203.0.113.9'],
      ['for=203.0.113.9:4711', '203.0.113.9'],
      ['for="[2001:DB8::7]:4711";by=10.0.0.3', '2001:db8::7'],
      ['for=[2001:db8::7]', '2001:db8::7'],
      ['for=1.1.1.1, for=203.0.113.9', '203.0.113.9'],
      ['for=203.0.113.9,for="10.0.0.2";proto=http , for=10.0.0.3', '203.0.113.9'],
      ['by="a\\"b,c;for=1.1.1.1";for=203.0.113.9', '203.0.113.9'],
      ['for=1.1.1.1;ext="x,for=2.2.2.2",for=203.0.113.9', '203.0.113.9'],
      [', ,for=203.0.113.9,', '203.0.113.9'],
      ['for="::ffff:203.0.113.9"', '203.0.113.9'],
    ])('%s comes from %s', (forwarded, expected) => {
      expect(of(forwarded)).toEqual({ clientAddress: expected, scheme: 'http', doubt: undefined });
    });

    it.each([
      'for=unknown',
      'for=_hidden',
      'for="_hidden:_port"',
      'proto=https',
      'for=203.0.113.9, for=unknown',
    ])('%s names nobody', (forwarded) => {
      expect(of(forwarded)).toMatchObject({ clientAddress: '10.0.0.1', doubt: 'unreadable' });
    });

    it.each([
      'for="203.0.113.9',
      'for="1.1.1.1, for=203.0.113.9',
      'for=1.1.1.1 for=203.0.113.9',
      'for=a;for=b',
      'for',
      '=',
    ])('%s is no field', (forwarded) => {
      expect(of(forwarded)).toMatchObject({ clientAddress: '10.0.0.1', doubt: 'contradiction' });
    });

    it('tells the scheme of the outermost proxy that vouches', () => {
      expect(of('for=203.0.113.9;proto=https')).toMatchObject({ scheme: 'https' });
      expect(
        of('for=1.1.1.1;proto=http, for=203.0.113.9;proto=https, for=10.0.0.2;proto=http'),
      ).toMatchObject({
        scheme: 'https',
      });
    });

    it('agrees with X-Forwarded-For, or nobody is believed', () => {
      const both = (forwardedFor: string, more: Partial<Arrival> = {}) =>
        of('for="203.0.113.9:1";proto=https', { forwardedFor, ...more });
      expect(both('203.0.113.9:2')).toMatchObject({ clientAddress: '203.0.113.9', scheme: 'https' });
      expect(both('1.1.1.1, 203.0.113.9', { proto: 'https' }).doubt).toBeUndefined();
      expect(both('203.0.113.8')).toMatchObject({ clientAddress: '10.0.0.1', doubt: 'contradiction' });
      expect(both('unknown').doubt).toBe('contradiction');
      expect(both('203.0.113.9', { proto: 'http' }).doubt).toBe('contradiction');
    });

    it('is read alone, or not at all, where it is said so', () => {
      const said = { forwardedFor: '203.0.113.8' };
      expect(of('for=203.0.113.9', { ...said, fields: 'rfc7239' }).clientAddress).toBe('203.0.113.9');
      expect(of('for=203.0.113.9', { ...said, fields: 'xForwarded' }).clientAddress).toBe('203.0.113.8');
      expect(originOf(['10.0.0.0/8'], { peer: '10.0.0.1', ...said, fields: 'rfc7239' }).clientAddress).toBe(
        '10.0.0.1',
      );
    });

    it('of who is no trusted proxy is not believed', () => {
      expect(of('for="', { peer: '192.0.2.1' })).toEqual({ clientAddress: '192.0.2.1', scheme: 'http' });
    });
  });
});
