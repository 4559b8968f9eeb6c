import { createRegistry, type DescMethod, type DescService } from '@bufbuild/protobuf';
import { fileURLToPath } from 'node:url';
import type { ServiceSchema } from '../../simulate/grpc-stand-in.ts';
import { compileProto, readDescriptorSet } from '../../upstreams/grpc/descriptors/descriptor-files.ts';
import { noSuch, TestingError } from '../testing-error.ts';

/** Where the services of a fake are described: one of the three. */
export interface GrpcSchemaOptions {
  /** A descriptor set with its imports, as `buf build -o` writes it. */
  readonly descriptorSet?: string | URL;
  /** A `.proto` file, or the folder of a module; `buf` has to be on the PATH. */
  readonly proto?: string | URL;
  /** Services of generated code. */
  readonly services?: readonly DescService[];
}

/** What a fake knows of its services. */
export interface GrpcSchema {
  readonly registry: ServiceSchema;
  /** By `package.Service/Method`. */
  readonly methods: ReadonlyMap<string, DescMethod>;
}

/** Reads what services there are. @throws {TestingError} saying what is wrong with the files. */
export function grpcSchema({ descriptorSet, proto, services }: GrpcSchemaOptions): GrpcSchema {
  const given = [descriptorSet, proto, services].filter((one) => one !== undefined).length;
  if (given !== 1)
    throw new TestingError('a fake gRPC service is described by one of descriptorSet, proto and services');
  if (services !== undefined) return { registry: createRegistry(...services), methods: methodsOf(services) };
  try {
    const registry =
      descriptorSet === undefined ? compileProto(pathOf(proto ?? '')) : readDescriptorSet(pathOf(descriptorSet));
    return schemaOfRegistry(registry);
  } catch (error) {
    throw new TestingError(`a fake gRPC service: ${(error as Error).message}`, { cause: error });
  }
} // prettier-ignore

/** What is in a registry. */
export function schemaOfRegistry(registry: ServiceSchema & Iterable<{ readonly kind: string }>): GrpcSchema {
  const services = [...registry].filter((one): one is DescService => one.kind === 'service');
  return { registry, methods: methodsOf(services) };
}

/**
 * Finds a method by its whole name, `package.Service/Method`, or by the end of it where that is of one only.
 *
 * @throws {TestingError} for a name of none, or of several.
 */
export function methodNamed({ methods }: GrpcSchema, name: string): readonly [string, DescMethod] {
  const whole = [...methods].find(([full]) => full === name);
  if (whole !== undefined) return whole;
  const ends = [...methods].filter(([full]) => full.endsWith(`/${name}`) || full.endsWith(`.${name}`));
  const [only, another] = ends;
  if (only === undefined) throw noSuch('method', name, [...methods.keys(), ...shortNames(methods)]);
  if (another !== undefined)
    throw new TestingError(`several methods are called "${name}": ${ends.map(([full]) => full).join(', ')}`);
  return only;
}

function methodsOf(services: readonly DescService[]): ReadonlyMap<string, DescMethod> {
  const all = services.flatMap(({ typeName, methods }) =>
    methods.map((method) => [`${typeName}/${method.name}`, method] as const),
  );
  return new Map(all);
}

function shortNames(methods: ReadonlyMap<string, DescMethod>): readonly string[] {
  return [...methods.values()].map(({ name }) => name);
}

function pathOf(file: string | URL): string {
  return typeof file === 'string' ? file : fileURLToPath(file);
}
