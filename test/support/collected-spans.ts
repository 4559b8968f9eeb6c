import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** What an attribute can be here. */
export type AttributeValue = string | number | boolean | readonly AttributeValue[];

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for none. */
  readonly parentId: string;
  readonly state: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'other';
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly status: 'unset' | 'ok' | 'error';
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** What one export brings. */
export interface CollectedBatch {
  readonly resource: Readonly<Record<string, AttributeValue>>;
  readonly spans: readonly CollectedSpan[];
}

const KINDS = ['other', 'internal', 'server', 'client', 'other', 'other'] as const;
const STATUSES = ['unset', 'ok', 'error'] as const;

type Fields = Map<number, (Uint8Array | bigint | number)[]>;

/** Reads an `ExportTraceServiceRequest` (opentelemetry-proto, `trace_service.proto`) in the wire format of Protocol Buffers. */
export function readProtobuf(bytes: Uint8Array): readonly CollectedBatch[] {
  return all(fieldsOf(bytes), 1).map((batch) => {
    const fields = fieldsOf(batch);
    const [resource] = all(fields, 1);
    const spans = all(fields, 2).flatMap((scope) => all(fieldsOf(scope), 2));
    return {
      resource: resource === undefined ? {} : attributesOf(all(fieldsOf(resource), 1)),
      spans: spans.map(spanOf),
    };
  });
}

function spanOf(bytes: Uint8Array): CollectedSpan {
  const fields = fieldsOf(bytes);
  const [status] = all(fields, 15);
  const code = status === undefined ? 0 : Number(fieldsOf(status).get(3)?.[0] ?? 0);
  return {
    traceId: hex(fields, 1),
    spanId: hex(fields, 2),
    parentId: hex(fields, 4),
    state: text(all(fields, 3)[0]),
    name: text(all(fields, 5)[0]),
    kind: KINDS[Number(fields.get(6)?.[0] ?? 0)] ?? 'other',
    startNs: BigInt(fields.get(7)?.[0] as bigint),
    endNs: BigInt(fields.get(8)?.[0] as bigint),
    attributes: attributesOf(all(fields, 9)),
    status: STATUSES[code] ?? 'unset',
    links: all(fields, 13).map((link) => ({
      traceId: hex(fieldsOf(link), 1),
      spanId: hex(fieldsOf(link), 2),
    })),
  };
}

function attributesOf(pairs: readonly Uint8Array[]): Record<string, AttributeValue> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      return [text(all(fields, 1)[0]), valueOf(all(fields, 2)[0] ?? new Uint8Array())];
    }),
  );
}

function valueOf(bytes: Uint8Array): AttributeValue {
  const fields = fieldsOf(bytes);
  for (const [field, [value]] of fields) {
    if (field === 1) return text(value as Uint8Array);
    if (field === 2) return Number(value) === 1;
    if (field === 3) return Number(value);
    if (field === 4) return Number(value);
    if (field === 5) return all(fieldsOf(value as Uint8Array), 1).map(valueOf);
  }
  return '';
}

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Varint) values.push(BigInt(reader.uint64()));
    else if (type === WireType.Bit64) values.push(field === 4 ? reader.double() : BigInt(reader.fixed64()));
    else if (type === WireType.Bit32) values.push(reader.fixed32());
  }
  return fields;
}

function all(fields: Fields, field: number): readonly Uint8Array[] {
  return (fields.get(field) ?? []).filter((value) => value instanceof Uint8Array);
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString();
}

function hex(fields: Fields, field: number): string {
  return Buffer.from(all(fields, field)[0] ?? []).toString('hex');
}

interface JsonValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly JsonValue[] };
}
type JsonPairs = readonly { readonly key: string; readonly value: JsonValue }[];
interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: JsonPairs;
  readonly status?: { readonly code?: number };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
}
interface JsonBatches {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: JsonPairs };
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
}

/** Reads the same message as JSON. */
export function readJson(json: string): readonly CollectedBatch[] {
  const { resourceSpans } = JSON.parse(json) as JsonBatches;
  return resourceSpans.map(({ resource, scopeSpans }) => ({
    resource: pairsOf(resource.attributes),
    spans: scopeSpans.flatMap(({ spans }) => spans.map(jsonSpan)),
  }));
}

function jsonSpan(span: JsonSpan): CollectedSpan {
  const { traceId, spanId, name } = span;
  return {
    traceId,
    spanId,
    parentId: span.parentSpanId ?? '',
    state: span.traceState ?? '',
    name,
    kind: KINDS[span.kind] ?? 'other',
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
    attributes: pairsOf(span.attributes ?? []),
    status: STATUSES[span.status?.code ?? 0] ?? 'unset',
    links: (span.links ?? []).map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
  };
}

function pairsOf(pairs: JsonPairs): Record<string, AttributeValue> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, jsonValue(value)]));
}

function jsonValue({ stringValue, boolValue, intValue, doubleValue, arrayValue }: JsonValue): AttributeValue {
  if (arrayValue !== undefined) return arrayValue.values.map(jsonValue);
  return stringValue ?? boolValue ?? (intValue === undefined ? (doubleValue ?? '') : Number(intValue));
}
