import { resolve } from 'node:path';
import type { GatewaySource } from '../../routing/table-builder.ts';
import { namedFiles } from '../../snapshot/named-files.ts';
import { descriptorSetOf } from '../../upstreams/grpc/descriptors/descriptor-places.ts';

/** The files that a configuration is made of: its own, those that it names, and the schemas of its upstreams. */
export function sourceFiles(source: GatewaySource): readonly string[] {
  const schemas = Object.entries(source.value.upstreams).flatMap(([name, options]) =>
    options.protocol === 'grpc' ? [descriptorSetOf(name, options) ?? options.proto] : [],
  );
  const teams = source.teams?.sources.map(({ file }) => file) ?? [];
  const files = [source.document.file, ...teams, ...schemas].flatMap((file) =>
    file === undefined ? [] : resolve(file),
  );
  return [...files, ...namedFiles(source)];
}
