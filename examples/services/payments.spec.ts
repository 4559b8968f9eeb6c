import { createHash } from 'node:crypto';
import { get, request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startPayments, type PaymentsService } from './payments.ts';

let payments: PaymentsService;
beforeEach(async () => {
  payments = await startPayments();
});
afterEach(() => payments.stop());

describe('payments', () => {
  it('takes a payment and answers it again', async () => {
    const body = JSON.stringify({ orderId: 'ord-1001', amountCents: 3980 });
    const created = await fetch(`${payments.url}/payments`, { method: 'POST', body });
    const payment = (await created.json()) as { id: string };
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/payments/${payment.id}`);
    expect(payment).toMatchObject({
      orderId: 'ord-1001',
      amountCents: 3980,
      currency: 'EUR',
      status: 'captured',
    });
    expect(await (await fetch(`${payments.url}/payments/${payment.id}`)).json()).toEqual(payment);
  });

  it('answers 404 for an unknown payment', async () => {
    expect((await fetch(`${payments.url}/payments/pay-0`)).status).toBe(404);
  });

  it.each([0, -5, 1.5, '10', undefined])('answers 400 for the amount %p', async (amountCents) => {
    const body = JSON.stringify({ orderId: 'ord-1001', amountCents });
    const response = await fetch(`${payments.url}/payments`, { method: 'POST', body });
    const error = 'amountCents: a whole number from 1 is expected';
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });
});

describe('uploads', () => {
  it('answers size and digest of the body', async () => {
    const body = Buffer.alloc(3_000_001, 'abc');
    const response = await fetch(`${payments.url}/uploads/file.bin`, { method: 'PUT', body });
    const sha256 = createHash('sha256').update(body).digest('hex');
    expect(await response.json()).toEqual({ bytes: 3_000_001, sha256 });
    expect(payments.traffic.received).toBe(3_000_001);
  });

  it('counts a client that goes away during the body', async () => {
    const upload = httpRequest(`${payments.url}/uploads/x`, { method: 'PUT' }).on('error', () => undefined);
    upload.write(Buffer.alloc(1000));
    await until(() => payments.traffic.received === 1000);
    upload.destroy();
    await until(() => payments.requests.aborted > 0);
    expect(payments.requests).toMatchObject({ total: 1, aborted: 1, by: { 'PUT /uploads/{name}': 1 } });
  });
});

describe('downloads', () => {
  it.each([0, 10, 65_536, 1_000_001])('sends exactly %i bytes', async (bytes) => {
    const response = await fetch(`${payments.url}/downloads/${bytes}`);
    expect(response.headers.get('content-length')).toBe(String(bytes));
    expect(response.headers.get('x-served-by')).toBe('payments');
    expect((await response.arrayBuffer()).byteLength).toBe(bytes);
    expect(payments.requests.aborted).toBe(0);
  });

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${payments.url}/downloads/1000000000`, { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('1000000000');
    expect(payments.traffic.sent).toBe(0);
  });

  it.each(['many', '-1', '1e3', '99999999999999999999'])('answers 400 for "%s" bytes', async (bytes) => {
    expect((await fetch(`${payments.url}/downloads/${bytes}`)).status).toBe(400);
  });

  it('waits for a client that does not read, and counts it when it goes away', async () => {
    const bytes = 1_000_000_000;
    const response = await new Promise<import('node:http').IncomingMessage>((resolve) => {
      get(`${payments.url}/downloads/${bytes}`, resolve);
    });
    response.on('error', () => undefined);
    const sent = await settled(() => payments.traffic.sent);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(bytes / 10);
    response.destroy();
    await until(() => payments.requests.aborted === 1);
    expect(await settled(() => payments.traffic.sent)).toBeLessThan(bytes / 10);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The value once it has stayed the same for a while. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  while (before !== read()) {
    before = read();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return before;
}
