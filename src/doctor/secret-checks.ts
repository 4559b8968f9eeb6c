import { access, constants, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { canBeSecret } from '../config/secret-files.ts';
import type { Check, Outcome } from './check.ts';
import { folderOf, placeOf, type Surroundings } from './surroundings.ts';

type Path = readonly (string | number)[];

interface Named {
  readonly path: Path;
  readonly key: string;
  readonly name: string;
}

/** What is no secret, though a key of it ends in `File`. */
const PUBLIC = /^jwksFile$/;
/** Others may read. */
const READABLE_BY_ALL = 0o004;

/** Whether the secrets that the configuration names by `…Env` and `…File` are there. */
export function secretChecks(around: Surroundings): readonly Check[] {
  const named = namedIn(around.source.value, []);
  return named.map((one) => ({
    name: 'secret',
    subject: one.name,
    mend: placeOf(around, one.path),
    run: () => (one.key.endsWith('Env') ? variable(around, one) : file(around, one)),
  }));
}

function namedIn(value: unknown, path: Path): readonly Named[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]): readonly Named[] => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    if (typeof one === 'string' && /[a-z](?:Env|File)$/.test(key)) return [{ path: at, key, name: one }];
    return namedIn(one, at);
  });
}

async function variable(around: Surroundings, { name, path }: Named): Promise<Outcome> {
  if (around.variables[name]) return { level: 'ok', what: 'the variable is set' };
  const what = around.variables[name] === undefined ? 'the variable is not set' : 'the variable is empty';
  return { level: 'fail', what, mend: `export ${name}=…, for ${placeOf(around, path)}` };
}

async function file(around: Surroundings, { name, key, path }: Named): Promise<Outcome> {
  const place = placeOf(around, path);
  const found = await firstReadable([resolve(folderOf(around), name), resolve(name)]);
  if (found === undefined)
    return { level: 'fail', what: 'there is no file that can be read', mend: `write it, for ${place}` };
  if (found.size === 0) return { level: 'fail', what: 'the file is empty', mend: `write it, for ${place}` };
  if (!PUBLIC.test(key) && !canBeSecret(found.size))
    return {
      level: 'fail',
      what: `it has ${found.size} bytes, which no secret has`,
      mend: `name another file, for ${place}`,
    };
  if (!PUBLIC.test(key) && (found.mode & READABLE_BY_ALL) !== 0)
    return { level: 'warn', what: 'everybody on this machine may read the file', mend: `chmod o-r ${name}` };
  return { level: 'ok', what: 'the file can be read' };
}

// Some names start from the configuration file, some from the working directory.
async function firstReadable(places: readonly string[]) {
  for (const place of places) {
    try {
      await access(place, constants.R_OK);
      return await stat(place);
    } catch {
      // The next one may be there.
    }
  }
  return undefined;
}
