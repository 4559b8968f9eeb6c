import { describe, expect, it } from '@jest/globals';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { formOfPeer, readAddress } from './address-form.ts';

describe(readAddress, () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:4711', '203.0.113.7'],
    ['203.0.113.7:65535', '203.0.113.7'],
    ['"203.0.113.7:80"', '203.0.113.7'],
    ['[203.0.113.7]', undefined],
    ['203.0.113.7:123456', undefined],
    ['203.0.113.7:', undefined],
    ['203.0.113.7:a', undefined],
    ['203.0.113', undefined],
    ['203.0.113.07', undefined],
    ['999.0.113.7', undefined],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[2001:db8::1]:443"', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::', '::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:80', 'fe80::1'],
    ['::ffff:5.5.5.5', '5.5.5.5'],
    ['::FFFF:505:505', '5.5.5.5'],
    ['[::ffff:505:505]:80', '5.5.5.5'],
    ['0:0:0:0:0:ffff:0505:0505', '5.5.5.5'],
    ['::ffff:cb00:7107%eth0', '203.0.113.7'],
    ['::5.5.5.5', '::505:505'],
    ['[2001:db8::1', undefined],
    ['2001:db8::1]', undefined],
    ['[2001:db8::1]443', undefined],
    ['[]', undefined],
    ['', undefined],
    ['unknown', undefined],
    ['_hidden', undefined],
    ['example.com', undefined],
    ['[::1]@evil', undefined],
  ])('reads %j as %j', (text, form) => {
    expect(readAddress(text)).toBe(form);
  });
});

describe(formOfPeer, () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::1.2.3.4', '::102:304'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['', ''],
  ])('makes of %j %j', (address, form) => {
    expect(formOfPeer(address)).toBe(form);
  });

  it.each(['127.0.0.1', '::1'])('has one form with what a forwarding field says: %s', async (host) => {
    const server = createServer().listen(0, '::');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, host);
    const [socket] = (await once(server, 'connection')) as [Socket];
    expect(formOfPeer(socket.remoteAddress ?? '')).toBe(readAddress(host));
    client.destroy();
    server.close();
  });
});
