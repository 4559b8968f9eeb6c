import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, type TestGateway } from '../../test/support/gateway.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { readDescriptorSet } from '../upstreams/grpc/descriptors/descriptor-files.ts';
import { recordedCalls } from './recorded-calls.ts';
import { writeSample } from './recorded.fixture.ts';

const SET = 'config/descriptors/shop.binpb';
const CONFIG = `version: 1
defaults: { policies: { authentication: public } }
upstreams:
  orders: { protocol: grpc, descriptorSet: ${SET}, targets: ['grpc://127.0.0.1:1'] }
routes:
  - { id: orders, upstream: orders, grpc: { service: shop.v1.Orders } }
`;
const schema = readDescriptorSet(SET);
const recorded = (path: string, answer: object) => ({
  url: `http://a.test/api/v3/${path}`,
  upstream: 'orders',
  answer: JSON.stringify(answer),
});
const ONE = recorded('orders/7', { id: '7', userId: 'ann' });
const PAGE = recorded('orders?pageSize=2', { orders: [{ id: '7' }] });

let folder: string;
let file: string;
let gateway: TestGateway;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-calls-'));
  file = join(folder, 'sample.ndjson');
  gateway = await startGateway({ config: CONFIG });
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

/** What a fake made of the sample answers. */
async function answerTo(path: string, message: object): Promise<object> {
  const source = await recordedCalls(file, 'orders', schema);
  source.use?.(gateway.gateway.app.get(Snapshots).current);
  const asked = { upstream: 'orders', target: '', method: 'POST', path, headers: {}, body: '', message };
  return source.answer(asked);
}

describe(recordedCalls, () => {
  it('answers the message of which the client got a field', async () => {
    writeSample(file, [ONE]);
    const answer = await answerTo('/shop.v1.Orders/GetOrder', { id: '7' });
    expect(answer).toEqual({ headers: {}, delay: 0, message: { order: { id: '7', userId: 'ann' } } });
  });

  it('answers by the message, else by what stands in the path of the route', async () => {
    const other = recorded('orders?pageSize=3', { orders: [{ id: '8' }] });
    writeSample(file, [PAGE, other]);
    const of = async (message: object) => answerTo('/shop.v1.Orders/ListOrders', message);
    expect(await of({ pageSize: 3 })).toMatchObject({ message: { orders: [{ id: '8' }] } });
    expect(await of({ pageSize: 9 })).toMatchObject({ message: { orders: [{ id: '7' }] } });
  });

  it('does not answer with another one than was asked for', async () => {
    writeSample(file, [ONE]);
    const answer = {
      grpcStatus: 'NOT_FOUND',
      grpcMessage: `${file} has no answer for /shop.v1.Orders/GetOrder with this message`,
    };
    expect(await answerTo('/shop.v1.Orders/GetOrder', { id: '8' })).toMatchObject(answer);
    expect(await answerTo('/shop.v1.Orders/GetOrder', {})).toMatchObject(answer);
  });

  it('leaves out what policies have made something else of', async () => {
    writeSample(file, [recorded('orders/7', { name: 'no field of an order' }), PAGE]);
    expect(await answerTo('/shop.v1.Orders/GetOrder', { id: '7' })).toMatchObject({
      grpcStatus: 'NOT_FOUND',
    });
  });

  it('says what the schema does not have, and makes streams of it', async () => {
    writeSample(file, [ONE]);
    expect(await answerTo('/shop.v1.Orders/None', {})).toMatchObject({ grpcStatus: 'UNIMPLEMENTED' });
    const { messages } = (await answerTo('/shop.v1.Notifications/Watch', {})) as {
      messages: readonly object[];
    };
    expect(messages).toHaveLength(2);
  });

  it('is not made of a sample without answers', async () => {
    writeSample(file, [{ ...ONE, upstream: 'users' }]);
    await expect(recordedCalls(file, 'orders', schema)).rejects.toThrow(`${file} has no answers of orders`);
  });
});
