import type { ConfigFault } from './config-fault.ts';

/** How spans are sent to a collector. */
export type OtlpProtocol = 'grpc' | 'http/protobuf' | 'http/json';

/** Formats in which OpenTelemetry names trace contexts; those of other makers are not spoken. */
export type Propagator = 'tracecontext' | 'baggage' | 'b3' | 'b3multi';

/**
 * What the variables of OpenTelemetry say, where spans are to be exported. The exporter itself reads the ones that say where
 * to and with what: `OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS`, `_TIMEOUT`, `_COMPRESSION`, `_CERTIFICATE` and so on.
 */
export interface OtelEnvironment {
  readonly protocol: OtlpProtocol;
  /** Share of the traces that begin here which are sampled, from 0 to 1. */
  readonly ratio: number;
  /** Whether what the caller has decided holds. */
  readonly followsParent: boolean;
  /** Undefined: `tracecontext,baggage`. */
  readonly propagators: readonly Propagator[] | undefined;
  /** Limits of the batches; undefined where the SDK's defaults hold. Times in ms. */
  readonly batch: {
    readonly scheduledDelayMillis: number | undefined;
    readonly exportTimeoutMillis: number | undefined;
    readonly maxQueueSize: number | undefined;
    readonly maxExportBatchSize: number | undefined;
  };
  /** Fields for the collector, where a file has said some; undefined: the exporter reads all of them from the environment. */
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** Longest text of an attribute; undefined for our own limits only. */
  readonly valueLength: number | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;
type Read<Value> = { readonly value: Value; readonly faults: readonly ConfigFault[] };

const PROTOCOLS: readonly string[] = ['grpc', 'http/protobuf', 'http/json'];
const PROPAGATORS: readonly string[] = ['tracecontext', 'baggage', 'b3', 'b3multi'];
const SAMPLERS: readonly string[] = ['always_on', 'always_off', 'traceidratio'];
const HEADERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'] as const;
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const;
const PARENT_BASED = 'parentbased_';

/**
 * Reads the variables of OpenTelemetry (specification, *Environment variables*). Spans are exported when an endpoint or
 * `OTEL_TRACES_EXPORTER=otlp` is set: without either there is most likely nobody to take them, so that the default of the
 * specification, a collector on this machine, is not assumed.
 *
 * @param env without variables that are blank, which count as unset.
 */
export function readOtel(env: Env): Read<OtelEnvironment | undefined> {
  if (!isOn(env)) return { value: undefined, faults: exporterFaults(env) };
  const protocol = protocolOf(env);
  const sampler = samplerOf(env);
  const propagators = propagatorsOf(env['OTEL_PROPAGATORS']);
  const faults: ConfigFault[] = [
    ...exporterFaults(env),
    ...endpointFaults(env),
    ...protocol.faults,
    ...sampler.faults,
    ...propagators.faults,
  ];
  const count = (name: string, least: number): number | undefined => {
    const read = countOf(env, name, least);
    faults.push(...read.faults);
    return read.value;
  };
  const batch = {
    scheduledDelayMillis: count('OTEL_BSP_SCHEDULE_DELAY', 0),
    exportTimeoutMillis: count('OTEL_BSP_EXPORT_TIMEOUT', 1),
    maxQueueSize: count('OTEL_BSP_MAX_QUEUE_SIZE', 1),
    maxExportBatchSize: count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1),
  };
  const valueLength =
    count('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 1) ?? count('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 1);
  const value = {
    protocol: protocol.value,
    ...sampler.value,
    propagators: propagators.value,
    batch,
    headers: headersOf(env),
    valueLength,
  };
  return { value: Object.freeze(value), faults };
}

/** The secrets that those variables hold: the values of header fields for the collector. */
export function otelSecrets(env: Env): readonly string[] {
  return HEADERS.flatMap((name) =>
    pairsOf(env[name]).flatMap(([, value]) => {
      const decoded = plain(value);
      return decoded === value ? [value] : [value, decoded];
    }),
  );
}

// The variable for traces goes before the one for everything, as it does for the exporter.
function headersOf(env: Env): Readonly<Record<string, string>> | undefined {
  if (HEADERS.every((name) => env[`${name}_FILE`] === undefined)) return undefined;
  const pairs = HEADERS.flatMap((name) => pairsOf(env[name]));
  return Object.fromEntries(pairs.map(([name, value]) => [plain(name), plain(value)]));
}

