import { dirname, resolve } from 'node:path';
import { secretFilesOf } from '../config/secret-files.ts';
import { filesOf } from '../listeners/listener-settings.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

/** The files of certificates, keys and other secrets that a configuration names, as paths. */
export function namedFiles({ value, document }: GatewaySource): readonly string[] {
  const folder = dirname(document.file);
  const ofUpstreams = Object.values(value.upstreams).flatMap(({ tls }) => [tls?.ca, tls?.cert, tls?.key]);
  const ofKeys = value.identity?.signing?.keys ?? [];
  const names = [...ofKeys, ...(value.listeners ?? []).flatMap(filesOf), ...ofUpstreams];
  const secrets = secretFilesOf(value, folder).map(({ file }) => file);
  return [...names.flatMap((name) => (name === undefined ? [] : resolve(folder, name))), ...secrets];
}
