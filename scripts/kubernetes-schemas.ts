import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Schema = Readonly<Record<string, unknown>>;

/** What refers to a definition says so from the root of a server, which kubeconform would ask. */
const REFERENCE = /"\/api\/_definitions\.json#/g;

/** Writes the schemas of a version of Kubernetes, in which keys that are not known are faults, as kubeconform reads them. */
export function writeSchemas(unpacked: string, version: string, to: string): void {
  const from = join(unpacked, 'kubernetes_validate/kubernetes-json-schema', `v${version}-local-strict`);
  const folder = join(to, `v${version}`);
  cpSync(from, folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8').replace(REFERENCE, '"_definitions.json#');
    // Its address on the web is where references would start from.
    const { $id: _id, ...schema } = JSON.parse(text) as Schema;
    writeFileSync(join(folder, name), JSON.stringify(schema));
  }
}

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

/** Writes the schema of a ServiceMonitor, of its definition (a CustomResourceDefinition). */
export function writeMonitorSchema(definition: string, folder: string): void {
  const { spec } = parse(definition) as Definition;
  const version = spec.versions.find(({ name }) => name === 'v1');
  if (version === undefined) throw new Error('the definition of ServiceMonitor has no version v1');
  mkdirSync(folder, { recursive: true });
  const { properties, ...schema } = version.schema.openAPIV3Schema;
  const known = { ...(properties as Schema), metadata: { type: 'object' } };
  const text = JSON.stringify(closed({ ...schema, properties: known }));
  writeFileSync(join(folder, 'servicemonitor-monitoring-v1.json'), text);
}

/** The same, in which keys that are not known are faults wherever there are known ones. */
export function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const made = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  if (made['x-kubernetes-int-or-string'] === true) return { type: ['integer', 'string'] };
  const isOpen =
    made['additionalProperties'] !== undefined || made['x-kubernetes-preserve-unknown-fields'] === true;
  return typeof made['properties'] === 'object' && made['type'] === 'object' && !isOpen
    ? { ...made, additionalProperties: false }
    : made;
}
