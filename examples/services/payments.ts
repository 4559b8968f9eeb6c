import { createHash, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { readObject, textField } from './http-body.ts';
import { HttpError, json, type HttpCall, type Reply } from './http-routes.ts';
import { HttpService } from './http-service.ts';
import type { ServiceOptions } from './sample-service.ts';

/** The most payments kept; the oldest are forgotten first. */
const MAX_PAYMENTS = 10_000;
const BLOCK = Buffer.alloc(64 * 1024, 'gatehouse ');
const HEADERS = ['Content-Type', 'application/octet-stream', 'Cache-Control', 'no-store', 'Content-Length'];

/** Bytes of uploads and downloads so far, which shows whether back-pressure reached the service. */
export interface Traffic {
  received: number;
  sent: number;
}

/** The payments service and its byte counts. */
export type PaymentsService = HttpService & { readonly traffic: Traffic };

/**
 * Starts the payments service: `POST /payments`, `GET /payments/{id}`, `PUT /uploads/{name}` (answers
 * `{ bytes, sha256 }` and keeps nothing), `GET /downloads/{bytes}` (streams that many bytes).
 *
 * @throws {Error} naming service and port when the port is taken.
 */
export function startPayments(options: ServiceOptions = {}): Promise<PaymentsService> {
  const payments = new Map<string, Reply>();
  const traffic: Traffic = { received: 0, sent: 0 };
  const service: HttpService = new HttpService('payments', options, [
    { method: 'POST', path: '/payments', handle: (call) => pay(payments, call) },
    { method: 'GET', path: '/payments/{id}', handle: (call) => read(payments, call) },
    { method: 'PUT', path: '/uploads/{name}', handle: (call) => upload(call, traffic) },
    { method: 'GET', path: '/downloads/{bytes}', handle: (call) => download(call, traffic, service) },
  ]);
  return Object.assign(service, { traffic }).start();
}

async function pay(payments: Map<string, Reply>, { request }: HttpCall): Promise<Reply> {
  const body = await readObject(request);
  const orderId = textField(body, 'orderId');
  const currency = body['currency'] === undefined ? 'EUR' : textField(body, 'currency');
  const { amountCents } = body;
  if (!Number.isSafeInteger(amountCents) || Number(amountCents) < 1) {
    throw new HttpError(400, 'amountCents: a whole number from 1 is expected');
  }
  const id = `pay-${randomUUID()}`;
  const payment = {
    id,
    orderId,
    amountCents,
    currency,
    status: 'captured',
    createdAt: new Date().toISOString(),
  };
  payments.set(id, json(200, payment));
  if (payments.size > MAX_PAYMENTS) payments.delete(payments.keys().next().value ?? '');
  return json(201, payment, ['Location', `/payments/${id}`]);
}

function read(payments: Map<string, Reply>, { parameter: id }: HttpCall): Reply {
  const reply = payments.get(id);
  if (reply === undefined) throw new HttpError(404, `payment ${id} does not exist`);
  return reply;
}

async function upload({ request }: HttpCall, traffic: Traffic): Promise<Reply> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    traffic.received += chunk.length;
    hash.update(chunk);
  }
  return json(200, { bytes, sha256: hash.digest('hex') });
}

function download(
  { request, response, parameter }: HttpCall,
  traffic: Traffic,
  service: HttpService,
): undefined {
  const bytes = Number(parameter);
  if (!/^\d+$/.test(parameter) || !Number.isSafeInteger(bytes)) {
    throw new HttpError(400, 'the path must end with a whole number of bytes');
  }
  response.once('close', () => {
    if (!response.writableFinished) service.requests.aborted += 1;
  });
  response.writeHead(200, [...HEADERS, String(bytes), 'X-Served-By', service.name]);
  if (request.method === 'HEAD') response.end();
  else pump(response, bytes, traffic);
}

/** Writes until the socket is full and goes on when it has drained. */
function pump(response: ServerResponse, bytes: number, traffic: Traffic): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const chunk = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
      left -= chunk.length;
      traffic.sent += chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}
