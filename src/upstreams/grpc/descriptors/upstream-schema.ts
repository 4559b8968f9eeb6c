import type { FileRegistry } from '@bufbuild/protobuf';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import type { UpstreamOptions } from '../../upstream.schema.ts';
import { compileProto, readDescriptorSet, SchemaError } from './descriptor-files.ts';
import { DESCRIPTOR_FOLDERS, descriptorSetOf } from './descriptor-places.ts';

/** Thrown for an upstream whose schema cannot be used. */
export class UpstreamSchemaError extends PlainFault {
  /** The key of the upstream that is at fault; undefined when it is the route that names it. */
  readonly key: readonly string[] | undefined;
  /** Everything that is wrong there; the message of the error is all of it. */
  readonly faults: readonly string[];

  constructor(key: readonly string[] | undefined, faults: readonly string[]) {
    super(faults.join('\n'));
    this.key = key;
    this.faults = faults;
  }
}

/** Several routes can be offered from the schema of one upstream: it is read once for each configuration. */
const read = new WeakMap<UpstreamOptions, FileRegistry>();

/**
 * The schema of a gRPC upstream, or that it is to be asked itself.
 *
 * @param name of the upstream, as a route says it.
 * @throws {UpstreamSchemaError} when there is none, or it cannot be read.
 */
export function schemaOf(
  name: string,
  upstreams: Readonly<Record<string, UpstreamOptions>>,
): FileRegistry | 'reflection' {
  const options = Object.hasOwn(upstreams, name) ? upstreams[name] : undefined;
  if (options === undefined) throw new UpstreamSchemaError(undefined, [`there is no upstream "${name}"`]);
  if (options.protocol !== 'grpc') {
    throw new UpstreamSchemaError(undefined, ['expected an upstream with `protocol: grpc`']);
  }
  if (options.reflection !== undefined) return 'reflection';
  let registry = read.get(options);
  if (registry === undefined) read.set(options, (registry = readSchema(name, options)));
  return registry;
}

function readSchema(name: string, options: UpstreamOptions): FileRegistry {
  const { proto } = options;
  const descriptorSet = descriptorSetOf(name, options);
  if (descriptorSet === undefined && proto === undefined) {
    const places = DESCRIPTOR_FOLDERS.map((folder) => `${folder}/${name}.binpb`).join(' or ');
    const message = `expected \`descriptorSet\`, \`proto\` or \`reflection\`, or a file ${places}: the route of ${name} has \`grpc\``;
    throw new UpstreamSchemaError([], [message]);
  }
  try {
    return descriptorSet === undefined ? compileProto(proto ?? '') : readDescriptorSet(descriptorSet);
  } catch (error) {
    const key = descriptorSet === undefined ? 'proto' : 'descriptorSet';
    throw new UpstreamSchemaError(
      // One that was found by the name of the upstream is said nowhere.
      options.descriptorSet === undefined && proto === undefined ? [] : [key],
      error instanceof SchemaError ? error.faults : [(error as Error).message],
    );
  }
}
