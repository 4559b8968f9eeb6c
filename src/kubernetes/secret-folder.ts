import { hash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ONLY_OURS = 0o700;
const ONLY_READ = 0o600;

/** Certificates and keys of a cluster as files, which is how the configuration names them. Nobody else may read them. */
export class SecretFolder {
  readonly #path: string;
  readonly #isOwn: boolean;
  #used = new Set<string>();

  /** @param path default a new folder of the system for temporary files. */
  constructor(path?: string) {
    this.#isOwn = path === undefined;
    this.#path = path ?? mkdtempSync(join(tmpdir(), 'gatehouse-'));
    mkdirSync(this.#path, { recursive: true, mode: ONLY_OURS });
    chmodSync(this.#path, ONLY_OURS);
  }

  /** The path of a file with a text; another text has another one, so that none changes while it is read. */
  fileOf(text: string, kind: 'crt' | 'key'): string {
    const name = `${hash('sha256', text, 'hex').slice(0, 32)}.${kind}`;
    const path = join(this.#path, name);
    this.#used.add(name);
    if (existsSync(path)) return path;
    writeFileSync(`${path}.new`, text, { mode: ONLY_READ });
    renameSync(`${path}.new`, path);
    return path;
  }

  /** Begins to note what is used. */
  begin(): void {
    this.#used = new Set();
  }

  /** Removes what was not used since {@link begin}. */
  tidy(): void {
    for (const name of readdirSync(this.#path))
      if (/^[0-9a-f]{32}\.(?:crt|key)$/.test(name) && !this.#used.has(name))
        rmSync(join(this.#path, name), { force: true });
  }

  /** Removes all of it. */
  close(): void {
    this.begin();
    if (this.#isOwn) rmSync(this.#path, { recursive: true, force: true });
    else this.tidy();
  }
}
