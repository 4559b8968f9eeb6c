import { dirname, join, resolve } from 'node:path';
import type { GatewaySource } from '../../routing/table-builder.ts';
import { namedFiles } from '../../snapshot/named-files.ts';
import { descriptorSetOf } from '../../upstreams/grpc/descriptors/descriptor-places.ts';

/** The files that a configuration is made of: its own, those that it names, and the schemas of its upstreams. */
export function sourceFiles(source: GatewaySource): readonly string[] {
  const schemas = Object.entries(source.value.upstreams).flatMap(([name, options]) =>
    options.protocol === 'grpc' ? [descriptorSetOf(name, options) ?? options.proto] : [],
  );
  const files = [source.document.file, ...teamFiles(source), ...schemas].flatMap((file) =>
    file === undefined ? [] : resolve(file),
  );
  return [...files, ...namedFiles(source)];
}

/** The files of teams, and the folders in which there may be others. */
function teamFiles({ value, document, teams }: GatewaySource): readonly string[] {
  const patterns = value.include?.flatMap(({ files }) => files) ?? [];
  const folders = patterns.map((one) => join(dirname(document.file), folderOf(one)));
  return [...(teams?.sources.map(({ file }) => file) ?? []), ...folders];
}

function folderOf(pattern: string): string {
  const parts = dirname(pattern).split('/');
  const end = parts.findIndex((part) => /[*?[{]/.test(part));
  return parts.slice(0, end < 0 ? undefined : end).join('/');
}
