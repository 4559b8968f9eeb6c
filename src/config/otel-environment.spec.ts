import { describe, expect, it } from '@jest/globals';
import { otelSecrets, readOtel } from './otel-environment.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('readOtel', () => {
  it.each([
    ['nothing is said', {}],
    ['the SDK is disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }],
    ['there is no exporter', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
  ])('exports nothing where %s', (_, env) => {
    expect(readOtel(env)).toEqual({ value: undefined, faults: [] });
  });

  it.each([ENDPOINT, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c' }, { OTEL_TRACES_EXPORTER: 'otlp' }])(
    'exports with %j, by the defaults of the specification',
    (env) => {
      expect(readOtel(env)).toMatchObject({
        value: { protocol: 'http/protobuf', ratio: 1, followsParent: true, propagators: undefined },
        faults: [],
      });
    },
  );

  it.each([
    ['always_on', undefined, 1, false],
    ['always_off', undefined, 0, false],
    ['traceidratio', '0.25', 0.25, false],
    ['parentbased_always_off', undefined, 0, true],
    ['parentbased_traceidratio', '0.01', 0.01, true],
  ])('reads the sampler %s %s', (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, ratio, followsParent) => {
    expect(readOtel({ ...ENDPOINT, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }).value).toMatchObject({
      ratio,
      followsParent,
    });
  });

  it('reads the limits of batches and of texts', () => {
    const env = {
      ...ENDPOINT,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_BSP_EXPORT_TIMEOUT: '200',
      OTEL_BSP_MAX_QUEUE_SIZE: '300',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '40',
      OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '50',
      OTEL_PROPAGATORS: 'b3, baggage',
    };
    expect(readOtel(env).value).toMatchObject({
      batch: {
        scheduledDelayMillis: 100,
        exportTimeoutMillis: 200,
        maxQueueSize: 300,
        maxExportBatchSize: 40,
      },
      valueLength: 50,
      propagators: ['b3', 'baggage'],
    });
  });

  it('shows no endpoint that it cannot use', () => {
    const [fault] = readOtel({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:hunter2' }).faults;
    expect(fault?.message).toContain('expected a URL of http or https');
    expect(fault?.message).not.toContain('hunter2');
  });
});

it('knows what may not be shown of the header fields for the collector', () => {
  const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-key=k1' };
  expect(otelSecrets(env)).toEqual(['Bearer%20abc', 'Bearer abc', 'k1']);
  expect(otelSecrets({})).toEqual([]);
});
