import { existsSync, readFileSync, statSync } from 'node:fs';
import { ConfigError } from '../config/config-fault.ts';
import { readYaml } from '../config/yaml-reader.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { schemaIn } from '../simulate/stand-ins.ts';
import { compileProto, readDescriptorSet } from '../upstreams/grpc/descriptors/descriptor-files.ts';
import { FakeFault, jsonAnswer, type AnswerSource } from './answer-source.ts';
import { grpcSource, type GrpcSource } from './grpc-source.ts';
import { openapiSource } from './openapi-source.ts';
import { recordedCalls } from './recorded-calls.ts';
import { isSample, recordedSource } from './recorded-source.ts';

type Upstreams = GatewaySource['value']['upstreams'];

/** Where the document of an upstream is looked for. */
const PLACES = ['openapi', 'config/openapi', '.'] as const;
const ENDS = ['.yaml', '.yml', '.json', '.openapi.yaml', '.openapi.yml', '.openapi.json'] as const;
const FILE_NAME = /^[\w-][\w.-]*$/;

/**
 * What the answers of an upstream are made of: of gRPC its own schema or a file of one, of HTTP an OpenAPI document or a
 * sample of `gatehouse record`; without a file one that is called as the upstream is, else an answer that repeats what was asked.
 *
 * @throws {FakeFault} for a file that makes no answers.
 */
export async function findSource(
  name: string,
  upstreams: Upstreams,
  file?: string,
): Promise<AnswerSource | GrpcSource> {
  if (file !== undefined && !existsSync(file)) throw new FakeFault(`there is no file ${file}`);
  if (upstreams[name]?.protocol === 'grpc') {
    if (file === undefined || !(await isSample(file))) return grpcOf(name, upstreams, file);
    return recordedCalls(file, name, grpcOf(name, upstreams, undefined).schema);
  }
  const found = file ?? documentOf(name);
  if (found === undefined) return echo(name);
  if (await isSample(found)) return recordedSource(found, name);
  return openapiSource(documentIn(found), found);
}

function grpcOf(name: string, upstreams: Upstreams, file: string | undefined): GrpcSource {
  const schema = schemaOfFile(name, upstreams, file);
  if (schema === undefined)
    throw new FakeFault(
      'nothing describes its services: give it `descriptorSet` or `proto` in the configuration, put a descriptor set of its name where the gateway looks for it, or name one behind the name of the fake',
    );
  return grpcSource(schema, file === undefined ? 'its schema' : `schema ${file}`, file);
}

function schemaOfFile(
  name: string,
  upstreams: Upstreams,
  file: string | undefined,
): ReturnType<typeof schemaIn> {
  try {
    if (file === undefined) return schemaIn(name, upstreams);
    const isSource = file.endsWith('.proto') || statSync(file).isDirectory();
    return isSource ? compileProto(file) : readDescriptorSet(file);
  } catch (error) {
    throw new FakeFault((error as Error).message, { cause: error });
  }
}

function documentOf(name: string): string | undefined {
  if (!FILE_NAME.test(name)) return undefined;
  const places = PLACES.flatMap((folder) => ENDS.map((end) => ({ folder, end })));
  // Beside a project's own files only what says that it is one.
  const meant = places.filter(({ folder, end }) => folder !== '.' || end.startsWith('.openapi'));
  return meant
    .map(({ folder, end }) => (folder === '.' ? `${name}${end}` : `${folder}/${name}${end}`))
    .find((path) => existsSync(path));
}

// What is wrong with its syntax has its place.
function documentIn(file: string): unknown {
  const { value, faults } = readYaml(readFileSync(file, 'utf8'), file, 'kept');
  if (faults.length > 0) throw new ConfigError(faults);
  return value;
}

function echo(name: string): AnswerSource {
  return {
    told: 'an echo of what was asked',
    answer: ({ method, path, body }) =>
      jsonAnswer(200, { fake: name, method, path, ...(body === '' ? {} : { body }) }),
  };
}
