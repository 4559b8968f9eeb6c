import type { DescMethodUnary, FileRegistry } from '@bufbuild/protobuf';
import type { TemplateFaults } from '../../templates/template-fault.ts';
import type { AggregateCallOptions, BatchKeys } from './aggregate.schema.ts';
import { compileGrpcMany, type GrpcMany } from './grpc-many.ts';
import { findMethod } from './grpc-operation.ts';
import { compileHttpMany, type HttpMany } from './http-many.ts';
import type { RequestTarget } from './request-target.ts';
import type { ValueNames } from '../../templates/value-source.ts';

/** Where the `batch` of a call is, and who hears of its faults. */
export interface BatchPlace {
  readonly options: AggregateCallOptions;
  /** Of the call. */
  readonly path: readonly string[];
  readonly faults: TemplateFaults;
}

/** Compiles the `batch` of a call over HTTP. */
export function httpManyOf(
  { options: { batch }, path, faults }: BatchPlace,
  target: RequestTarget,
  names: ValueNames,
): HttpMany | undefined {
  if (batch === undefined) return undefined;
  const place = [...path, 'batch'];
  assertKeys(batch, ['grpc', 'ids', 'by'], { place, faults, over: 'HTTP' });
  const { path: template } = batch;
  if (template === undefined) {
    faults.add(place, 'expected `path`: the call is over HTTP');
    return undefined;
  }
  return faults.attempt([...place, 'path'], () => compileHttpMany(template, target, names));
}

/** Compiles the `batch` of a call over gRPC. */
export function grpcManyOf(
  { options: { batch, input = {} }, path, faults }: BatchPlace,
  single: DescMethodUnary,
  registry: FileRegistry,
): GrpcMany | undefined {
  if (batch === undefined) return undefined;
  const place = [...path, 'batch'];
  assertKeys(batch, ['path'], { place, faults, over: 'gRPC' });
  const { grpc } = batch;
  if (grpc === undefined) {
    faults.add(place, 'expected `grpc`: the call is over gRPC');
    return undefined;
  }
  const method = faults.attempt([...place, 'grpc'], () => findMethod(grpc, registry));
  if (method === undefined) return undefined;
  return compileGrpcMany(batch, { single, method, given: Object.keys(input), path: place, faults });
}

function assertKeys(
  batch: BatchKeys,
  strange: readonly (keyof BatchKeys)[],
  {
    place,
    faults,
    over,
  }: { readonly place: readonly string[]; readonly faults: TemplateFaults; readonly over: string },
): void {
  for (const key of strange) {
    if (batch[key] !== undefined)
      faults.add([...place, key], `expected no \`${key}\` for a call over ${over}`);
  }
}