function pairsOf(list = ''): readonly (readonly [name: string, value: string])[] {
  return list.split(/[,\r\n]/).flatMap((pair) => {
    const at = pair.indexOf('=');
    const value = pair.slice(at + 1).trim();
    return at < 0 || value === '' ? [] : [[pair.slice(0, at).trim(), value] as const];
  });
}

function isOn(env: Env): boolean {
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return false;
  const exporter = env['OTEL_TRACES_EXPORTER']?.trim();
  if (exporter !== undefined) return exporter === 'otlp';
  return ENDPOINTS.some((name) => env[name] !== undefined);
}

function exporterFaults(env: Env): readonly ConfigFault[] {
  const exporter = env['OTEL_TRACES_EXPORTER']?.trim();
  if (exporter === undefined || exporter === 'otlp' || exporter === 'none') return [];
  return [fault('OTEL_TRACES_EXPORTER', `expected otlp or none, given ${JSON.stringify(exporter)}`)];
}

function endpointFaults(env: Env): readonly ConfigFault[] {
  return ENDPOINTS.flatMap((name) => {
    const url = env[name] === undefined ? undefined : URL.parse(env[name]);
    if (url === undefined || url?.protocol === 'http:' || url?.protocol === 'https:') return [];
    const message =
      'expected a URL of http or https, such as http://127.0.0.1:4318; the value is not shown, it may hold a password';
    return [fault(name, message)];
  });
}

function protocolOf(env: Env): Read<OtlpProtocol> {
  const name =
    env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] === undefined
      ? 'OTEL_EXPORTER_OTLP_PROTOCOL'
      : 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL';
  const given = env[name]?.trim() ?? 'http/protobuf';
  if (PROTOCOLS.includes(given)) return { value: given as OtlpProtocol, faults: [] };
  const message = `expected one of ${PROTOCOLS.join(', ')}, given ${JSON.stringify(given)}`;
  return { value: 'http/protobuf', faults: [fault(name, message)] };
}

function samplerOf(env: Env): Read<Pick<OtelEnvironment, 'ratio' | 'followsParent'>> {
  const given = env['OTEL_TRACES_SAMPLER']?.trim() ?? 'parentbased_always_on';
  const followsParent = given.startsWith(PARENT_BASED);
  const root = followsParent ? given.slice(PARENT_BASED.length) : given;
  if (!SAMPLERS.includes(root)) {
    const known = SAMPLERS.flatMap((name) => [name, PARENT_BASED + name]);
    const message = `expected one of ${known.join(', ')}, given ${JSON.stringify(given)}`;
    return { value: { ratio: 1, followsParent: true }, faults: [fault('OTEL_TRACES_SAMPLER', message)] };
  }
  if (root !== 'traceidratio')
    return { value: { ratio: root === 'always_on' ? 1 : 0, followsParent }, faults: [] };
  const text = env['OTEL_TRACES_SAMPLER_ARG']?.trim() ?? '1';
  const ratio = Number(text);
  if (ratio >= 0 && ratio <= 1) return { value: { ratio, followsParent }, faults: [] };
  const message = `expected a number from 0 to 1, given ${JSON.stringify(text)}`;
  return { value: { ratio: 1, followsParent }, faults: [fault('OTEL_TRACES_SAMPLER_ARG', message)] };
}

function propagatorsOf(list: string | undefined): Read<readonly Propagator[] | undefined> {
  if (list === undefined) return { value: undefined, faults: [] };
  const given = list.split(',').map((name) => name.trim());
  if (given.length === 1 && given[0] === 'none') return { value: [], faults: [] };
  const unknown = given.filter((name) => !PROPAGATORS.includes(name));
  const message = `expected none or some of ${PROPAGATORS.join(', ')}, given ${JSON.stringify(list)}`;
  const faults = unknown.length > 0 ? [fault('OTEL_PROPAGATORS', message)] : [];
  return { value: given as readonly Propagator[], faults };
}

function countOf(env: Env, name: string, least: number): Read<number | undefined> {
  const text = env[name]?.trim();
  if (text === undefined) return { value: undefined, faults: [] };
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least) return { value, faults: [] };
  const message = `expected a whole number from ${least} on, given ${JSON.stringify(text)}`;
  return { value: undefined, faults: [fault(name, message)] };
}

function fault(key: string, message: string): ConfigFault {
  return { file: 'environment', key, message };
}

function plain(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
