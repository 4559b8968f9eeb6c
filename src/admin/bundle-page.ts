import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { operation } from './operation.ts';
import { supportBundle, type BundleDeps } from './support-bundle.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** Serves the support bundle: one document of JSON, made while it is read. */
export function serveBundle(server: FastifyInstance, deps: Omit<BundleDeps, 'version'>): void {
  const bundle = operation('makeSupportBundle', 'operate', {
    summary: 'All that somebody needs who is asked for help, without secrets',
  });
  server.get('/support-bundle', bundle, (_request, reply) => {
    const name = `gatehouse-support-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`;
    return reply
      .type('application/json; charset=utf-8')
      .header('content-disposition', `attachment; filename="${name}"`)
      .header('cache-control', 'no-store')
      .send(Readable.from(supportBundle({ ...deps, version })));
  });
}
