import { readYaml } from '../config/yaml-reader.ts';
import type { Json } from './resource.ts';
import type { RouteDraft } from './translate/routes.ts';

/** A route as it is where the listeners are those that it was translated for. */
export const configOf = ({ config }: Pick<RouteDraft, 'config'>): Json => config;

/** A route with the ports that it is served at, whatever others there are. */
export function boundConfigOf({ config, ports }: Pick<RouteDraft, 'config' | 'ports'>): Json {
  return ports === undefined ? config : { ...config, match: { ...(config['match'] as Json), ports } };
}

/** What the text of a file says of listeners and signing, by which objects are translated; the same for the same. What cannot be read is no file that comes into force. */
export function surroundingsIn(text: string): string {
  try {
    const { value } = readYaml(text, '', 'kept');
    const { listeners, identity } = (value ?? {}) as {
      listeners?: unknown;
      identity?: { signing?: unknown };
    };
    return JSON.stringify([listeners ?? null, identity?.signing ?? null]);
  } catch {
    return '';
  }
}
