import { describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { operation } from '../operation.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { AdminAccess } from './admin-access.ts';
import { guardOperations } from './guard.ts';

describe('a route of the operators’ listener', () => {
  it('is nobody’s without a role and a name, also of who may do everything', async () => {
    const server = fastify();
    guardOperations(server, new AdminAccess({ adminHost: '127.0.0.1' }), new Metrics());
    server.get('/bare', () => 'told');
    server.get('/named', { config: { operation: 'named' } }, () => 'told');
    server.get('/role', { config: { role: 'anyone' } }, () => 'told');
    server.get('/whole', operation('whole', 'admin'), () => 'told');
    const url = await server.listen({ port: 0, host: '127.0.0.1' });
    const statusOf = async (path: string, method = 'GET') => (await fetch(url + path, { method })).status;
    for (const path of ['/bare', '/named', '/role']) {
      expect([path, await statusOf(path)]).toEqual([path, 403]);
      expect([path, await statusOf(path, 'HEAD')]).toEqual([path, 403]);
    }
    expect(await statusOf('/whole')).toBe(200);
    await server.close();
  });
});
