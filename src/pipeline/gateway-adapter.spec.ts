import { describe, expect, it } from '@jest/globals';
import { fastifyOptions } from './fastify-options.ts';
import { createLogger } from '../telemetry/logger.ts';
import { gatewayAdapter } from './gateway-adapter.ts';

describe(gatewayAdapter.name, () => {
  const options = fastifyOptions(createLogger('silent', { write() {} }));

  it('leaves out the hooks that are known, so that a new one of Nest is looked at before it is lost', () => {
    const leftOut: string[] = [];
    gatewayAdapter(options, (name) => leftOut.push(name));
    expect(leftOut).toEqual([...Array<string>(6).fill('onRequest'), 'onResponse']);
  });

  it('takes the hooks that are added later', async () => {
    const instance = gatewayAdapter(options).getInstance();
    instance.addHook('onRequest', (_request, reply) => reply.code(418).send('short and stout'));
    instance.get('/', () => 'never');
    expect((await instance.inject('/')).statusCode).toBe(418);
    await instance.close();
  });
});
