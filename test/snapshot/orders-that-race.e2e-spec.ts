import { afterEach, expect, it } from '@jest/globals';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { reload } from '../support/reload.ts';

let gateway: TestGateway;

afterEach(() => gateway.stop());

const config = (id: string): object => {
  const route = {
    id,
    match: { path: `/${id}` },
    respond: { status: 204 },
    policies: { authentication: 'public' },
  };
  return { version: 1, floodLimit: 'off', routes: [route] };
};

function takeBack(generation: number, match: string): Promise<Answer> {
  return call(`${gateway.adminUrl}/config/rollback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec', 'if-match': match },
    body: JSON.stringify({ generation }),
  });
}

it('of operators who have seen the same configuration one changes it, and the others hear that it has changed', async () => {
  gateway = await startGateway({ config: JSON.stringify(config('one')) });
  await reload(gateway, config('two'));
  await reload(gateway, config('three'));
  const ends = await Promise.all([1, 2, 1, 2].map((one) => takeBack(one, '"3"')));
  expect(ends.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
  const { rows } = (await call(`${gateway.adminUrl}/config/history`)).json<{ rows: object[] }>();
  expect(rows).toHaveLength(4);
  expect((await takeBack(2, '"4", W/"x"')).status).not.toBe(412);
});
