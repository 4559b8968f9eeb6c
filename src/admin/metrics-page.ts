import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../telemetry/metrics.ts';
import { operation } from './operation.ts';
import { METRICS_TYPES, metricsFormat } from '../telemetry/metrics-format.ts';

/** Serves all metrics of the process, as OpenMetrics to whoever asks for that. */
export function serveMetrics(server: FastifyInstance, metrics: Metrics): void {
  const summary = 'All metrics, in the format of Prometheus';
  const scrape = operation('scrapeMetrics', 'read', { summary, media: 'text/plain' });
  server.get('/metrics', scrape, async ({ headers }, reply) => {
    const format = metricsFormat(headers.accept);
    const page = await metrics.page(format);
    return reply.type(METRICS_TYPES[format]).header('vary', 'Accept').send(page);
  });
}
