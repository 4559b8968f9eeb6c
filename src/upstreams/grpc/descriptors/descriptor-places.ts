import { existsSync } from 'node:fs';

/** Where descriptor sets lie that are named by their upstreams; from the folder that the gateway was started in. */
export const DESCRIPTOR_FOLDERS = ['config/descriptors', 'descriptors'] as const;

/** A name of a file, and of nothing else. */
const FILE_NAME = /^[\w-][\w.-]*$/;

/** What an upstream says of its schema. */
interface Saying {
  readonly protocol?: string | undefined;
  readonly descriptorSet?: string | undefined;
  readonly proto?: string | undefined;
  readonly reflection?: unknown;
}

/** The descriptor set of an upstream: the one that it names, else the one that is named by it; undefined for neither. */
export function descriptorSetOf(
  name: string,
  { descriptorSet, proto, reflection }: Saying,
): string | undefined {
  if (descriptorSet !== undefined || proto !== undefined || reflection !== undefined) return descriptorSet;
  if (!FILE_NAME.test(name)) return undefined;
  return DESCRIPTOR_FOLDERS.map((folder) => `${folder}/${name}.binpb`).find((file) => existsSync(file));
}
