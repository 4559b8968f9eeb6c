import { dirname, resolve } from 'node:path';
import { filesOf } from '../listeners/listener-settings.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

/** The files of certificates, keys and other secrets that a configuration names, as paths. */
export function namedFiles({ value, document }: GatewaySource): readonly string[] {
  const folder = dirname(document.file);
  const ofUpstreams = Object.values(value.upstreams).flatMap(({ tls, sticky, identity }) => [
    tls?.ca,
    tls?.cert,
    tls?.key,
    sticky?.secretFile,
    identity?.exchange?.privateKeyFile,
  ]);
  const ofKeys = value.identity?.signing?.keys ?? [];
  const names = [...ofKeys, ...(value.listeners ?? []).flatMap(filesOf), ...ofUpstreams];
  return names.flatMap((name) => (name === undefined ? [] : resolve(folder, name)));
}
