import type { Metadata } from '@grpc/grpc-js';
import { createRequire } from 'node:module';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import {
  detectResources,
  envDetector,
  hostDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  type Resource,
} from '@opentelemetry/resources';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { OtelEnvironment } from '../../config/otel-environment.ts';
import { SpanWriter } from './span-writer.ts';
import type { ExportWatch } from './watched-exporter.ts';

const SERVICE = 'gatehouse';

/**
 * Opens the way of spans to a collector, by OpenTelemetry's SDK: where to, with which header fields and how long a batch may take
 * is read by its exporters from the `OTEL_EXPORTER_OTLP_*` variables of the process.
 */
export async function openWriter(otel: OtelEnvironment, watch: ExportWatch): Promise<SpanWriter> {
  const { version } = createRequire(import.meta.url)('../../../package.json') as { readonly version: string };
  const exporter = await exporterOf(otel);
  const scope = { name: SERVICE, version };
  return new SpanWriter({ exporter, home: { resource: resourceOf(version), scope }, otel, watch });
}

/** `OTEL_SERVICE_NAME` goes before `OTEL_RESOURCE_ATTRIBUTES`, and both before what is known of the process. */
function resourceOf(version: string): Resource {
  const own = resourceFromAttributes({ [ATTR_SERVICE_NAME]: SERVICE, [ATTR_SERVICE_VERSION]: version });
  const found = detectResources({ detectors: [hostDetector, serviceInstanceIdDetector, envDetector] });
  return own.merge(found);
}

// Only the one that is used is loaded.
async function exporterOf({ protocol, headers }: OtelEnvironment): Promise<SpanExporter> {
  if (protocol === 'grpc') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    return new OTLPTraceExporter(headers && { metadata: await metadataOf(headers) });
  }
  if (protocol === 'http/json') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    return new OTLPTraceExporter(headers && { headers });
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter(headers && { headers });
}

async function metadataOf(headers: Readonly<Record<string, string>>): Promise<Metadata> {
  const { Metadata } = await import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
